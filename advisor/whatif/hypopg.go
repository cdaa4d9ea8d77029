package whatif

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// HypoPG judges with hypothetical indexes over a connection to the watched
// server, a hot standby included. It writes nothing.
type HypoPG struct {
	*session
	schema string
}

// maxHypothetical is how many hypothetical indexes one session bears: "not
// more oid available" comes at some 2,500.
const maxHypothetical = 2000

// NewHypoPG returns a judge over a connection that it does not own. The
// connection must not be used by others until the judge is done. The error is
// a *pgvigil.Hint if the extension is missing.
func NewHypoPG(ctx context.Context, conn *pgx.Conn, o Options) (*HypoPG, error) {
	h := &HypoPG{session: newSession(conn, o)}
	err := conn.QueryRow(ctx, hypopgSchemaSQL).Scan(&h.schema)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, &pgvigil.Hint{
			Err:    errors.New("judge with HypoPG: the extension is not installed in this database"),
			Advice: "run CREATE EXTENSION hypopg (Debian: postgresql-NN-hypopg), or name a scratch database",
		}
	}
	if err != nil {
		return nil, fmt.Errorf("look for HypoPG: %w", err)
	}
	return h, nil
}

// Method returns "hypopg".
func (h *HypoPG) Method() string { return "hypopg" }

// Cost implements Judge.
func (h *HypoPG) Cost(ctx context.Context, statements []Statement, indexes []Index) (res Result, err error) {
	if len(indexes) > maxHypothetical {
		return res, fmt.Errorf("judge with HypoPG: %d indexes at once, at most %d", len(indexes), maxHypothetical)
	}
	before := h.calls
	if err := h.begin(ctx, "READ ONLY"); err != nil {
		return res, err
	}
	defer func() {
		// What HypoPG made outlives the transaction.
		err = errors.Join(err, h.rollback(ctx), h.reset(ctx))
		res.Calls = h.calls - before
	}()
	res = newResult(len(statements), len(indexes))
	indexes, err = h.standIns(ctx, indexes, res.StandIn)
	if err != nil {
		return res, err
	}
	known, err := h.create(ctx, indexes, res.Unproven)
	if err != nil {
		return res, err
	}
	for i, st := range statements {
		if res.Plans[i], err = h.plan(ctx, st, known); err != nil {
			return res, err
		}
	}
	return res, nil
}

//go:embed queries/is_partitioned.sql
var isPartitionedSQL string

// standIns puts whole indexes in the place of partial ones where the planner
// would never use those: HypoPG 1.3 writes their predicates for the first table
// of a statement, so that they match on no partition and on no other table of
// a join. (Of expressions the same is true, and nothing can stand in.)
func (h *HypoPG) standIns(ctx context.Context, indexes []Index, done []bool) ([]Index, error) {
	out := slices.Clone(indexes)
	for i, x := range out {
		if x.Predicate == "" || len(x.Whole) == 0 {
			continue
		}
		err := h.conn.QueryRow(ctx, isPartitionedSQL, x.Schema, x.Table).Scan(&done[i])
		if err != nil && !errors.Is(err, pgx.ErrNoRows) {
			return nil, fmt.Errorf("look up a table: %w", err)
		}
		if done[i] = done[i] || x.PreferWhole; done[i] {
			out[i].Predicate, out[i].Folded, out[i].Keys = "", "", x.Whole
		}
	}
	return out, nil
}

func newResult(statements, indexes int) Result {
	return Result{
		Plans:    make([]Plan, statements),
		Sizes:    make([]pgvigil.Bytes, indexes),
		Unproven: make([]error, indexes),
		StandIn:  make([]bool, indexes),
	}
}

// create puts the indexes in place and returns their names' positions.
func (h *HypoPG) create(ctx context.Context, indexes []Index, unproven []error) (map[string]int, error) {
	known := map[string]int{}
	for i, x := range indexes {
		refused, err := h.untrustedIndex(ctx, x, x.hypothetical())
		if unproven[i] = refused; refused != nil {
			continue
		}
		var name string
		if err == nil {
			name, err = h.createOne(ctx, x)
		}
		var bad *pgconn.PgError
		switch {
		case errors.As(err, &bad):
			unproven[i] = fmt.Errorf("HypoPG cannot hold %s: %s", x.Definition(), query.Mask(bad.Message))
		case err != nil:
			return nil, fmt.Errorf("create a hypothetical index: %w", err)
		default:
			known[name] = i
		}
	}
	return known, nil
}

func (h *HypoPG) createOne(ctx context.Context, x Index) (name string, err error) {
	if _, err := h.conn.Exec(ctx, "SAVEPOINT pgvigil"); err != nil {
		return "", err
	}
	create := "SELECT indexname FROM " + pgx.Identifier{h.schema, "hypopg_create_index"}.Sanitize() + "($1)"
	if err := h.conn.QueryRow(ctx, create, x.hypothetical()).Scan(&name); err != nil {
		_, undo := h.conn.Exec(ctx, "ROLLBACK TO SAVEPOINT pgvigil")
		return "", errors.Join(err, undo)
	}
	_, err = h.conn.Exec(ctx, "RELEASE SAVEPOINT pgvigil")
	return name, err
}

func (h *HypoPG) reset(ctx context.Context) error {
	if h.conn.IsClosed() {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	_, err := h.conn.Exec(ctx, "SELECT "+pgx.Identifier{h.schema, "hypopg_reset"}.Sanitize()+"()")
	if err != nil {
		return fmt.Errorf("reset HypoPG: %w", err)
	}
	return nil
}

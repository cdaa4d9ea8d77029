package collector

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector/plan"
	"github.com/pgvigil/pgvigil/internal/foreign"
	"github.com/pgvigil/pgvigil/query"
)

// capture is the request for one plan. It is made in a read-only transaction of
// its own, which is rolled back, as pg_read_all_data where that is possible,
// and never runs the statement.
type capture struct {
	*visit
	wish    *PlanWish
	checker foreign.Checker
	sent    bool
	failed  bool
	ended   bool // the transaction is over
}

// planSettings are settings of roles and databases that change plans; a plan is
// made under those of the role that runs the query.
var planSettings = []string{
	"constraint_exclusion", "cpu_index_tuple_cost", "cpu_operator_cost", "cpu_tuple_cost", "cursor_tuple_fraction",
	"effective_cache_size", "effective_io_concurrency", "enable_async_append", "enable_bitmapscan", "enable_distinct_reordering",
	"enable_gathermerge", "enable_group_by_reordering", "enable_hashagg", "enable_hashjoin", "enable_incremental_sort",
	"enable_indexonlyscan", "enable_indexscan", "enable_material", "enable_memoize", "enable_mergejoin", "enable_nestloop",
	"enable_parallel_append", "enable_parallel_hash", "enable_partition_pruning", "enable_partitionwise_aggregate",
	"enable_partitionwise_join", "enable_presorted_aggregate", "enable_self_join_elimination", "enable_seqscan", "enable_sort",
	"enable_tidscan", "from_collapse_limit", "geqo", "geqo_effort", "geqo_threshold", "hash_mem_multiplier",
	"join_collapse_limit", "max_parallel_workers_per_gather", "min_parallel_index_scan_size", "min_parallel_table_scan_size",
	"parallel_leader_participation", "parallel_setup_cost", "parallel_tuple_cost", "random_page_cost",
	"recursive_worktable_factor", "seq_page_cost", "temp_buffers", "work_mem",
}

// plan returns the plan, or one that says why there is none.
func (c *capture) plan(ctx context.Context, names plan.Names) (pgvigil.Plan, error) {
	text, params, refused := prepare(c.wish.Query)
	if refused.Code != "" {
		return pgvigil.Plan{Refused: refused}, nil
	}
	if err := c.begin(ctx); err != nil {
		return pgvigil.Plan{}, err
	}
	p, err := c.inside(ctx, text, params, names)
	if end := c.end(ctx); err == nil {
		err = end
	}
	return p, err
}

// prepare says whether a text has a plan that may be asked for, and how to ask.
func prepare(q pgvigil.Query) (text string, params int, refused pgvigil.Warning) {
	refuse := func(code, why string) (string, int, pgvigil.Warning) {
		return "", 0, pgvigil.Warning{Code: code, Text: why}
	}
	if q.Text == "" || q.Truncated {
		return refuse(pgvigil.RefusedText, "its text is not known as a whole")
	}
	switch err := query.Plannable(q.Text); {
	case errors.Is(err, query.ErrWrites):
		return refuse(pgvigil.RefusedWrite, "it writes or locks rows, and plans are asked for with the right to read alone; auto_explain's come by the server's log")
	case err != nil:
		return refuse(pgvigil.RefusedText, err.Error())
	}
	text, params, err := query.Preparable(q.Text)
	if err != nil {
		return refuse(pgvigil.RefusedTypes, err.Error())
	}
	return text, params, pgvigil.Warning{}
}

// begin starts the transaction. Each of its statements has its own mark: they
// are counted one by one.
func (c *capture) begin(ctx context.Context) error {
	script := []string{"BEGIN READ ONLY"}
	if c.planner.lowered {
		script = append(script, "SET LOCAL ROLE pg_read_all_data")
	}
	_, err := c.conn.Exec(ctx, strings.Join(script, mark+"; ")+mark, pgx.QueryExecModeSimpleProtocol)
	return err
}

// end rolls back, even when ctx is over: the connection goes on to be used.
func (c *capture) end(ctx context.Context) error {
	if c.ended || c.conn.IsClosed() {
		return nil
	}
	c.ended = true
	_, err := c.conn.Exec(context.WithoutCancel(ctx), "ROLLBACK"+mark)
	return err
}

func (c *capture) inside(ctx context.Context, text string, params int, names plan.Names) (pgvigil.Plan, error) {
	role, place, refused, err := c.place(ctx)
	if err != nil || refused.Code != "" {
		return pgvigil.Plan{Role: role, Refused: refused}, err
	}
	reach, err := c.checker.Reach(ctx, text)
	if err != nil {
		return pgvigil.Plan{}, err
	}
	if refused := unfit(reach); refused.Code != "" {
		return pgvigil.Plan{Role: role, Refused: refused}, nil
	}
	if err := c.settings(ctx, role, place.Path); err != nil {
		return c.refusedBy(err, role)
	}
	c.sent = true
	tree, err := c.explain(ctx, text, params)
	if err != nil {
		return c.refusedBy(err, role)
	}
	p := tree.Describe(names)
	p.Role = role
	return p, nil
}

// maxRoles is how many of the roles that run a query are looked at.
const maxRoles = 5

// place resolves the query's tables for every role that runs it: they must see
// the same ones. The role returned is the one that runs it most.
func (c *capture) place(ctx context.Context) (role string, first foreign.Place, refused pgvigil.Warning, err error) {
	roles := []string{}
	for _, u := range c.wish.Users[:min(maxRoles, len(c.wish.Users))] {
		if name := c.planner.roles[u]; name != "" {
			roles = append(roles, name)
		}
	}
	if len(roles) == 0 {
		roles = []string{""}
	}
	for i, name := range roles {
		at, no, err := c.checker.Find(ctx, name, c.wish.Query.Tables)
		if err != nil {
			return roles[0], first, refused, err
		}
		if no != nil {
			return roles[0], first, pgvigil.Warning{Code: pgvigil.RefusedUnknown, Text: no.Error()}, nil
		}
		if i == 0 {
			first = at
		} else if !slices.Equal(first.Relations, at.Relations) {
			why := fmt.Sprintf("plan unknown: the roles %s and %s mean different tables by its names", roles[0], name)
			return roles[0], first, pgvigil.Warning{Code: pgvigil.RefusedUnknown, Text: why}, nil
		}
	}
	return roles[0], first, c.unreadable(first), nil
}

// unreadable says what keeps the tables from being read, or read alone.
func (c *capture) unreadable(at foreign.Place) pgvigil.Warning {
	for _, name := range at.Missing {
		if !strings.HasPrefix(name, "pg_") && !strings.HasPrefix(name, "information_schema.") {
			return pgvigil.Warning{Code: pgvigil.RefusedUnknown, Text: fmt.Sprintf("plan unknown: there is no table %s now; it may be a temporary one", name)}
		}
	}
	grant := "GRANT pg_read_all_data TO " + pgx.Identifier{c.user}.Sanitize()
	for _, r := range at.Relations {
		name := r.Schema + "." + r.Name
		switch {
		case !r.MayRead:
			return pgvigil.Warning{Code: pgvigil.RefusedRights, Text: "the role may not read " + name, Remedy: grant}
		case r.MayWrite:
			return pgvigil.Warning{
				Code: pgvigil.RefusedRights, Remedy: grant,
				Text: "the role may write " + name + ", and plans are asked for with the right to read alone",
			}
		}
	}
	return pgvigil.Warning{}
}

// unfit says why what planning could reach must not be reached.
func unfit(r foreign.Reach) pgvigil.Warning {
	switch {
	case r.Untrusted != nil:
		return pgvigil.Warning{Code: pgvigil.RefusedUntrusted, Text: r.Untrusted.Error(), Remedy: pgvigil.Advice(r.Untrusted)}
	case len(r.Foreign) > 0:
		return pgvigil.Warning{Code: pgvigil.RefusedUntrusted, Text: "planning could ask another server for the foreign table " + r.Foreign[0]}
	case len(r.Secured) > 0:
		return pgvigil.Warning{Code: pgvigil.RefusedUnknown, Text: "plan unknown: the row security of " + r.Secured[0] + " makes it depend on who asks"}
	}
	return pgvigil.Warning{}
}

// settings puts the transaction under search_path and settings of the role.
// From here on no name of ours may go unqualified.
func (c *capture) settings(ctx context.Context, role, path string) error {
	rows, err := c.conn.Query(ctx, load("plan_settings"), role, planSettings)
	if err != nil {
		return err
	}
	names, values := []string{"search_path", "statement_timeout"}, []string{path, fmt.Sprint(planOne.Milliseconds())}
	var name, value string
	_, err = pgx.ForEachRow(rows, []any{&name, &value}, func() error {
		names, values = append(names, name), append(values, value)
		return nil
	})
	if err != nil {
		return err
	}
	if !c.generic() {
		names, values = append(names, "plan_cache_mode"), append(values, "force_generic_plan")
	}
	_, err = c.conn.Exec(ctx, load("plan_set"), names, values)
	return err
}

// generic says whether EXPLAIN itself makes generic plans.
func (c *capture) generic() bool { return c.snap.Server.Version.Major() >= 16 }

// explain returns the generic plan of a text.
func (c *capture) explain(ctx context.Context, text string, params int) (plan.Tree, error) {
	if !c.generic() {
		return c.explainPrepared(ctx, text, params)
	}
	// Bound parameters would be taken for constants, so this goes by the simple
	// protocol. There is one statement in it: query.Plannable has seen to that.
	return c.ask(ctx, "EXPLAIN (GENERIC_PLAN, VERBOSE, SETTINGS, SUMMARY, FORMAT JSON) "+marked(text))
}

// marked puts our mark behind the first word of a statement, where it stays
// however the server cuts the text.
func marked(text string) string {
	i := strings.IndexFunc(text, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') })
	if i < 0 {
		return text + mark
	}
	return text[:i] + mark + text[i:]
}

// prepared is the one name under which statements are prepared: new names each
// time would evict entries of pg_stat_statements.
const prepared = "pgvigil_plan"

// explainPrepared asks for the plan of a prepared statement with NULLs, which
// make the executor drop all partitions. Where nothing is left of a table, its
// plan is asked for once more without pruning.
func (c *capture) explainPrepared(ctx context.Context, text string, params int) (plan.Tree, error) {
	tree, err := c.explainOnce(ctx, text, params)
	if err != nil || !tree.Pruned() {
		return tree, err
	}
	if _, err := c.conn.Exec(ctx, load("plan_set"), []string{"enable_partition_pruning"}, []string{"off"}); err != nil {
		return tree, err
	}
	return c.explainOnce(ctx, text, params)
}

func (c *capture) explainOnce(ctx context.Context, text string, params int) (tree plan.Tree, err error) {
	if _, err := c.conn.Exec(ctx, "PREPARE "+prepared+" AS "+marked(text)); err != nil {
		return plan.Tree{}, err
	}
	execute := "EXECUTE " + prepared
	if params > 0 {
		execute += " (NULL" + strings.Repeat(", NULL", params-1) + ")"
	}
	tree, err = c.ask(ctx, "EXPLAIN (VERBOSE, SETTINGS, SUMMARY, FORMAT JSON) "+execute+mark)
	if err != nil {
		// A failed transaction takes no DEALLOCATE, and prepared statements
		// outlive it.
		err = errors.Join(err, c.end(ctx))
	}
	_, gone := c.conn.Exec(context.WithoutCancel(ctx), "DEALLOCATE "+prepared+mark)
	return tree, errors.Join(err, gone)
}

// ask sends an EXPLAIN and reads its answer.
func (c *capture) ask(ctx context.Context, sql string) (plan.Tree, error) {
	results, err := c.conn.PgConn().Exec(ctx, sql).ReadAll()
	if err != nil {
		return plan.Tree{}, err
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return plan.Tree{}, errors.New("ask for a plan: the answer is no plan")
	}
	return plan.ReadJSON(results[0].Rows[0][0])
}

// refusedBy turns what the server said into a refusal. Its message may quote
// the text, so that little of it is kept. Other errors are the connection's.
func (c *capture) refusedBy(err error, role string) (pgvigil.Plan, error) {
	bad, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		if c.conn.IsClosed() || !c.sent {
			return pgvigil.Plan{}, err
		}
		return pgvigil.Plan{Role: role, Refused: pgvigil.Warning{Code: pgvigil.RefusedServer, Text: err.Error()}}, nil
	}
	c.failed = true
	w := pgvigil.Warning{Code: pgvigil.RefusedServer, Text: "the server refused to plan it: " + query.Mask(bad.Message)}
	switch bad.Code {
	case "42P18", "42P08", "42725", "42883", "42804":
		w.Code, w.Text = pgvigil.RefusedTypes, query.ErrUntyped.Error()+": "+query.Mask(bad.Message)
	case stateLockTimeout:
		c.failed = false // nobody's fault: asked again tomorrow
		w.Code, w.Text = pgvigil.RefusedBudget, "one of its tables was locked"
	case "57014":
		w.Text = fmt.Sprintf("planning takes longer than %s", planOne)
	case stateNoRights:
		w.Code, w.Remedy = pgvigil.RefusedRights, "GRANT pg_read_all_data TO "+pgx.Identifier{c.user}.Sanitize()
	}
	return pgvigil.Plan{Role: role, Refused: w}, nil
}

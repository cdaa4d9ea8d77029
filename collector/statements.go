package collector

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// statementsExtension is the extension that counts statements.
const statementsExtension = "pg_stat_statements"

// readStatements reads all entries with their counters, completely or not at all.
func (p *pass) readStatements(ctx context.Context) error {
	if err := p.findExtension(ctx); err != nil {
		return err
	}
	if p.extension.Version == "" {
		p.warn("pgss-missing", "pg_stat_statements is in none of the databases that may be visited, so no statement is counted",
			"CREATE EXTENSION pg_stat_statements")
		return nil
	}
	read, at, err := p.fetchStatements(ctx)
	switch {
	case sqlState(err) == stateNotLoaded:
		p.warn("pgss-not-preloaded", "pg_stat_statements is installed, but not loaded by the server",
			"ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements' (beside what it has), then restart")
		return nil
	case err != nil:
		return err
	}
	p.snap.Statements, p.snap.At, p.snap.Clock = read, at, p.Now().UTC()
	p.memory.entries = len(read.List)
	return nil
}

// findExtension looks for pg_stat_statements in the database at hand, then in
// the others: one of them is enough, as it counts for the whole server. The
// pass goes on over a connection to the one that has it.
func (p *pass) findExtension(ctx context.Context) error {
	found, err := installed(ctx, p.conn, statementsExtension)
	if err != nil || found.Version != "" {
		p.extension = found
		return err
	}
	for _, db := range p.snap.Databases {
		if db.Name == p.database || !p.wanted(db.Name) {
			continue
		}
		if p.moveTo(ctx, db.Name) {
			return nil
		}
	}
	return nil
}

// moveTo makes a database that has the extension the home of this pass and of
// those to come.
func (p *pass) moveTo(ctx context.Context, database string) bool {
	conn, err := Connect(ctx, p.target, database)
	if err != nil {
		return false // visitDatabases will say why
	}
	found, err := installed(ctx, conn, statementsExtension)
	if err != nil || found.Version == "" {
		p.closeConn(ctx, conn)
		return false
	}
	p.closeConn(ctx, p.conn)
	p.conn, p.database, p.memory.home, p.extension = conn, database, database, found
	return true
}

// installed returns where and in which version an extension is in the database
// of conn; the zero value if it is not there.
func installed(ctx context.Context, conn *pgx.Conn, name string) (extension, error) {
	var e extension
	err := conn.QueryRow(ctx, load("extension"), name).Scan(&e.Schema, &e.Version)
	if errors.Is(err, pgx.ErrNoRows) {
		return extension{}, nil
	}
	return e, err
}

// fetchStatements sends clock, entries and clock again in one round trip and
// one transaction. A reset in between makes the read worthless.
func (p *pass) fetchStatements(ctx context.Context) (read pgvigil.StatementsRead, at time.Time, err error) {
	sql, metrics := p.extension.statementsSQL()
	batch := &pgx.Batch{}
	batch.Queue(load("work_mem"))
	batch.Queue(p.extension.infoSQL())
	batch.Queue(sql)
	batch.Queue(p.extension.infoSQL())
	results := p.conn.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()

	if _, err := results.Exec(); err != nil {
		return read, at, err
	}
	at, err = scanInfo(results.QueryRow(), &read)
	if err != nil {
		return read, at, err
	}
	rows, err := results.Query()
	if err != nil {
		return read, at, err
	}
	list, hidden, err := scanStatements(rows, metrics, p.memory.entries)
	if err != nil {
		return read, at, err
	}
	var after pgvigil.StatementsRead
	if _, err := scanInfo(results.QueryRow(), &after); err != nil {
		return read, at, err
	}
	if !after.Reset.Equal(read.Reset) {
		return read, at, errors.New("pg_stat_statements was reset while it was read; the next pass will tell")
	}
	if hidden > 0 && p.allStats {
		p.warn("statements-hidden", fmt.Sprintf("%d entries of pg_stat_statements are hidden from the role", hidden), "")
	}
	read.OK, read.Extension, read.List = true, p.extension.Version, list
	return read, at, nil
}

// scanInfo reads what is known of all entries together, and the server's clock.
func scanInfo(row pgx.Row, read *pgvigil.StatementsRead) (time.Time, error) {
	var at time.Time
	var dealloc *int64
	var reset *time.Time
	var limit *string
	if err := row.Scan(&at, &dealloc, &reset, &limit); err != nil {
		return at, err
	}
	read.Dealloc, read.Reset = -1, utc(reset)
	if dealloc != nil {
		read.Dealloc = *dealloc
	}
	if limit != nil {
		read.Max = leadingInt(*limit)
	}
	return at.UTC(), nil
}

// scanStatements decodes entries from text. Entries without a queryid belong to
// roles whose statements are hidden from us; they are counted.
func scanStatements(rows pgx.Rows, metrics []pgvigil.Metric, expect int) (list []pgvigil.Statement, hidden int, err error) {
	defer rows.Close()
	list = make([]pgvigil.Statement, 0, expect+expect/8)
	unknown := pgvigil.Counters{}
	for i := range unknown {
		unknown[i] = math.NaN()
	}
	for rows.Next() {
		raw := rows.RawValues()
		if raw[2] == nil {
			hidden++
			continue
		}
		st := pgvigil.Statement{Counters: unknown}
		if err := scanStatement(raw, metrics, &st); err != nil {
			return nil, hidden, err
		}
		list = append(list, st)
	}
	return list, hidden, rows.Err()
}

func scanStatement(raw [][]byte, metrics []pgvigil.Metric, st *pgvigil.Statement) error {
	var err error
	number := func(b []byte) int64 {
		n, e := strconv.ParseInt(string(b), 10, 64)
		err = errors.Join(err, e)
		return n
	}
	st.Key = pgvigil.StatementKey{
		UserID:   pgvigil.OID(number(raw[0])),
		DBID:     pgvigil.OID(number(raw[1])),
		QueryID:  number(raw[2]),
		TopLevel: string(raw[3]) == "t",
	}
	since, e := counter(raw[4])
	err = errors.Join(err, e)
	if since > 0 {
		st.Since = time.UnixMicro(int64(math.Round(since * 1e6))).UTC()
	}
	for i, m := range metrics {
		st.Counters[m], e = counter(raw[5+i])
		err = errors.Join(err, e)
	}
	if err != nil {
		return fmt.Errorf("decode an entry: %w", err)
	}
	return nil
}

// counter decodes a number as Postgres prints it; most are short integers.
func counter(b []byte) (float64, error) {
	if b == nil {
		return math.NaN(), nil
	}
	if len(b) > 15 {
		return strconv.ParseFloat(string(b), 64)
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return strconv.ParseFloat(string(b), 64)
		}
		n = n*10 + int64(c-'0')
	}
	return float64(n), nil
}

package collector

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// readTexts fetches and describes the texts of statements that nobody knows
// yet, at most once per TextEvery: however few are wanted, the server reads its
// whole file of texts.
func (p *pass) readTexts(ctx context.Context) error {
	now := p.Now()
	if !p.snap.Statements.OK || now.Sub(p.memory.textsAt) < p.TextEvery {
		return nil
	}
	unknown, err := p.unknownKeys(ctx)
	if err != nil || len(unknown) == 0 {
		return err
	}
	p.memory.textsAt = now
	queries, err := p.fetchTexts(ctx, unknown)
	if err != nil {
		return err
	}
	p.snap.Queries = queries
	for key := range queries {
		p.memory.described[key] = true
	}
	return nil
}

// unknownKeys returns the keys of this pass that have no description, and
// forgets those that are gone.
func (p *pass) unknownKeys(ctx context.Context) ([]pgvigil.StatementKey, error) {
	known := func(key pgvigil.StatementKey) bool { return p.memory.described[key] }
	if p.Known != nil {
		var err error
		if known, err = p.Known(ctx, p.snap.Server); err != nil {
			return nil, err
		}
	}
	var unknown []pgvigil.StatementKey
	for i := range p.snap.Statements.List {
		if key := p.snap.Statements.List[i].Key; !known(key) {
			unknown = append(unknown, key)
		}
	}
	if len(p.memory.described) > 4*len(p.snap.Statements.List) {
		p.forgetKeys()
	}
	return unknown, nil
}

// forgetKeys drops from memory the keys that this pass no longer saw.
func (p *pass) forgetKeys() {
	kept := make(map[pgvigil.StatementKey]bool, len(p.snap.Statements.List))
	for i := range p.snap.Statements.List {
		if key := p.snap.Statements.List[i].Key; p.memory.described[key] {
			kept[key] = true
		}
	}
	p.memory.described = kept
}

// rawText is a text as the server has it, which must not leave the collector.
type rawText struct {
	key  pgvigil.StatementKey
	text *string
	cut  *bool
}

// fetchTexts reads texts and describes them after that: the server must not
// wait for us with a transaction open.
func (p *pass) fetchTexts(ctx context.Context, keys []pgvigil.StatementKey) (map[pgvigil.StatementKey]pgvigil.Query, error) {
	raw, err := p.fetchRaw(ctx, keys)
	if err != nil {
		return nil, err
	}
	queries := make(map[pgvigil.StatementKey]pgvigil.Query, len(raw))
	for _, r := range raw {
		queries[r.key] = p.describe(r.key, r.text, r.cut != nil && *r.cut)
	}
	return queries, nil
}

func (p *pass) fetchRaw(ctx context.Context, keys []pgvigil.StatementKey) (raw []rawText, err error) {
	if err := p.move(ctx, p.home); err != nil {
		return nil, err
	}
	users, dbs, ids, tops := columnsOf(keys)
	batch := &pgx.Batch{}
	batch.Queue(load("work_mem"))
	batch.Queue(p.extension.textsSQL(), users, dbs, ids, tops, p.TextLimit)
	results := p.conn.SendBatch(ctx, batch)
	defer func() { err = errors.Join(err, results.Close()) }()
	if _, err := results.Exec(); err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (r rawText, err error) {
		err = row.Scan(&r.key.UserID, &r.key.DBID, &r.key.QueryID, &r.key.TopLevel, &r.text, &r.cut)
		return r, err
	})
}

// describe turns a text into a query. A server that lost its file of texts
// gives none; then the queryid has to do.
func (p *pass) describe(key pgvigil.StatementKey, text *string, cut bool) pgvigil.Query {
	if text == nil {
		return query.ByQueryID(key.QueryID)
	}
	q := p.Describe(*text, query.Options{Partitions: p.memory.partitionsOf(key.DBID), MaxText: p.TextLimit, Accepted: true})
	if cut {
		q.Truncated = true
		q.Warnings = append(q.Warnings, pgvigil.Warning{Code: "text-cut", Text: "the text is longer than what is read of it"})
	}
	return q
}

// columnsOf turns keys into the parallel arrays of texts.sql.
func columnsOf(keys []pgvigil.StatementKey) (users, dbs, ids []int64, tops []bool) {
	for _, k := range keys {
		users = append(users, int64(k.UserID))
		dbs = append(dbs, int64(k.DBID))
		ids = append(ids, k.QueryID)
		tops = append(tops, k.TopLevel)
	}
	return users, dbs, ids, tops
}

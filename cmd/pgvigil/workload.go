package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/advisor"
	"github.com/pgvigil/pgvigil/advisor/partition"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/query"
)

// maxWorkloadFile bounds a workload file, in bytes.
const maxWorkloadFile = 64 << 20

// adviseOnFile advises on the statements of a file for any database, without a
// history: one pass reads the catalog, the planner of the database judges.
func adviseOnFile(ctx context.Context, dsn, file, scratch string, budget pgvigil.Bytes) (advisor.Answer, error) {
	work, err := readWorkload(file)
	if err != nil {
		return advisor.Answer{}, err
	}
	info, err := flagDSN("--dsn", dsn)
	if err != nil {
		return advisor.Answer{}, err
	}
	if info.Param("dbname") == "" && os.Getenv("PGDATABASE") == "" {
		return advisor.Answer{}, &pgvigil.Hint{
			Err:    errors.New("read --dsn: it names no database, and a file of statements is about one"),
			Advice: "add dbname=... to it",
		}
	}
	if _, err := flagDSN("--scratch", scratch); err != nil {
		return advisor.Answer{}, err
	}
	t := pgvigil.Target{Name: dsnTarget, DSN: info.Text()}
	snap, err := collector.New(collector.Options{Log: quietLog(), Bloat: unmeasured}).Pass(ctx, t)
	if err != nil {
		return advisor.Answer{}, err
	}
	conn, err := collector.Connect(ctx, t, "")
	if err != nil {
		return advisor.Answer{}, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	db, err := databaseOf(snap, conn.Config().Database)
	if err != nil {
		return advisor.Answer{}, err
	}
	a := adviser{scratch: pgvigil.Secret(scratch), log: quietLog()}
	judge, done, err := a.judge(ctx, conn)
	if err != nil {
		return advisor.Answer{}, err
	}
	answer, err := advisor.New(advisor.Options{}).Advise(ctx, advisor.Request{
		Target: t.Name, Database: db.Name, Catalog: db, Settings: snap.Settings, Work: work, Budget: budget, Judge: judge,
		Partition: partition.DefaultThresholds,
	})
	if err := errors.Join(err, done(context.WithoutCancel(ctx))); err != nil {
		return answer, err
	}
	if judge == nil {
		return answer, nil
	}
	return answer, unplanned(answer)
}

// unplanned is an error when the planner took none of the statements: then
// "no proposal" would say nothing about indexes.
func unplanned(a advisor.Answer) error {
	if a.CostBefore > 0 || len(a.Warnings) == 0 {
		return nil
	}
	w := a.Warnings[0]
	return &pgvigil.Hint{Err: fmt.Errorf("advise: no statement of the file could be planned: %s", w.Text), Advice: w.Remedy}
}

func databaseOf(snap *pgvigil.Snapshot, name string) (pgvigil.DatabaseRead, error) {
	for _, db := range snap.Databases {
		if db.Name == name && db.Visited {
			return db, nil
		}
	}
	return pgvigil.DatabaseRead{}, fmt.Errorf("advise: the catalog of database %q could not be read", name)
}

// readWorkload reads statements ended by semicolons, each optionally under a
// line "-- weight: N".
func readWorkload(file string) ([]advisor.Work, error) {
	st, err := os.Stat(file)
	if err == nil && st.Size() > maxWorkloadFile {
		err = fmt.Errorf("%d MB are more than the %d that it may have", st.Size()>>20, maxWorkloadFile>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("read the workload: %w", err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the workload: %w", err)
	}
	parts, err := query.Split(string(content))
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("read the workload %s: %w", file, err), Advice: pgvigil.Advice(err)}
	}
	var work []advisor.Work
	for _, p := range parts {
		if p.Text == "" {
			continue
		}
		weight, err := weightOf(p)
		if err != nil {
			return nil, fmt.Errorf("read the workload %s, line %d: %w", file, p.Line, err)
		}
		work = append(work, advisor.Work{Query: query.Describe(p.Text, query.Options{Accepted: true}), Text: p.Text, Weight: weight})
	}
	if len(work) == 0 {
		return nil, &pgvigil.Hint{
			Err:    fmt.Errorf("read the workload %s: it holds no statement", file),
			Advice: "end each statement with a semicolon, optionally under a line -- weight: N",
		}
	}
	return work, nil
}

func weightOf(p query.Part) (float64, error) {
	for _, c := range p.Comments {
		word, ok := strings.CutPrefix(strings.TrimSpace(strings.TrimPrefix(c, "--")), "weight:")
		if !ok {
			continue
		}
		w, err := strconv.ParseFloat(strings.TrimSpace(word), 64)
		if err != nil || !(w > 0) || w > 1e15 {
			return 0, &pgvigil.Hint{Err: fmt.Errorf("%q is no weight", oneLine(word, 40)), Advice: "write a number above 0, like -- weight: 120"}
		}
		return w, nil
	}
	return 1, nil
}

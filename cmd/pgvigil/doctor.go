package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/collector"
)

func newDoctor(u *ui) *cobra.Command {
	ac := &access{}
	var target, dsn string
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing on a target, with the SQL that mends it",
		Long: `doctor makes one pass over each target, keeps nothing of it, and says what the pass
could not read and which settings would make its numbers better. It prints the
SQL that mends each; it runs none of it.

Exit code 0 when nothing is missing, 1 when something is, 2 when a target could
not be reached.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			targets, err := doctorTargets(cmd.Context(), ac, target, dsn)
			if err != nil {
				return err
			}
			return examine(cmd.Context(), u, targets)
		},
	}
	ac.configFlag(cmd)
	cmd.Flags().StringVar(&target, "target", "", "only one target of the configuration")
	cmd.Flags().StringVar(&dsn, "dsn", "", "a server to examine without a configuration (or PGVIGIL_DSN)")
	return cmd
}

// unmeasured has a pass measure no bloat: nobody will read it.
var unmeasured = collector.BloatBudget{PassBytes: -1}

func doctorTargets(ctx context.Context, ac *access, target, dsn string) ([]pgvigil.Target, error) {
	keys := map[string]string{}
	if dsn == "" && target == "" {
		dsn = os.Getenv(dsnVariable)
	}
	if dsn != "" && target != "" {
		return nil, twoTargets()
	}
	if dsn != "" {
		if _, err := flagDSN("--dsn", dsn); err != nil {
			return nil, err
		}
		target, keys["targets."+dsnTarget+".dsn"] = dsnTarget, dsn
	}
	cfg, err := ac.load(keys)
	if err != nil {
		return nil, err
	}
	if target != "" {
		t, err := cfg.Resolve(ctx, target)
		return []pgvigil.Target{t}, err
	}
	if len(cfg.Targets) == 0 {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("examine: the configuration names no target"), Advice: `pass --dsn, or write one with "pgvigil config init"`}
	}
	return cfg.ResolveAll(ctx)
}

func examine(ctx context.Context, u *ui, targets []pgvigil.Target) error {
	c := collector.New(collector.Options{Log: quietLog(), Bloat: unmeasured})
	missing := 0
	var unreached error
	for _, t := range targets {
		snap, err := c.Pass(ctx, t)
		if err != nil {
			if unreached != nil {
				u.complain(unreached)
			}
			unreached = err
			continue
		}
		found := append(snap.Warnings, settingsAdvice(snap)...)
		if len(snap.Databases) > 0 {
			found = append(found, extensionAdvice(ctx, t, snap)...)
		}
		missing += len(found)
		printExamination(u, t, snap, found)
	}
	if unreached == nil && missing > 0 {
		return errFound
	}
	return unreached
}

func printExamination(u *ui, t pgvigil.Target, snap *pgvigil.Snapshot, found []pgvigil.Warning) {
	role := "primary"
	if snap.Server.InRecovery {
		role = "standby"
	}
	u.print("%s: PostgreSQL %s, %s, pg_stat_statements %s, %d of %d statements, %d databases, a pass takes %s", t.Name, snap.Server.Version,
		role, orNone(snap.Statements.Extension), len(snap.Statements.List), snap.Statements.Max, len(snap.Databases), shortDuration(snap.Took))
	if len(found) == 0 {
		u.print("  nothing is missing")
	}
	for _, w := range found {
		u.print("  %-22s %s", w.Code, oneLine(w.Text, 400))
		if w.Remedy != "" {
			u.print("  %22s %s", "mend it:", oneLine(w.Remedy, 400))
		}
	}
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return oneLine(s, 20)
}

// settingsAdvice says which settings would make the numbers better.
func settingsAdvice(snap *pgvigil.Snapshot) []pgvigil.Warning {
	var out []pgvigil.Warning
	values := map[string]string{}
	for _, s := range snap.Settings {
		if s.Scope == "" {
			values[s.Name] = s.Value
		}
	}
	if v, ok := values["track_io_timing"]; ok && v == "off" {
		out = append(out, pgvigil.Warning{
			Code: "track-io-timing", Text: "the time of reading and writing blocks is not measured, so a slow disk looks like a slow query",
			Remedy: "ALTER SYSTEM SET track_io_timing = on; SELECT pg_reload_conf();",
		})
	}
	if st := snap.Statements; st.OK && st.Dealloc > 0 && !st.Reset.IsZero() {
		perHour := float64(st.Dealloc) / max(snap.At.Sub(st.Reset).Hours(), 1.0/60)
		out = append(out, pgvigil.Warning{
			Code:   "statements-evicted",
			Text:   fmt.Sprintf("pg_stat_statements evicted entries %d times since %s, %s an hour; their calls are lost", st.Dealloc, st.Reset.UTC().Format(time.DateTime), number(perHour)),
			Remedy: fmt.Sprintf("ALTER SYSTEM SET pg_stat_statements.max = %d; then restart the server", 2*st.Max),
		})
	}
	return out
}

// extensionAdvice says what verifying proposals lacks in the databases that
// the pass visited.
func extensionAdvice(ctx context.Context, t pgvigil.Target, snap *pgvigil.Snapshot) []pgvigil.Warning {
	var out []pgvigil.Warning
	for _, db := range snap.Databases {
		if !db.Visited || len(db.Tables) == 0 {
			continue
		}
		conn, err := collector.Connect(ctx, t, db.Name)
		if err != nil {
			continue // the pass has said why
		}
		var there bool
		err = conn.QueryRow(ctx, hypopgInstalledSQL).Scan(&there)
		conn.Close(ctx)
		if err == nil && !there {
			out = append(out, pgvigil.Warning{
				Code:   "hypopg-missing",
				Text:   fmt.Sprintf("database %s has no HypoPG: proposals are verified on a scratch database, or not at all", db.Name),
				Remedy: "CREATE EXTENSION hypopg; (Debian: postgresql-NN-hypopg), or set scratch.dsn in the configuration",
			})
		}
	}
	return out
}

package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/collector"
)

type doctorOptions struct {
	access
	target string
	dsn    string
	script bool
}

func newDoctor(u *ui) *cobra.Command {
	o := doctorOptions{}
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Say what is missing on a target, with the SQL that mends it",
		Long: `doctor makes one pass over each target, keeps nothing of it, and says what is
missing, what works less without it, and what mends it, in three tiers of rights:
counters; plans of SELECT; plans of writes, which never take the right to write. It
says which settings should be otherwise and why, and what to mind where the target
stands: behind a pooler, on a standby, on a managed service.

With --print-fix it prints all that as a script for psql. It runs none of it.

Exit code 0 when nothing is missing, 1 when something is, 2 when a target could
not be reached.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), u) },
	}
	o.configFlag(cmd)
	cmd.Flags().StringVar(&o.target, "target", "", "only one target of the configuration")
	cmd.Flags().StringVar(&o.dsn, "dsn", "", "a server to examine without a configuration (or PGVIGIL_DSN)")
	cmd.Flags().BoolVar(&o.script, "print-fix", false, "print a script for psql that mends what SQL can mend")
	return cmd
}

// unmeasured has a pass measure no bloat: nobody will read it.
var unmeasured = collector.BloatBudget{PassBytes: -1}

// targets are those to examine, and the configuration that they are from.
func (o *doctorOptions) targets(ctx context.Context) (*config.Config, []pgvigil.Target, error) {
	keys := map[string]string{}
	if o.dsn == "" && o.target == "" {
		o.dsn = os.Getenv(dsnVariable)
	}
	if o.dsn != "" && o.target != "" {
		return nil, nil, twoTargets()
	}
	if o.dsn != "" {
		if _, err := flagDSN("--dsn", o.dsn); err != nil {
			return nil, nil, err
		}
		o.target, keys["targets."+dsnTarget+".dsn"] = dsnTarget, o.dsn
	}
	cfg, err := o.load(keys)
	if err != nil {
		return nil, nil, err
	}
	if o.target != "" {
		t, err := cfg.Resolve(ctx, o.target)
		return cfg, []pgvigil.Target{t}, err
	}
	if len(cfg.Targets) == 0 {
		return nil, nil, &pgvigil.Hint{Err: fmt.Errorf("examine: the configuration names no target"), Advice: `pass --dsn, or write one with "pgvigil config init"`}
	}
	list, err := cfg.ResolveAll(ctx)
	return cfg, list, err
}

func (o *doctorOptions) run(ctx context.Context, u *ui) error {
	cfg, targets, err := o.targets(ctx)
	if err != nil {
		return err
	}
	scratch, err := cfg.ScratchDSN(ctx)
	if err != nil {
		return err
	}
	c := collector.New(collector.Options{Log: quietLog(), Bloat: unmeasured})
	missing := false
	var unreached error
	for _, t := range targets {
		p, err := examine(ctx, c, t)
		if err != nil {
			if unreached != nil {
				u.complain(unreached)
			}
			unreached = err
			continue
		}
		p.scratch = scratch != ""
		list := p.findings()
		missing = missing || lacking(list)
		if o.script {
			printScript(u, p, list)
		} else {
			printFindings(u, p, list)
		}
	}
	if unreached == nil && missing {
		return errFound
	}
	return withCatches(unreached)
}

// patient is a target that was examined.
type patient struct {
	target  pgvigil.Target
	snap    *pgvigil.Snapshot
	exam    *collector.Examination
	scratch bool // a scratch database is configured
}

func examine(ctx context.Context, c *collector.Collector, t pgvigil.Target) (*patient, error) {
	snap, err := c.Pass(ctx, t)
	if err != nil {
		return nil, err
	}
	var databases []string
	for _, db := range snap.Databases {
		if db.Visited {
			databases = append(databases, db.Name)
		}
	}
	exam, err := c.Examine(ctx, t, databases)
	return &patient{target: t, snap: snap, exam: exam}, err
}

package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/fixtures"
)

// demoOptions are the flags of pgvigil demo. None of them is an option of the
// detector: the demo judges as serve does, only with shorter passes.
type demoOptions struct {
	fault  string
	dsn    pgvigil.Secret
	format string
	model  string
	report string
	scale  float64
	seed   int64
	every  time.Duration
	apply  bool
}

// minRhythm is the shortest time between the demo's passes.
const minRhythm = 500 * time.Millisecond

func newDemo(u *ui) *cobra.Command {
	o := demoOptions{}
	var dsn string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Watch a CI database under load, break it, see the alert, the fix and the report",
		Long: `demo starts a Postgres of its own, loads a CI world, runs its workload, takes real
passes, injects a fault and tells what pgvigil makes of it. Nothing is canned: the
detector is the one of "pgvigil serve", with the same thresholds, on passes that
are seconds apart.

It needs about three minutes, two cores and 1.5 GB of memory, and leaves nothing
but the report. Exit code 0 when the story came out as planted, 1 when not.

Faults: see "pgvigil fixtures fault --list".`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o.dsn = pgvigil.Secret(dsn)
			if err := checkFormat(o.format, "text", "json"); err != nil {
				return err
			}
			if o.every < minRhythm {
				return &pgvigil.Hint{Err: fmt.Errorf("read --every %s: too short", o.every), Advice: "use 500ms or more"}
			}
			fault, err := fixtures.FaultByName(o.fault)
			if err != nil {
				return err
			}
			return runDemo(cmd.Context(), u, o, fault)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.fault, "fault", "dropped-index", "the fault to inject; none for the control")
	f.StringVar(&dsn, "dsn", "", "an empty database to use instead of a server of the demo's own")
	f.StringVar(&o.format, "format", "text", "text, or json: one object on stdout, the story on stderr")
	f.StringVar(&o.model, "llm", "none", "who drafts beside the rules: none, fake, gemini (key in PGVIGIL_LLM_KEY)")
	f.StringVar(&o.report, "report", "pgvigil-demo.html", "where to write the report")
	f.Float64Var(&o.scale, "scale", 0.1, "size of the world; 0.1 is about 160 MB")
	f.Int64Var(&o.seed, "seed", 1, "seed of world and workload")
	f.DurationVar(&o.every, "every", 2*time.Second, "time between passes")
	f.BoolVar(&o.apply, "apply", true, "create the proposed index in the demo's database and measure the outcome")
	return cmd
}

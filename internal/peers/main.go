// Command peers measures what one pass of pgvigil costs a server, beside other
// readers of the same counters, in one run: CPU time of the backends, bytes on
// the wire, memory and temporary files of the backends, and the longest stall of
// somebody else. It writes a table in Markdown to standard output.
//
// All read in one run, so that a noisy machine is noisy for all. Compare ratios.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 15, "reads of each reader in each scene")
	flag.BoolVar(&o.small, "small", false, "a twentieth of everything, to try the program itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		stop()
		os.Exit(2)
	}
}

// options say how much is measured.
type options struct {
	rounds int
	small  bool
}

// scale returns n, or a twentieth of it where the program itself is tried.
func (o options) scale(n int) int {
	if o.small {
		return n / 20
	}
	return n
}

// scene is what a server holds while the readers read.
type scene struct {
	title      string
	statements int // entries of pg_stat_statements, each with a text of 1 KB
	changed    int // of them, between two reads of a reader
	tables     int
	indexes    int // on each table
}

func scenes(o options) []scene {
	return []scene{
		{"5,000 statements, all of them changed", o.scale(5000), o.scale(5000), 20, 1},
		{"5,000 statements, a tenth of them changed", o.scale(5000), o.scale(500), 20, 1},
		{"50,000 statements, a tenth of them changed", o.scale(50000), o.scale(5000), 20, 1},
		{"3,000 tables", 20, 20, o.scale(3000), 1},
		{"3,000 tables with 45,000 indexes", 20, 20, o.scale(3000), 15},
	}
}

func run(ctx context.Context, o options) error {
	fmt.Print(introduction)
	for _, s := range scenes(o) {
		if err := play(ctx, s, o.rounds); err != nil {
			return fmt.Errorf("%s: %w", s.title, err)
		}
	}
	return nil
}

// play sets one scene up, measures every reader in it and prints its table.
func play(ctx context.Context, s scene, rounds int) (err error) {
	st, err := openStage(ctx, s)
	if err != nil {
		return err
	}
	defer st.close()
	readers, missing := st.readers(ctx)
	defer closeAll(readers)
	results, err := st.measure(ctx, readers, rounds)
	if err != nil {
		return err
	}
	fmt.Printf("\n## %s\n\n", s.title)
	fmt.Println("| reader | CPU of the server, ms | bytes on the wire | memory of the backend, MB | temporary files, MB | longest stall of another session, ms | statements read |")
	fmt.Println("|---|---|---|---|---|---|---|")
	for _, r := range results {
		fmt.Printf("| %s | %s | %s | %.1f | %.1f | %.1f | %s |\n", r.name, digits(r.cpuMS), thousands(int64(r.wire)),
			r.memory/1e6, r.temp/1e6, r.stallMS, r.reads)
	}
	for _, m := range missing {
		fmt.Printf("\n%s\n", m)
	}
	return nil
}

const introduction = `# What a pass costs

Made by ` + "`make bench-collector`" + `: PostgreSQL 15, all readers in one run. The CPU time is that of the server's
backends, read from /proc, a mean over 15 rounds; the bytes are counted by a proxy between. The stall is the longest wait of a session that
runs new statements meanwhile, less what it waits without any reader. Machines are noisy: compare ratios, not runs.

"pgvigil" is a whole pass (server, statements, tables, indexes, activity, settings); "pgvigil, first pass" also reads all texts and
definitions, which it does once, and later at most every ten and every five minutes.
`

// digits prints a number with as many decimals as it deserves.
func digits(v float64) string {
	if v < 100 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// thousands prints 1234567 as 1,234,567.
func thousands(n int64) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

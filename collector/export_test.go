package collector

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// ReadsSinceFull is how many reads of a target's statements rest on the last
// one in full.
func ReadsSinceFull(c *Collector, target string) int { return c.memory(target).entries.reads }

// Entries reads statements over one connection as passes do, for benchmarks.
type Entries struct{ p *pass }

// NewEntries returns a reader of pg_stat_statements in the schema public.
func NewEntries(conn *pgx.Conn, version string) *Entries {
	return &Entries{&pass{conn: conn, snap: &pgvigil.Snapshot{}, memory: &memory{}, extension: extension{"public", version}}}
}

// Read reads them once; they are all read again if forget says so.
func (e *Entries) Read(ctx context.Context, forget bool) (pgvigil.StatementsRead, error) {
	if forget {
		e.p.memory.entries.reads = fullEvery
	}
	read, _, err := e.p.readEntries(ctx)
	return read, err
}

// Unsettle makes one in n entries look changed at the next read; 0 for none.
func (e *Entries) Unsettle(n int) {
	e.p.memory.entries.changed = 0
	for i := range e.p.memory.entries.states {
		if n > 0 && i%n == 0 {
			e.p.memory.entries.states[i]++
		}
	}
}

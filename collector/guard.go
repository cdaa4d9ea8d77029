package collector

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil/query"
)

// guardEvery is the time between two looks at whether somebody waits for us.
// With the server's part it keeps what we hold up under 200 ms.
const guardEvery = 50 * time.Millisecond

// guard links the pass over a target, which works on one connection, with the
// held connection, which looks out for those who wait for it.
type guard struct {
	mu      sync.Mutex
	pids    []int32 // of the pass's backends
	held    bool    // the held connection is there
	tries   int     // to open it
	changed chan struct{}
	wake    chan struct{} // has the held connection look at once
	found   found
}

// found is what the guard saw during one pass.
type found struct {
	oldestXmin int64
	waiter     string // the first that waited for us, "" for none
}

func newGuard() *guard {
	return &guard{changed: make(chan struct{}), wake: make(chan struct{}, 1)}
}

// watch begins to look out for those who wait for a backend of ours.
func (g *guard) watch(pid uint32) {
	g.mu.Lock()
	g.pids = append(g.pids, int32(pid))
	g.mu.Unlock()
	g.rouse()
}

// unwatch ends it, before the backend does.
func (g *guard) unwatch(pid uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.pids = slices.DeleteFunc(g.pids, func(p int32) bool { return p == int32(pid) })
}

// rouse ends the rest of the held connection.
func (g *guard) rouse() {
	select {
	case g.wake <- struct{}{}:
	default: // it is told already
	}
}

func (g *guard) watched() []int32 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.pids)
}

// tried notes that the held connection was opened, or lost, or not to be had.
func (g *guard) tried(held bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held = held
	g.tries++
	close(g.changed)
	g.changed = make(chan struct{})
}

// await waits until the held connection is there. It reports false if it was
// not to be had, or not within the time given.
func (g *guard) await(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	g.mu.Lock()
	held, first, changed := g.held, g.tries, g.changed
	g.mu.Unlock()
	g.rouse()
	for !held {
		select {
		case <-ctx.Done():
			return false
		case <-changed:
		}
		g.mu.Lock()
		tries := g.tries
		held, changed = g.held, g.changed
		g.mu.Unlock()
		if !held && tries > first {
			return false
		}
	}
	return true
}

// take returns what was found since it was last asked.
func (g *guard) take() found {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := g.found
	g.found = found{}
	return f
}

// look asks the server over the held connection who waits for the pass, and has
// it stop what the pass does at the moment if anybody does.
func (g *guard) look(ctx context.Context, conn *pgx.Conn) error {
	pids := g.watched()
	if len(pids) == 0 {
		return nil
	}
	rows, err := conn.Query(ctx, guardQuery, pids)
	if err != nil {
		return err
	}
	var f found
	var waiter, ours int
	var age int64
	var application string
	_, err = pgx.ForEachRow(rows, []any{&ours, &age, &waiter, &application}, func() error {
		f.oldestXmin = max(f.oldestXmin, age)
		if waiter != 0 {
			f.waiter = processName(waiter, query.MaskLabel(application))
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("look who waits for us: %w", err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.found.oldestXmin = max(g.found.oldestXmin, f.oldestXmin)
	if g.found.waiter == "" {
		g.found.waiter = f.waiter
	}
	return nil
}

func processName(pid int, application string) string {
	if application == "" {
		return fmt.Sprintf("process %d", pid)
	}
	return fmt.Sprintf("process %d (%s)", pid, application)
}

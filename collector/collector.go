package collector

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/query"
)

// Options say how passes are made. The zero value of each means its default.
type Options struct {
	// Now is pgvigil's clock; time.Now.
	Now func() time.Time
	// Log takes what an operator should see; slog.Default().
	Log *slog.Logger
	// Known says which statements of a server have a description already. By
	// default the collector remembers those that it has handed out itself.
	Known func(context.Context, pgvigil.Server) (func(pgvigil.StatementKey) bool, error)
	// Describe turns a text into a query without literals; query.Describe.
	Describe func(text string, o query.Options) pgvigil.Query
	// TextEvery is the shortest time between two fetches of statement texts of
	// a server: each reads its whole text file. 10 minutes.
	TextEvery time.Duration
	// TextLimit is where the server cuts a text, in characters; 16,384.
	TextLimit int
	// CatalogEvery is the shortest time between two complete reads of what
	// changes rarely: definitions, constraints, columns and their statistics,
	// sizes of databases. What is new is read at once. 5 minutes.
	CatalogEvery time.Duration
	// Bloat bounds what confirming estimates of bloat may cost.
	Bloat BloatBudget
	// Catalog returns what the history last knew of a server's tables and
	// indexes, so that bloat measured before a restart is not measured again; nil
	// if there is no history.
	Catalog func(context.Context, pgvigil.Server) ([]pgvigil.DatabaseRead, error)
	// Random returns numbers in [0, 1), for what must not happen to many at once;
	// rand.Float64. It may be called by several goroutines at a time.
	Random func() float64
	// Plans says which queries of a server want a plan; nil asks for none.
	Plans func(context.Context, pgvigil.Server) ([]PlanWish, error)
	// TrustedRoles are roles, beside superusers, whose functions planning may run.
	TrustedRoles []string
	// Note returns what a pass wanted remembered of a server under a name
	// (Snapshot.Notes), nil for nothing. By default the collector remembers what
	// it has handed out itself.
	Note func(ctx context.Context, s pgvigil.Server, name string) ([]byte, error)
}

// Collector makes passes. It remembers, per target, what it need not read
// again. It may be used by several goroutines at a time.
type Collector struct {
	o       Options
	mu      sync.Mutex
	targets map[string]*memory // by Target.Name
}

// memory is what a collector knows of one target from earlier passes.
type memory struct {
	busy sync.Mutex // held during a pass
	// home is the database that has pg_stat_statements, where the DSN's has not.
	home       string
	entries    entries
	textsAt    time.Time
	described  map[pgvigil.StatementKey]bool
	catalogs   map[pgvigil.OID]*catalog
	sizes      map[pgvigil.OID]pgvigil.Bytes
	lengths    map[pgvigil.OID]*lengths
	sizesAt    time.Time
	rolesAt    time.Time
	postmaster time.Time
	// measured is what is known of the bloat of system's relations; spent is what
	// it cost in the last 24 hours.
	measured map[pgvigil.RelationKey]measurement
	system   pgvigil.SystemID
	spent    []spending
	sampled  bool // by Sample, which guards its passes too
	guard    *guard
	tally    *tally
	notes    map[string][]byte
	// partitions of databases as last seen, for texts of sessions.
	parts      sync.Mutex
	partitions map[pgvigil.OID]map[string]string
}

// setPartitions remembers the partitions of a database.
func (m *memory) setPartitions(db pgvigil.OID, parts map[string]string) {
	m.parts.Lock()
	defer m.parts.Unlock()
	m.partitions[db] = parts
}

// partitionsOf returns the partitions of a database, for query.Describe.
func (m *memory) partitionsOf(db pgvigil.OID) map[string]string {
	m.parts.Lock()
	defer m.parts.Unlock()
	return m.partitions[db]
}

// New returns a collector.
func New(o Options) *Collector {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.TextEvery == 0 {
		o.TextEvery = 10 * time.Minute
	}
	if o.TextLimit == 0 {
		o.TextLimit = 16 << 10
	}
	if o.CatalogEvery == 0 {
		o.CatalogEvery = 5 * time.Minute
	}
	o.Bloat = o.Bloat.withDefaults()
	if o.Random == nil {
		o.Random = rand.Float64
	}
	if o.Describe == nil {
		o.Describe = query.Describe
	}
	return &Collector{o: o, targets: map[string]*memory{}}
}

// ErrRunning says that another pass of the target is under way.
var ErrRunning = errors.New("its last pass is still running")

// Pass visits a target once. It returns an error when the server cannot be
// reached, when ctx ends, or when another pass of the target is still running
// in this collector. What else cannot be read is left out and stands in
// Snapshot.Warnings.
func (c *Collector) Pass(ctx context.Context, t pgvigil.Target) (*pgvigil.Snapshot, error) {
	t.Timeouts = withDefaults(t.Timeouts)
	m := c.memory(t.Name)
	if !m.busy.TryLock() {
		return nil, fmt.Errorf("collect %s: %w", t.Name, ErrRunning)
	}
	defer m.busy.Unlock()
	outer := ctx
	ctx, cancel := context.WithTimeout(ctx, t.Timeouts.Pass)
	defer cancel()
	p := &pass{Options: c.o, collector: c, target: t, memory: m, snap: &pgvigil.Snapshot{}}
	if err := p.run(ctx); err != nil {
		return nil, discreet(err)
	}
	if err := outer.Err(); err != nil {
		return nil, fmt.Errorf("collect %s: %w", t.Name, err)
	}
	return p.snap, nil
}

// GiveBack returns the samples that a pass over a target brought when they could
// not be kept; its next pass brings them again.
func (c *Collector) GiveBack(target string, w pgvigil.Waits) {
	c.memory(target).tally.giveBack(w)
}

func (c *Collector) memory(target string) *memory {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := c.targets[target]
	if m == nil {
		m = newMemory()
		c.targets[target] = m
	}
	return m
}

func newMemory() *memory {
	return &memory{
		described: map[pgvigil.StatementKey]bool{},
		catalogs:  map[pgvigil.OID]*catalog{},
		sizes:     map[pgvigil.OID]pgvigil.Bytes{},
		lengths:   map[pgvigil.OID]*lengths{},
		notes:     map[string][]byte{},
		guard:     newGuard(), tally: newTally(),
		partitions: map[pgvigil.OID]map[string]string{},
	}
}

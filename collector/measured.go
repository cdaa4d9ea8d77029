package collector

import (
	"context"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// When a measurement is no longer what the relation is.
const (
	measureAge   = 7 * 24 * time.Hour
	maxChanged   = 0.2  // of the rows
	maxGrown     = 0.2  // of the pages
	maxShrunk    = 0.02 // of the pages: only a rewrite or a truncation does that
	changedError = 0.5  // what each changed row adds to the error
	// notNow is how long a measurement rests that was cancelled.
	notNow = time.Hour
)

// measurement is what was found out about one relation, and when.
type measurement struct {
	bloat  *pgvigil.Bloat // nil: it was cancelled, or says nothing
	tried  time.Time
	rests  time.Duration // when bloat is nil: not to be tried again before
	pages  int64
	writes float64 // of its table, cumulative
}

// spending is one measurement's cost.
type spending struct {
	at    time.Time
	bytes pgvigil.Bytes
	took  time.Duration
}

// recallCatalog fills the memory of measurements from the history when this
// collector sees the server for the first time.
func (p *pass) recallCatalog(ctx context.Context) error {
	m := p.memory
	if id := p.snap.Server.SystemID; m.measured != nil && m.system == id {
		return nil
	}
	m.measured, m.system, m.spent = map[pgvigil.RelationKey]measurement{}, p.snap.Server.SystemID, nil
	if p.Catalog == nil {
		return nil
	}
	databases, err := p.Catalog(ctx, p.snap.Server)
	for i := range databases {
		p.recallDatabase(&databases[i])
	}
	return err
}

func (p *pass) recallDatabase(db *pgvigil.DatabaseRead) {
	recall := func(key pgvigil.RelationKey, b *pgvigil.Bloat, pages int64, writes float64) {
		if b == nil || b.At.IsZero() {
			return
		}
		p.memory.measured[key] = measurement{bloat: b, tried: b.At, pages: pages, writes: writes}
		p.memory.spent = append(p.memory.spent, spending{at: b.At, bytes: pgvigil.Bytes(pages * p.blockSize)})
	}
	writes := map[pgvigil.OID]float64{}
	for _, t := range db.Tables {
		writes[t.Key.RelID] = written(t.Counters)
		recall(t.Key, t.Bloat, t.Pages, written(t.Counters))
	}
	for _, x := range db.Indexes {
		recall(x.Key, x.Bloat, x.Pages, writes[x.TableID])
	}
}

// written is how many rows were ever changed, since the counters began.
func written(c pgvigil.TableCounters) float64 { return c.Inserted + c.Updated + c.Deleted }

// recallMeasured puts remembered measurements in the place of estimates, and
// forgets those that no longer hold.
func (v *visit) recallMeasured(suspects []suspect) {
	here := make(map[pgvigil.OID]bool, len(suspects))
	for _, s := range suspects {
		here[s.key.RelID] = true
		m, ok := v.memory.measured[s.key]
		if !ok {
			continue
		}
		changed, holds := m.holds(s, v.Now())
		switch {
		case !holds:
			delete(v.memory.measured, s.key)
		case m.bloat != nil:
			b := *m.bloat
			b.Error = math.Min(1, b.Error+changed*changedError)
			*s.bloat = &b
		}
	}
	for key := range v.memory.measured {
		if key.DBID == v.db.OID && !here[key.RelID] {
			delete(v.memory.measured, key)
		}
	}
}

// holds says whether a measurement is still about the relation as it is, and
// what share of the rows changed since.
func (m measurement) holds(s suspect, now time.Time) (changed float64, ok bool) {
	age := now.Sub(m.tried)
	if m.bloat == nil {
		return 0, age < m.rests
	}
	changed = (s.writes - m.writes) / s.rows
	grown := float64(s.pages-m.pages) / math.Max(1, float64(m.pages))
	return changed, age < measureAge && changed >= 0 && changed <= maxChanged && grown <= maxGrown && grown >= -maxShrunk
}

package analyzer

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

// play is a server of 40 queries in two-second passes, whose queries and
// activity a scene bends from pass warm on.
type play struct {
	memory
	t      *testing.T
	rng    *rand.Rand
	at     time.Time
	warm   int
	n      int
	rates  []float64
	costs  []float64
	blocks []float64
}

const passes = 2 * time.Second

// work is what one call costs in a pass, and how often a second it is made.
type work struct{ rate, ms, blocks, rows, temp, wal, plan float64 }

// victim is the query that scenes bend; it names the table jobs_7, a partition
// of jobs.
const victim = pgvigil.Fingerprint(3)

func newPlay(t *testing.T) *play {
	p := &play{t: t, rng: rand.New(rand.NewPCG(3, 5)), at: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), warm: 35}
	p.target = "ci"
	p.queries = map[pgvigil.Fingerprint]pgvigil.Query{}
	for i := range 40 {
		f := pgvigil.Fingerprint(i + 1)
		p.rates = append(p.rates, math.Exp(p.rng.Float64()*3+1))
		p.costs = append(p.costs, math.Exp(p.rng.NormFloat64()))
		p.blocks = append(p.blocks, 5+20*p.rng.Float64())
		p.queries[f] = pgvigil.Query{Fingerprint: f, Verb: "select", Text: fmt.Sprintf("SELECT %d", i), Tables: []string{fmt.Sprintf("t%d", i)}}
	}
	p.rates[victim-1], p.costs[victim-1] = 40, 1
	p.queries[victim] = pgvigil.Query{
		Fingerprint: victim, Verb: "select", Text: "SELECT * FROM jobs WHERE token = $1", Tables: []string{"jobs"},
		Predicates: []pgvigil.Predicate{{Table: "jobs", Column: "token", Op: "="}},
	}
	p.catalog = []pgvigil.DatabaseRead{{OID: 5, Name: "ci", Visited: true, Tables: []pgvigil.Table{
		{Key: pgvigil.RelationKey{DBID: 5, RelID: 100}, Schema: "public", Name: "jobs", Kind: "p", PartitionKey: "LIST (partition_id)"},
		{Key: pgvigil.RelationKey{DBID: 5, RelID: 107}, Schema: "public", Name: "jobs_7", Kind: "r", Parent: 100},
	}}}
	return p
}

func (p *play) key(f pgvigil.Fingerprint) pgvigil.SeriesKey {
	return pgvigil.SeriesKey{Server: 1, DBID: 5, Fingerprint: f}
}

// next makes one pass; bend changes the work of each query.
func (p *play) next(bend func(f pgvigil.Fingerprint, w *work)) pgvigil.Recorded {
	start := p.at
	p.at = p.at.Add(passes)
	p.n++
	rec := pgvigil.Recorded{Server: 1, Pass: int64(p.n), Previous: start, At: p.at, Coverage: pgvigil.Coverage{Time: 0.97, Blocks: 0.99}}
	for i := range p.rates {
		f := pgvigil.Fingerprint(i + 1)
		w := work{rate: p.rates[i], ms: p.costs[i] * math.Exp(0.1*p.rng.NormFloat64()), blocks: p.blocks[i], rows: 3, wal: 100}
		bend(f, &w)
		if w.rate > 0 {
			rec.Points = append(rec.Points, p.point(f, w, start))
		}
	}
	p.passes = append(p.passes, rec)
	return rec
}

func (p *play) point(f pgvigil.Fingerprint, w work, start time.Time) pgvigil.SeriesPoint {
	n := math.Max(1, math.Round(w.rate*passes.Seconds()*math.Exp(0.1*p.rng.NormFloat64())))
	var c pgvigil.Counters
	for i := range c {
		c[i] = math.NaN()
	}
	ms := w.ms * math.Exp(p.rng.NormFloat64()/math.Sqrt(n))
	c[pgvigil.Calls], c[pgvigil.ExecMS], c[pgvigil.ExecSqMS] = n, n*ms, n*2*ms*ms
	c[pgvigil.Rows], c[pgvigil.SharedHit], c[pgvigil.SharedRead] = n*w.rows, math.Round(n*w.blocks), 0
	c[pgvigil.TempRead], c[pgvigil.TempWritten] = 0, n*w.temp
	c[pgvigil.WALBytes], c[pgvigil.PlanMS], c[pgvigil.Plans] = n*w.wal, n*w.plan, n
	return pgvigil.SeriesPoint{Series: p.key(f), Point: pgvigil.Point{Start: start, End: p.at, Counters: c}}
}

func usual(pgvigil.Fingerprint, *work) {}

// ofVictim bends the victim alone.
func ofVictim(bend func(*work)) func(pgvigil.Fingerprint, *work) {
	return func(f pgvigil.Fingerprint, w *work) {
		if f == victim {
			bend(w)
		}
	}
}

// observe hands a pass to the analyzer.
func (p *play) observe(a *Analyzer, rec pgvigil.Recorded) []pgvigil.Alert {
	p.t.Helper()
	out, err := a.Observe(p.t.Context(), rec)
	if err != nil {
		p.t.Fatalf("Observe(pass %d) failed: %v", rec.Pass, err)
	}
	return out
}

// session adds one active session to this pass' sample, or makes it.
func (p *play) session(x pgvigil.Session) {
	if n := len(p.sessions); n == 0 || !p.sessions[n-1].At.Equal(p.at) {
		p.sessions = append(p.sessions, pgvigil.SessionSample{At: p.at})
	}
	s := &p.sessions[len(p.sessions)-1]
	if x.PID == 0 {
		x.PID = 100 + len(s.Sessions)
	}
	x.DBID, x.BackendType = 5, "client backend"
	if x.State == "" {
		x.State = "active"
	}
	s.Sessions = append(s.Sessions, x)
}

// table adds one interval of jobs_7.
func (p *play) table(c pgvigil.TableCounters) {
	if len(p.relations) == 0 {
		p.relations = []pgvigil.RelationSeries{{Key: pgvigil.RelationKey{DBID: 5, RelID: 107}, Schema: "public", Name: "jobs_7"}}
	}
	r := &p.relations[0]
	r.Intervals = append(r.Intervals, pgvigil.RelationInterval{Key: r.Key, Start: p.at.Add(-passes), End: p.at, Table: c})
}

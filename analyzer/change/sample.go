package change

import (
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Sample is what one series did in one interval. Times are milliseconds.
// PlanMS, WAL and Dirtied may be NaN, which means unknown; all others must be
// numbers.
type Sample struct {
	Key        pgvigil.SeriesKey
	Start, End time.Time
	Calls      float64
	MS         float64 // execution time, all calls
	SD         float64 // standard deviation of the calls' time; NaN unknown
	PlanMS     float64
	Rows       float64
	Hit, Read  float64 // blocks
	Dirtied    float64
	Temp       float64 // temporary blocks
	WAL        float64 // bytes
	// Partial says that the interval lacks a part of the work, for example
	// after a reset.
	Partial bool
}

// huge is above what any counter of a real interval reaches.
const huge = 1e15

// Check names what is impossible about s: the first of its numbers that is not
// one, negative or above 1e15, time without calls, an interval of no length.
func (s Sample) Check() error {
	for _, f := range []struct {
		name    string
		v       float64
		unknown bool
	}{
		{"calls", s.Calls, false},
		{"ms", s.MS, false},
		{"sd", s.SD, true},
		{"rows", s.Rows, false},
		{"blocks hit", s.Hit, false},
		{"blocks read", s.Read, false},
		{"temporary blocks", s.Temp, false},
		{"plan ms", s.PlanMS, true},
		{"blocks dirtied", s.Dirtied, true},
		{"wal bytes", s.WAL, true},
	} {
		if err := checkNumber(f.name, f.v, f.unknown); err != nil {
			return err
		}
	}
	if !s.End.After(s.Start) {
		return fmt.Errorf("interval ends at %s, not after its start %s", s.End.Format(time.RFC3339), s.Start.Format(time.RFC3339))
	}
	if s.Calls == 0 && s.MS > 0 {
		return fmt.Errorf("ms is %g with no calls", s.MS)
	}
	return nil
}

func checkNumber(name string, v float64, unknown bool) error {
	switch {
	case math.IsNaN(v) && unknown:
		return nil
	case math.IsNaN(v) || math.IsInf(v, 0):
		return fmt.Errorf("%s is %g, not a number", name, v)
	case v < 0:
		return fmt.Errorf("%s is negative (%g)", name, v)
	case v > huge:
		return fmt.Errorf("%s is huge (%g)", name, v)
	}
	return nil
}

// OfPoint makes a sample of a point of the history. Counters that the server
// does not have are NaN there; those that a sample needs are taken as 0.
func OfPoint(p pgvigil.SeriesPoint) Sample {
	c := p.Counters
	return Sample{
		Key: p.Series, Start: p.Start, End: p.End,
		Calls: known(c[pgvigil.Calls]), MS: known(c[pgvigil.ExecMS]), SD: c.SD(),
		PlanMS: c[pgvigil.PlanMS], Rows: known(c[pgvigil.Rows]),
		Hit:     known(c[pgvigil.SharedHit]) + known(c[pgvigil.LocalHit]),
		Read:    known(c[pgvigil.SharedRead]) + known(c[pgvigil.LocalRead]),
		Dirtied: c[pgvigil.SharedDirtied], Temp: known(c[pgvigil.TempRead]) + known(c[pgvigil.TempWritten]),
		WAL:     c[pgvigil.WALBytes],
		Partial: p.Flags&(pgvigil.AfterReset|pgvigil.ClockJump) != 0,
	}
}

func known(v float64) float64 {
	if math.IsNaN(v) {
		return 0
	}
	return v
}

// Mark is a change seen on the server that may explain a shift.
type Mark struct {
	// Since and At bound when it happened; Since may be zero if At is exact.
	Since, At time.Time
	// Series are those whose tables it concerns; nil for a deploy, which
	// concerns all.
	Series map[pgvigil.SeriesKey]bool
}

package analyzer

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// A neighbour is to blame when more sessions of databases that are not watched
// than usual are busy in each of neighbourPasses passes, and over as many the median
// query, or all queries that do their usual work added up, took longer. Because
// the sessions are evidence of their own, less of a slowdown is asked for than
// of an incident that shows by its numbers alone.
const (
	neighbourPasses = 4
	neighbourShift  = 0.05 // ln of the slowdown
	neighbourSD     = 1.5  // the same in standard deviations of one pass
)

// outsiders are the busy sessions of databases that are not watched.
type outsiders struct {
	now   int // the least of the last neighbourPasses samples
	usual int // the median of those before
	since time.Time
}

func (o outsiders) words() string {
	return fmt.Sprintf("%d sessions of a database that is not watched have been busy for %d passes, usually %d", o.now, neighbourPasses, o.usual)
}

// outsideKept is how many samples tell what is usual of the outsiders, and
// outsideSpared how many of the newest do not.
const (
	outsideKept   = 120
	outsideSpared = 8
)

// countOutside notes how many sessions outside the watched databases are busy.
func (b *book) countOutside(sample pgvigil.SessionSample) {
	act := &b.s.activity
	busy := 0
	for _, x := range sample.Sessions {
		w := waitOf(x)
		computes := w == "" || x.WaitType == "IO" || x.WaitType == "LWLock"
		if !x.OwnedByUs && isClient(x) && x.State == "active" && computes && x.DBID != 0 && !b.s.visited[x.DBID] {
			busy++
		}
	}
	act.outside = append(act.outside, outsideSample{sample.At, busy})
	act.outside = act.outside[max(0, len(act.outside)-outsideKept):]
}

// outsideSample is how many outsiders were busy at a time.
type outsideSample struct {
	at   time.Time
	busy int
}

// outsiders returns those that were busy in each of the last samples, none if
// that is usual.
func (b *book) outsiders() outsiders {
	all := b.s.activity.outside
	if len(all) < neighbourPasses || len(b.s.visited) == 0 {
		return outsiders{}
	}
	last := all[len(all)-neighbourPasses:]
	o := outsiders{now: last[0].busy, since: last[0].at}
	for _, x := range last {
		o.now = min(o.now, x.busy)
	}
	for i := len(all) - 1; i >= 0 && all[i].busy >= o.now; i-- {
		o.since = all[i].at
	}
	var before []int
	for _, x := range all[:max(0, len(all)-outsideSpared)] {
		before = append(before, x.busy)
	}
	if n := len(before); n > 0 {
		slices.Sort(before)
		o.usual = before[n/2]
	}
	if o.now <= o.usual {
		return outsiders{}
	}
	return o
}

// neighbours finds sessions outside the watched databases that are busy while
// the watched queries get slower.
func (b *book) neighbours() []symptom {
	o := b.outsiders()
	if o.now == 0 {
		return nil
	}
	live := b.s.alerts[alertKey{kind: pgvigil.KindIncident, series: pgvigil.SeriesKey{Server: b.s.id}, detail: pgvigil.DetailNeighbour}] != nil
	what, slower, limit := b.slowdown()
	if slower < limit && !live {
		return nil
	}
	return []symptom{{
		name: pgvigil.DetailNeighbour, cause: pgvigil.CauseDatabase, detail: pgvigil.DetailNeighbour,
		since: o.since, factor: math.Exp(slower), beyond: []float64{slower / limit, float64(o.now) / float64(max(1, o.usual))},
		rule: fmt.Sprintf("%s, and %s took %.2f times as long per call meanwhile (limit %.2f)", o.words(), what, math.Exp(slower), math.Exp(limit)),
	}}
}

// slowdown returns which of the two measures of the server's slowness is
// further above its limit, with both.
func (b *book) slowdown() (what string, slower, limit float64) {
	median, sd := b.s.detector.Slowdown(neighbourPasses)
	all, sdAll := b.s.detector.Burden(neighbourPasses)
	limitMedian, limitAll := max(neighbourShift, neighbourSD*sd), max(2*neighbourShift, neighbourSD*sdAll)
	if all/limitAll > median/limitMedian {
		return "all queries that do their usual work, added up,", all, limitAll
	}
	return "the median query", median, limitMedian
}

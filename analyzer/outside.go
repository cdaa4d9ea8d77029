package analyzer

import (
	"fmt"
	"math"

	"github.com/pgvigil/pgvigil"
)

// A neighbour is to blame when sessions of a database that is not watched keep
// the processors busy for neighbourPasses passes, and over as many the median
// query, or all queries that do their usual work added up, took longer. Because
// the sessions are evidence of their own, less of a slowdown is asked for than
// of an incident that shows by its numbers alone.
const (
	neighbourPasses = 4
	neighbourShift  = 0.05 // ln of the slowdown
	neighbourSD     = 1.5  // the same in standard deviations of one pass
)

// neighbours finds sessions outside the watched databases that burn processor
// time while the watched queries get slower.
func (b *book) neighbours(sample pgvigil.SessionSample) []symptom {
	period := b.s.detector.Period()
	busy, oldest := 0, sample.At
	for _, x := range sample.Sessions {
		if x.OwnedByUs || !isClient(x) || x.State != "active" || waitOf(x) != "" || b.s.visited[x.DBID] || x.QueryStart.IsZero() {
			continue
		}
		if sample.At.Sub(x.QueryStart) < neighbourPasses*period {
			continue
		}
		busy++
		if x.QueryStart.Before(oldest) {
			oldest = x.QueryStart
		}
	}
	if busy == 0 || len(b.s.visited) == 0 {
		return nil
	}
	live := b.s.alerts[alertKey{kind: pgvigil.KindIncident, series: pgvigil.SeriesKey{Server: b.s.id}, detail: pgvigil.DetailNeighbour}] != nil
	what, slower, limit := b.slowdown()
	if slower < limit && !live {
		return nil
	}
	return []symptom{{
		name: pgvigil.DetailNeighbour, cause: pgvigil.CauseDatabase, detail: pgvigil.DetailNeighbour,
		since: oldest, factor: math.Exp(slower),
		rule: fmt.Sprintf("%d sessions of a database that is not watched have been computing for %d passes, and %s took %.2f times as long per call meanwhile (limit %.2f)",
			busy, neighbourPasses, what, math.Exp(slower), math.Exp(limit)),
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

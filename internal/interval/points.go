package interval

import (
	"cmp"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// Points adds intervals of one pass up by series, ordered by database and
// fingerprint. Sums are made in the order of the intervals, so that the same
// order gives the same bits. label names the fingerprint of a statement.
func Points(intervals []pgvigil.Interval, label func(pgvigil.StatementKey) pgvigil.Fingerprint) []pgvigil.SeriesPoint {
	at := make(map[pgvigil.SeriesKey]int, len(intervals))
	points := make([]pgvigil.SeriesPoint, 0, len(intervals))
	for i := range intervals {
		iv := &intervals[i]
		key := pgvigil.SeriesKey{Server: iv.Server, DBID: iv.Key.DBID, Fingerprint: label(iv.Key)}
		p := pgvigil.Point{Start: iv.Start, End: iv.End, Counters: iv.Counters, Flags: iv.Flags}
		if n, ok := at[key]; ok {
			points[n].Point = Merge(points[n].Point, p)
			continue
		}
		at[key] = len(points)
		points = append(points, pgvigil.SeriesPoint{Series: key, Point: p})
	}
	slices.SortFunc(points, func(a, b pgvigil.SeriesPoint) int {
		return cmp.Or(cmp.Compare(a.Series.DBID, b.Series.DBID), cmp.Compare(a.Series.Fingerprint, b.Series.Fingerprint))
	})
	return points
}

// Merge adds what another statement of the same series did in the same pass.
func Merge(p, q pgvigil.Point) pgvigil.Point {
	if q.Start.Before(p.Start) {
		p.Start = q.Start
	}
	if q.End.After(p.End) {
		p.End = q.End
	}
	p.Counters = p.Counters.Add(q.Counters)
	p.Flags |= q.Flags
	return p
}

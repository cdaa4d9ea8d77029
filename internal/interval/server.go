package interval

import (
	"maps"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// Server is the last complete read of a server's own counters.
type Server struct {
	Moment   // zero if there was none
	Counters pgvigil.ServerCounters
	Resets   pgvigil.ServerResets
}

// serverPoint compares the server's counters view by view: each has a life of
// its own.
func (d *differ) serverPoint() {
	s, was := d.snap, d.prev.Whole
	p := pgvigil.ServerPoint{Start: s.At, End: s.At, State: s.State}
	d.next.Whole = Server{Moment{s.At, s.Clock}, s.Counters, s.Resets}
	switch {
	case s.Counters == nil && d.lineage == other:
		d.next.Whole = Server{}
	case s.Counters == nil:
		d.next.Whole = was
	case was.At.IsZero() || d.lineage == first || d.lineage == other:
	default:
		sp := d.spanFrom(was.Moment)
		p.Start, p.Flags, p.Counters = sp.start, sp.flags, pgvigil.ServerCounters{}
		for _, view := range slices.Sorted(maps.Keys(s.Resets)) {
			d.view(view, was, &p)
		}
	}
	d.step.Server = p
}

// view adds the differences of one view's counters to p. A view that began
// anew counts from zero; one that was put back to another time is left out.
func (d *differ) view(name string, was Server, p *pgvigil.ServerPoint) {
	before, after := was.Resets[name], d.snap.Resets[name]
	moved := !after.Equal(before)
	if d.lineage == restarted && moved && !after.IsZero() && !after.After(was.At) {
		return
	}
	metrics := d.metricsOf(name, was)
	anew := moved || slices.ContainsFunc(metrics, func(m pgvigil.ServerMetric) bool { return d.snap.Counters[m] < was.Counters[m] })
	for _, m := range metrics {
		p.Counters[m] = d.snap.Counters[m]
		if !anew {
			p.Counters[m] -= was.Counters[m]
		}
	}
	if !anew {
		return
	}
	p.Flags |= pgvigil.AfterReset
	proof := name + map[bool]string{true: ": stats_reset moved", false: ": counters shrank"}[moved]
	in := pgvigil.Incarnation{Kind: pgvigil.OfServer, Since: after, Proof: proof}
	e := pgvigil.Event{Kind: pgvigil.EventReset, Object: name, Source: "counters"}
	if after.After(was.At) {
		e.At = after
	} else {
		in.Since = d.snap.At
	}
	d.step.Incarnations = append(d.step.Incarnations, in)
	d.event(e)
}

// metricsOf returns the metrics of a view that both reads know.
func (d *differ) metricsOf(view string, was Server) []pgvigil.ServerMetric {
	var list []pgvigil.ServerMetric
	major := d.snap.Server.Version.Major()
	for _, info := range pgvigil.ServerMetrics {
		expr, ok := info.On(major)
		_, old := was.Counters[info.Metric]
		_, now := d.snap.Counters[info.Metric]
		if ok && expr.View == view && old && now {
			list = append(list, info.Metric)
		}
	}
	return list
}

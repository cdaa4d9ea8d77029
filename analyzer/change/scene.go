package change

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/pgvigil/pgvigil"
)

// scene is an incident of the whole server.
type scene struct {
	onset  time.Time
	calm   int
	peak   float64
	loaded bool // see measure
	limit  float64
	level  float32 // of the burden, when it opened
}

// judgeServer opens an incident when the server has been slower for some passes
// and no query's own work explains it, and ends it when that is over.
func (d *Detector) judgeServer() []Verdict {
	c := &d.common
	if len(c.recent) < d.th.IncidentFor {
		return nil
	}
	if c.scene != nil {
		return d.endScene()
	}
	now, ok := d.measureServer()
	if !ok || d.culprit() != nil {
		return nil
	}
	back := time.Duration(float64(now.passes) * d.clock.period() * float64(time.Second))
	level, _ := d.burden.usual(&d.fitter)
	c.scene = &scene{onset: d.now.Add(-back), peak: now.shift, loaded: now.loaded, limit: now.limit, level: level}
	v := d.sceneVerdict(Convicted, now)
	v.Rule = now.rule()
	return []Verdict{v}
}

// measure is how much slower the server was over the last passes.
type measure struct {
	shift  float64 // ln of the slowdown
	limit  float64
	passes int
	company
	// loaded says that it shows in the longest queries and not in the median one:
	// who takes the processors delays what runs for longer than a slice of time.
	loaded bool
}

// measureServer says whether the server is slower: by its median query or by
// all queries added up, in each of the last passes, or by the company that a
// query would have had if it had been convicted.
func (d *Detector) measureServer() (measure, bool) {
	c, n := &d.common, d.th.IncidentFor
	m := measure{shift: slices.Min(c.recent[len(c.recent)-n:]), limit: max(d.th.Incident, 4*c.sd), passes: n}
	if m.shift >= m.limit {
		m.shift += d.th.CommonSlack
		m.company = d.companySince(d.tick-n+1, nil, 0)
		return m, true
	}
	if crowd := d.crowd; crowd != nil {
		return *crowd, true
	}
	level, sd := d.burden.usual(&d.fitter)
	if sd == 0 || d.burden.tick != d.tick {
		return m, false
	}
	past := d.burden.past[len(d.burden.past)-n:]
	m = measure{shift: float64(slices.Min(past) - level), limit: max(d.th.IncidentLoad, 4*sd), passes: n, loaded: true}
	if m.shift < m.limit {
		return m, false
	}
	m.company = d.companySince(d.tick-n+1, nil, d.burden.length())
	return m, m.suffers()
}

// shared says that what looks like the shift of one query by its time alone is
// the server's: most of the others that take as long are slower since then.
func (d *Detector) shared(s *series, n Numbers) bool {
	win := s.from(s.len()-n.Observed, n.Observed)
	c := d.companySince(int(win[0].tick), s, math.Exp(float64(s.last().x-s.last().raw)))
	if !c.suffers() {
		return false
	}
	d.crowd = &measure{shift: c.shift, limit: companySlower, passes: d.tick - int(win[0].tick) + 1, company: c, loaded: true}
	return true
}

// rule is the sentence that convicts.
func (m measure) rule() string {
	most := fmt.Sprintf("%d of the %d longest queries are slower", m.slower, m.of)
	switch {
	case !m.loaded:
		return fmt.Sprintf("the median of the server's queries took %.2f times as long per call in each of the last %d passes (limit %.2f), and none of them did more work",
			math.Exp(m.shift), m.passes, math.Exp(m.limit))
	case m.limit == companySlower:
		return fmt.Sprintf("%s over the last %d passes, by %.2f times at the median (limits %.0f %% of them and %.2f times), and they did their usual work",
			most, m.passes, math.Exp(m.shift), 100*companyShare, math.Exp(m.limit))
	}
	return fmt.Sprintf("the server's queries that did their usual work took %.2f times as long, added up, in each of the last %d passes (limit %.2f); %s",
		math.Exp(m.shift), m.passes, math.Exp(m.limit), most)
}

// endScene ends the incident when the server has been back for twice as many
// passes as it took to open it.
func (d *Detector) endScene() []Verdict {
	sc := d.common.scene
	// By what was usual when it opened: an incident must not become its own measure.
	now, limit := d.common.recent[len(d.common.recent)-1], sc.limit
	if sc.loaded {
		now = float64(d.burden.past[len(d.burden.past)-1] - sc.level)
	}
	sc.peak = max(sc.peak, now)
	if now > limit/2 {
		sc.calm = 0
		return nil
	}
	if sc.calm++; sc.calm < 2*d.th.IncidentFor {
		return nil
	}
	v := d.sceneVerdict(Resolved, measure{shift: sc.peak, limit: limit, loaded: sc.loaded})
	v.Rule = fmt.Sprintf("the server's queries were within %.2f times their usual time for %d passes", math.Exp(limit/2), sc.calm)
	d.common.scene = nil
	return []Verdict{v}
}

func (d *Detector) sceneVerdict(step Step, m measure) Verdict {
	v := Verdict{
		Kind: pgvigil.KindIncident, Step: step, Onset: d.common.scene.onset, At: d.now,
		Factor: math.Exp(m.shift), Cause: pgvigil.CauseDatabase, LoadShare: 1,
		Numbers: Numbers{Shift: m.shift, Scale: m.limit / 4, Slower: m.slower, Asked: m.of, Observed: m.passes},
	}
	type cost struct {
		s  *series
		ms float64
	}
	var list []cost
	for _, s := range d.touched {
		o := s.last()
		v.Series.Server = s.key.Server
		if extra := float64(o.calls) * (math.Exp(float64(o.x)) - math.Exp(float64(o.x-o.raw))); s.fitted && extra > 0 {
			list = append(list, cost{s, extra})
			v.ExtraMSPerHour += extra * 3600 / d.clock.period()
		}
	}
	slices.SortStableFunc(list, func(a, b cost) int { return cmp.Compare(b.ms, a.ms) })
	for _, x := range list[:min(10, len(list))] {
		v.Queries = append(v.Queries, x.s.key)
	}
	return v
}

// culprit returns a series whose own work rose so much that the others'
// slowness may be its doing; nil if there is none.
func (d *Detector) culprit() *series {
	total := d.totals.since(d.tick - 2)
	for _, s := range d.touched {
		if !s.fitted {
			continue
		}
		last := s.from(max(s.fresh, s.len()-3), 3)
		var ms, e, eb float64
		for _, o := range last {
			ms += float64(o.calls) * math.Exp(float64(o.x))
			e += float64(o.e) / float64(len(last))
			eb += float64(o.eb) / float64(len(last))
		}
		if ms > 0.1*total && e > 0.4 && eb > 0.4 && eb > 3*s.sb {
			return s
		}
	}
	return nil
}

// Suffers says whether an incident of the whole server is going on.
func (d *Detector) Suffers() bool { return d.common.scene != nil }

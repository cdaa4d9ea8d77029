package change

import "math"

// spills weighs temporary blocks that appeared and stay. They are work of their
// own, which fast disks and a large page cache hide from the time of a call for
// a while: how much longer it takes need not be sure, only that it is not
// shorter. Each further interval with them makes chance less likely.
func (d *Detector) spills(s *series) (finding, bool) {
	win := s.from(s.fresh, reach)
	run := min(s.tempRun, len(win))
	if run < 2 {
		return finding{}, false
	}
	since := win[len(win)-run:]
	var sw, swe float64
	for i := range since {
		w := 1 / (float64(since[i].vs) + s.tau2)
		sw += w
		swe += w * float64(since[i].e)
	}
	z := s.scale(run)
	shift := min(swe/sw-z.centre, d.medianOf(since, func(o *obs) float32 { return o.e }))
	if shift < d.th.SpillShift {
		return finding{}, false
	}
	n := d.evidence(s, since, z, math.Max(shift, 0), sw)
	lasting := min(d.th.SpillLasts*float64(run-2), d.th.TempEvidence)
	n.Noise, n.Stall = n.Noise+lasting, n.Stall+lasting
	n.Lasting = run
	return finding{onset: s.len() - run, n: d.score(n)}, true
}

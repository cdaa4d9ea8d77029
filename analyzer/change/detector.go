package change

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Detector judges all series of one server together. It is not safe for
// concurrent use.
type Detector struct {
	th    Thresholds
	fleet *Fleet

	series map[pgvigil.SeriesKey]*series
	order  []*series // in order of first sight
	open   []*series // with an episode
	news   []arrival
	now    time.Time
	tick   int // passes since the first, missed ones counted
	clock  clock
	marks  []mark
	common common
	burden burden
	crowd  *measure // of this pass: what was taken for the server's trouble
	totals totals

	fitter  fitter
	base    []*obs
	touched []*series
	buf     []float64
}

// mark is a Mark in passes.
type mark struct {
	from, to int
	series   map[pgvigil.SeriesKey]bool
}

// Pass is what one pass over a server brought.
type Pass struct {
	At      time.Time // end of its intervals
	Samples []Sample
	Marks   []Mark
}

// New returns a detector that has seen nothing. Detectors of one fleet learn
// the length of stalls together.
func New(f *Fleet) *Detector {
	return &Detector{th: Defaults(), fleet: f, series: map[pgvigil.SeriesKey]*series{}}
}

// Observe judges one pass. Passes come in order of time: one that is not newer
// than the last, and samples that overlap what their series has seen, change
// nothing. A sample with impossible numbers is left out; the error names it and
// the other verdicts hold.
func (d *Detector) Observe(p Pass) ([]Verdict, error) {
	if !d.advance(p.At) {
		return nil, nil
	}
	for _, m := range p.Marks {
		d.mark(m)
	}
	err := d.take(p.Samples)
	d.crowd = nil
	d.shareCommon()
	d.weighBurden()
	var out []Verdict
	for _, s := range d.touched {
		if s.gone {
			s.gone = false
			out = append(out, d.silence(s, Resolved))
		}
		d.follow(s)
		out = append(out, d.judge(s)...)
	}
	out = append(out, d.sweep()...)
	out = append(out, d.judgeSilence()...)
	out = append(out, d.settle()...)
	out = append(out, d.judgeServer()...)
	for _, s := range d.touched {
		d.refit(s)
	}
	return out, err
}

// advance moves the clock to at; it reports false if at is not newer.
func (d *Detector) advance(at time.Time) bool {
	if d.now.IsZero() {
		d.now = at
		return true
	}
	gap := at.Sub(d.now)
	if gap <= 0 {
		return false
	}
	d.tick += d.clock.ticks(gap)
	d.now = at
	return true
}

// clock tells how many passes a span is.
type clock struct {
	gaps []float64 // seconds
	next int
}

// clockMemory is how many spans the typical one is taken from.
const clockMemory = 31

func (c *clock) ticks(gap time.Duration) int {
	if len(c.gaps) < clockMemory {
		c.gaps = append(c.gaps, gap.Seconds())
	} else {
		c.gaps[c.next] = gap.Seconds()
		c.next = (c.next + 1) % clockMemory
	}
	return max(1, int(math.Round(gap.Seconds()/c.period())))
}

// period is the typical seconds between two passes.
func (c *clock) period() float64 {
	if len(c.gaps) == 0 {
		return 1
	}
	var v [clockMemory]float64
	return median(append(v[:0], c.gaps...))
}

// mark remembers m until no onset can be near it.
func (d *Detector) mark(m Mark) {
	const memory = 500
	ago := func(t time.Time) int {
		return d.tick - int(math.Ceil(d.now.Sub(t).Seconds()/d.clock.period()))
	}
	k := mark{from: ago(m.At), to: ago(m.At), series: m.Series}
	if !m.Since.IsZero() && m.Since.Before(m.At) {
		k.from = ago(m.Since)
	}
	d.marks = append(d.marks, k)
	for len(d.marks) > 0 && (d.marks[0].to < d.tick-memory || len(d.marks) > memory) {
		d.marks = d.marks[1:]
	}
}

// near says whether a deploy, or a mark on s, lies two passes before to one
// after the pass of an onset.
func (d *Detector) near(s *series, onset int) (deployed, marked bool) {
	for _, m := range d.marks {
		if m.to < onset-2 || m.from > onset+1 {
			continue
		}
		deployed = deployed || m.series == nil
		marked = marked || m.series[s.key]
	}
	return deployed, marked
}

// take adds the samples to their series.
func (d *Detector) take(samples []Sample) error {
	var errs []error
	d.touched = d.touched[:0]
	d.totals.begin(d.tick)
	for i, p := range samples {
		if err := p.Check(); err != nil {
			errs = append(errs, fmt.Errorf("judge sample %d of series %s: %w", i+1, p.Key.Fingerprint, err))
			continue
		}
		s := d.series[p.Key]
		if s != nil && p.Start.Before(s.lastEnd) || p.Calls == 0 {
			continue
		}
		if s == nil {
			s = &series{key: p.Key, firstTick: d.tick}
			d.series[p.Key] = s
			d.order = append(d.order, s)
		}
		s.add(p, d.tick, d.th.Keep)
		d.totals.add(p.MS)
		if s.fitted {
			s.residuals(s.last())
		}
		d.touched = append(d.touched, s)
	}
	return errors.Join(errs...)
}

// refit renews the baseline of s when it is due.
func (d *Detector) refit(s *series) {
	n := len(s.obs)
	if !s.fitted && n < d.th.Young {
		return
	}
	due := min(max(n/10, d.th.RefitMin), d.th.RefitMax)
	if (s.ewma > 0.5 || s.tempRun >= 2) && s.episode == nil {
		due += 2 * int(d.th.StallLength) // what is in doubt is not taken in yet
	}
	if !s.fitted || d.tick-s.fitTick >= due {
		d.fit(s)
	}
}

// totals remembers what the whole server spent, by pass.
type totals struct {
	ticks []int
	ms    []float64 // cumulative
}

const totalsMemory = 1024

func (t *totals) begin(tick int) {
	if len(t.ticks) >= 2*totalsMemory {
		n := copy(t.ticks, t.ticks[totalsMemory:])
		copy(t.ms, t.ms[totalsMemory:])
		t.ticks, t.ms = t.ticks[:n], t.ms[:n]
	}
	var sum float64
	if n := len(t.ms); n > 0 {
		sum = t.ms[n-1]
	}
	t.ticks, t.ms = append(t.ticks, tick), append(t.ms, sum)
}

func (t *totals) add(ms float64) { t.ms[len(t.ms)-1] += ms }

// since returns what the server spent from tick on.
func (t *totals) since(tick int) float64 {
	n := len(t.ms)
	if n == 0 {
		return 0
	}
	for i := n - 1; i >= 0; i-- {
		if t.ticks[i] < tick {
			return t.ms[n-1] - t.ms[i]
		}
	}
	return t.ms[n-1]
}

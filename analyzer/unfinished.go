package analyzer

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
)

// A statement never ends when one session has run it for neverPasses passes,
// and for neverTimes its usual time where that is known. It does not wait for a
// lock meanwhile.
const (
	neverPasses = 8
	neverTimes  = 20
)

// longRunners are commands that take long by nature.
var longRunners = []string{"vacuum", "analyze", "create ", "reindex", "cluster", "refresh", "copy", "alter ", "backup", "checkpoint", "listen", "fetch", "start_replication"}

func (b *book) neverEnds(sample pgvigil.SessionSample) []symptom {
	var out []symptom
	period := b.s.detector.Period()
	for _, x := range sample.Sessions {
		if x.OwnedByUs || !isClient(x) || x.State != "active" || x.WaitType == "Lock" || x.QueryStart.IsZero() {
			continue
		}
		age := sample.At.Sub(x.QueryStart)
		if age < neverPasses*period || isLongRunner(x.Query) {
			continue
		}
		key := pgvigil.SeriesKey{Server: b.s.id, DBID: x.DBID, Fingerprint: x.Fingerprint}
		rule := fmt.Sprintf("process %d has run one statement for %s (limit %d passes, %s)", x.PID, age.Round(time.Second), neverPasses, (neverPasses * period).Round(time.Second))
		factor := 1.0
		if base, ok := b.s.detector.Baseline(key); ok && base.MS.Level > 0 {
			usual := time.Duration(base.MS.High * float64(time.Millisecond))
			if age < neverTimes*usual {
				continue
			}
			factor = age.Seconds() * 1000 / base.MS.Level
			rule += fmt.Sprintf(", %.0f times its usual time of %.1f ms", factor, base.MS.Level)
		}
		y := symptom{
			name: pgvigil.DetailNeverEnds, cause: pgvigil.CausePlan, detail: pgvigil.DetailNeverEnds,
			since: x.QueryStart, rule: rule, series: key, factor: factor,
		}
		y.hurt = appendNew(nil, x.Fingerprint)
		out = append(out, y)
	}
	if len(out) > 1 {
		return out[:1]
	}
	return out
}

func isLongRunner(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, p := range longRunners {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// Statements time out when, for as many passes, sessions run one whose calls
// are not counted any more, while transactions roll back that did not before.
const (
	timeoutPasses = 2
	rollbackRise  = 3
	rollbackKept  = 120
)

// timeouts finds statements that fail. pg_stat_statements does not count failed
// calls, so that they look faster there, or gone.
func (b *book) timeouts(ctx context.Context, sample pgvigil.SessionSample, from time.Time) ([]symptom, error) {
	points, err := b.history.DatabasePoints(ctx, b.s.id, pgvigil.Window{From: from, To: b.rec.At.Add(time.Second)})
	if err != nil {
		return nil, fmt.Errorf("read database counters: %w", err)
	}
	rising := b.rollbacks(points)
	b.countInFlight(sample)
	if len(rising) == 0 {
		return nil, nil
	}
	for _, x := range sample.Sessions {
		y, ok := b.timesOut(x, sample.At, rising)
		if ok {
			return []symptom{y}, nil
		}
	}
	return nil, nil
}

// rollbacks notes the newest rate of rollbacks of each database and returns the
// rates of those where it is well above what it was.
func (b *book) rollbacks(points []pgvigil.DatabasePoint) map[pgvigil.OID]float64 {
	act := &b.s.activity
	if act.rollbacks == nil {
		act.rollbacks = map[pgvigil.OID][]float64{}
	}
	rising := map[pgvigil.OID]float64{}
	for _, p := range points {
		sec := p.End.Sub(p.Start).Seconds()
		if sec <= 0 || !p.End.After(b.rec.Previous) {
			continue
		}
		rate := num(p.Stats.Rollbacks) / sec
		past := act.rollbacks[p.DBID]
		top := 0.0
		for _, r := range past[:max(0, len(past)-5)] {
			top = max(top, r)
		}
		if len(past) >= 10 && rate > rollbackRise*top && rate*sec >= 1 {
			rising[p.DBID] = rate
		}
		past = append(past, rate)
		act.rollbacks[p.DBID] = past[max(0, len(past)-rollbackKept):]
	}
	return rising
}

// countInFlight notes for how many passes each fingerprint was seen running.
func (b *book) countInFlight(sample pgvigil.SessionSample) {
	now := map[pgvigil.Fingerprint]int{}
	for _, x := range sample.Sessions {
		if x.State == "active" && !x.OwnedByUs && x.Fingerprint != 0 {
			now[x.Fingerprint] = b.s.activity.inFlight[x.Fingerprint] + 1
		}
	}
	b.s.activity.inFlight = now
}

func (b *book) timesOut(x pgvigil.Session, at time.Time, rising map[pgvigil.OID]float64) (symptom, bool) {
	key := pgvigil.SeriesKey{Server: b.s.id, DBID: x.DBID, Fingerprint: x.Fingerprint}
	rate, ok := rising[x.DBID]
	if !ok || x.State != "active" || x.OwnedByUs || x.Fingerprint == 0 {
		return symptom{}, false
	}
	base, known := b.s.detector.Baseline(key)
	quiet, _ := b.s.detector.Quiet(key)
	running := at.Sub(x.QueryStart)
	usual := time.Duration(base.MS.High * float64(time.Millisecond))
	if !known || quiet < timeoutPasses || running < 3*usual || base.CallsPerHour*b.s.detector.Period().Hours()*float64(quiet) < 2 {
		return symptom{}, false
	}
	return symptom{
		name: pgvigil.DetailTimeout, cause: pgvigil.CausePlan, detail: pgvigil.DetailTimeout,
		since: at.Add(-time.Duration(quiet) * b.s.detector.Period()), series: key,
		hurt: []pgvigil.Fingerprint{x.Fingerprint}, factor: max(1, running.Seconds()*1000/max(1e-3, base.MS.Level)),
		rule: fmt.Sprintf("no call ended in %d passes (usually %.0f an hour), one has run for %s (usually %.1f ms), and %.1f transactions a second roll back",
			quiet, base.CallsPerHour, running.Round(time.Millisecond), base.MS.Level, rate),
	}, true
}

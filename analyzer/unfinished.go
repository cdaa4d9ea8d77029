package analyzer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
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
var longRunners = []string{"vacuum", "analyze", "create ", "reindex", "cluster", "refresh", "copy", "alter ", "backup", "checkpoint", "listen", "fetch", "start_replication", "do", "call", "wait"}

func (b *book) neverEnds(sample pgvigil.SessionSample) []symptom {
	period := b.s.detector.Period()
	for _, x := range sample.Sessions {
		age := sample.At.Sub(x.QueryStart)
		if !b.mayRunAway(x) || age < neverPasses*period {
			continue
		}
		key := pgvigil.SeriesKey{Server: b.s.id, DBID: x.DBID, Fingerprint: x.Fingerprint}
		rule := fmt.Sprintf("process %d has run one statement for %s (limit %d passes, %s)", x.PID, age.Round(time.Second), neverPasses, (neverPasses * period).Round(time.Second))
		factor := 1.0
		if base, ok := b.s.detector.Baseline(key); ok && base.MS.Level > 0 {
			if age < neverTimes*milliseconds(base.MS.High) {
				continue
			}
			factor = age.Seconds() * 1000 / base.MS.Level
			rule += fmt.Sprintf(", %.0f times its usual time of %.1f ms", factor, base.MS.Level)
		}
		return []symptom{{
			name: pgvigil.DetailNeverEnds, cause: pgvigil.CausePlan, detail: pgvigil.DetailNeverEnds,
			since: x.QueryStart, rule: rule, series: key, factor: factor, hurt: appendNew(nil, x.Fingerprint),
			beyond: []float64{float64(age) / float64(neverPasses*period), factor / neverTimes}, related: []string{"it runs in " + who(x)},
		}}
	}
	return nil
}

// mayRunAway says whether x runs a statement of a watched database that is not
// long by nature and does not wait for a lock.
func (b *book) mayRunAway(x pgvigil.Session) bool {
	if x.OwnedByUs || !isClient(x) || x.State != "active" || x.WaitType == "Lock" || x.QueryStart.IsZero() {
		return false
	}
	return (b.s.visited[x.DBID] || len(b.s.visited) == 0) && x.Query != "" && !isLongRunner(x.Query)
}

// runaway says whether one statement has been running for a pass and longer than
// it usually does, so that it may be what the whole server suffers from.
func (b *book) runaway() bool {
	sample := b.s.activity.sample
	for _, x := range sample.Sessions {
		key := pgvigil.SeriesKey{Server: b.s.id, DBID: x.DBID, Fingerprint: x.Fingerprint}
		base, _ := b.s.detector.Baseline(key)
		age := sample.At.Sub(x.QueryStart)
		if b.mayRunAway(x) && age >= b.s.detector.Period() && age > neverTimes*milliseconds(base.MS.High) {
			return true
		}
	}
	return false
}

func milliseconds(ms float64) time.Duration { return time.Duration(ms * float64(time.Millisecond)) }

func isLongRunner(text string) bool {
	text = strings.ToLower(strings.TrimSpace(text))
	for _, p := range longRunners {
		if strings.HasPrefix(text, p) {
			return true
		}
	}
	return false
}

// Statements time out when calls of one are not counted any more though
// sessions run it, and transactions roll back that did not before. Rates of
// rollbacks are compared over rollbackOver passes.
const (
	timeoutPasses = 2 // without a counted call, at least
	timeoutCalls  = 4 // that should have been counted meanwhile
	timeoutSeen   = 6 // passes in which a session must have been seen
	rollbackRise  = 3
	rollbackOver  = 5
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
	b.noteRunning(sample)
	var found []symptom
	for key := range b.s.activity.running {
		if y, ok := b.timesOut(key, rising[key.DBID]); ok {
			found = append(found, y)
		}
	}
	slices.SortFunc(found, func(a, b symptom) int {
		return cmp.Or(cmp.Compare(b.weight, a.weight), cmp.Compare(a.series.Fingerprint, b.series.Fingerprint))
	})
	return found[:min(1, len(found))], nil
}

// rollbacks notes how many transactions of each database rolled back, and
// returns how many did over the last passes where that is well above what it was.
func (b *book) rollbacks(points []pgvigil.DatabasePoint) map[pgvigil.OID]float64 {
	act := &b.s.activity
	if act.rollbacks == nil {
		act.rollbacks = map[pgvigil.OID][]float64{}
	}
	rising := map[pgvigil.OID]float64{}
	for _, p := range points {
		if !p.End.After(b.rec.Previous) {
			continue
		}
		all := append(act.rollbacks[p.DBID], num(p.Stats.Rollbacks))
		all = all[max(0, len(all)-rollbackKept):]
		act.rollbacks[p.DBID] = all
		if len(all) < 3*rollbackOver {
			continue
		}
		now, top := sum(all[len(all)-rollbackOver:]), 0.0
		for i := rollbackOver; i+2*rollbackOver <= len(all); i++ {
			top = max(top, sum(all[i-rollbackOver:i]))
		}
		if now >= 2 && now > rollbackRise*top {
			rising[p.DBID] = now
		}
	}
	return rising
}

func sum(v []float64) float64 {
	var s float64
	for _, x := range v {
		s += x
	}
	return s
}

// noteRunning notes which statements sessions run now.
func (b *book) noteRunning(sample pgvigil.SessionSample) {
	act := &b.s.activity
	if act.running == nil {
		act.running = map[pgvigil.SeriesKey]time.Time{}
	}
	for _, x := range sample.Sessions {
		if x.State == "active" && !x.OwnedByUs && x.Fingerprint != 0 {
			act.running[pgvigil.SeriesKey{Server: b.s.id, DBID: x.DBID, Fingerprint: x.Fingerprint}] = b.rec.At
		}
	}
	for k, at := range act.running {
		if b.age(at) > timeoutSeen {
			delete(act.running, k)
		}
	}
}

func (b *book) timesOut(key pgvigil.SeriesKey, rollbacks float64) (symptom, bool) {
	base, known := b.s.detector.Baseline(key)
	quiet, _ := b.s.detector.Quiet(key)
	period := b.s.detector.Period()
	due := base.CallsPerHour * period.Hours() * float64(quiet)
	if !known || rollbacks == 0 || quiet < timeoutPasses || due < timeoutCalls {
		return symptom{}, false
	}
	since := b.rec.At.Add(-time.Duration(quiet) * period)
	if !b.s.activity.running[key].After(since) {
		return symptom{}, false
	}
	return symptom{
		name: pgvigil.DetailTimeout, cause: pgvigil.CausePlan, detail: pgvigil.DetailTimeout, since: since, series: key,
		hurt: appendNew(nil, key.Fingerprint), factor: 1, weight: due,
		beyond: []float64{float64(quiet) / timeoutPasses, due / timeoutCalls, rollbacks / 2},
		rule: fmt.Sprintf("no call was counted in %d passes though %.0f were due and sessions run it, and %.0f transactions rolled back in the last %d passes (more than %d times the most before)",
			quiet, due, rollbacks, rollbackOver, rollbackRise),
	}, true
}

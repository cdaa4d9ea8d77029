package collector

import (
	"context"
	"fmt"
	"hash/fnv"
	"log/slog"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/pgvigil/pgvigil"
)

// ScheduleOptions say how scheduled passes are made and who takes them.
type ScheduleOptions struct {
	// Handle takes each pass as it ends: its snapshot, or why there is none.
	// The target's next pass does not begin before it returns.
	Handle func(context.Context, pgvigil.Target, *pgvigil.Snapshot, error)
	// Resolve, if set, is asked for the target by name before each pass, so that
	// a password that rotates is fresh; its error is the pass's.
	Resolve func(ctx context.Context, name string) (pgvigil.Target, error)
}

// Scheduler makes the passes of many targets on time: one at a time for each
// target (what comes due meanwhile is skipped), side by side for different ones.
type Scheduler struct {
	collector *Collector
	o         ScheduleOptions
	jobs      []job
	samples   []sampleJob
}

// sampleJob is one target that is sampled beside its passes.
type sampleJob struct {
	target pgvigil.Target
	every  time.Duration
}

// job is one target with its times.
type job struct {
	target pgvigil.Target
	times  cron.Schedule
}

// Schedule returns a scheduler without targets.
func (c *Collector) Schedule(o ScheduleOptions) *Scheduler {
	return &Scheduler{collector: c, o: o}
}

// Add gives a target its times: five cron fields in UTC ("*/5 * * * *"), a
// descriptor ("@hourly"), or a period from a millisecond on ("@every 1m").
// Periods are aligned to the clock, so that a restart does not move them.
//
// Targets of one schedule are spread over the span of jitter. Each has its
// fixed place in it, so that its intervals stay equally long.
func (s *Scheduler) Add(t pgvigil.Target, spec string, jitter time.Duration) error {
	times, err := parseTimes(spec, place(t.Name, jitter))
	if err != nil {
		return fmt.Errorf("schedule %s: %w", t.Name, err)
	}
	s.jobs = append(s.jobs, job{t, times})
	return nil
}

// Sample has a target sampled beside its passes, see Collector.Sample.
func (s *Scheduler) Sample(t pgvigil.Target, every time.Duration) {
	s.samples = append(s.samples, sampleJob{t, every})
}

// Run makes passes until ctx ends, then waits for those under way. A pass that
// panics is logged, and the target's next one comes as ever.
func (s *Scheduler) Run(ctx context.Context) {
	clock := cron.New(cron.WithLocation(time.UTC), cron.WithLogger(cron.DiscardLogger))
	for _, j := range s.jobs {
		log := cronLog{s.collector.o.Log.With("target", j.target.Name)}
		// Recover comes last, next to the job: a panic that gets past
		// SkipIfStillRunning would leave the job running for ever (v3.0.1).
		chain := cron.NewChain(cron.SkipIfStillRunning(log), cron.Recover(log))
		clock.Schedule(j.times, chain.Then(cron.FuncJob(func() { s.pass(ctx, j.target) })))
	}
	for _, j := range s.samples {
		defer s.collector.Sample(ctx, j.target, SampleOptions{Every: j.every, Resolve: s.o.Resolve})()
	}
	clock.Start()
	<-ctx.Done()
	<-clock.Stop().Done()
}

func (s *Scheduler) pass(ctx context.Context, t pgvigil.Target) {
	if ctx.Err() != nil {
		return
	}
	snap, err := s.visit(ctx, &t)
	if ctx.Err() != nil {
		return // we were told to stop, which is no failure of the target
	}
	s.o.Handle(ctx, t, snap, err)
}

// visit makes a pass over t as it is now.
func (s *Scheduler) visit(ctx context.Context, t *pgvigil.Target) (*pgvigil.Snapshot, error) {
	if s.o.Resolve != nil {
		now, err := s.o.Resolve(ctx, t.Name)
		if err != nil {
			return nil, err
		}
		*t = now
	}
	return s.collector.Pass(ctx, *t)
}

// place is a target's part of the jitter, always the same for one name.
func place(name string, jitter time.Duration) time.Duration {
	if jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(name)) // never an error
	return time.Duration(h.Sum64() % uint64(jitter))
}

func parseTimes(spec string, by time.Duration) (cron.Schedule, error) {
	period, ok := strings.CutPrefix(spec, "@every ")
	if !ok {
		times, err := cron.ParseStandard(spec)
		if err != nil {
			return nil, noSchedule(spec, err)
		}
		return shifted{times, by}, nil
	}
	d, err := time.ParseDuration(period)
	if err == nil && d < time.Millisecond {
		err = fmt.Errorf("a period of %v is too short", d)
	}
	if err != nil {
		return nil, noSchedule(spec, err)
	}
	return every{d, by % d}, nil
}

func noSchedule(spec string, err error) error {
	return &pgvigil.Hint{
		Err:    fmt.Errorf("%q is no schedule: %w", spec, err),
		Advice: `write it like "@every 1m" or like "*/5 * * * *"`,
	}
}

// every is a period aligned to the clock.
type every struct{ period, by time.Duration }

// Next returns the first moment of the period after t.
func (e every) Next(t time.Time) time.Time {
	next := t.Truncate(e.period).Add(e.by)
	for !next.After(t) {
		next = next.Add(e.period)
	}
	return next
}

// shifted is a schedule that is later by a fixed time.
type shifted struct {
	times cron.Schedule
	by    time.Duration
}

// Next returns the first moment of the shifted schedule after t.
func (s shifted) Next(t time.Time) time.Time {
	return s.times.Next(t.Add(-s.by)).Add(s.by)
}

// cronLog hands what the scheduler says to our log.
type cronLog struct{ log *slog.Logger }

// Info is only called to say that a pass was skipped.
func (l cronLog) Info(string, ...any) {
	l.log.Warn("pass skipped", "reason", "the last one is still running")
}

// Error is only called for a pass that panicked.
func (l cronLog) Error(err error, msg string, keysAndValues ...any) {
	l.log.Error("pass panicked", append([]any{"event", msg, "error", err}, keysAndValues...)...)
}

package collector

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
)

func TestTimesOfASchedule(t *testing.T) {
	at := func(s string) time.Time {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	tests := map[string]struct {
		spec     string
		by       time.Duration
		from, to string
	}{
		"a period is aligned to the clock":         {"@every 1m", 0, "2026-01-01T10:00:20Z", "2026-01-01T10:01:00Z"},
		"a period has its place":                   {"@every 1m", 7 * time.Second, "2026-01-01T10:00:20Z", "2026-01-01T10:01:07Z"},
		"a place longer than the period is folded": {"@every 5s", 12 * time.Second, "2026-01-01T10:00:00Z", "2026-01-01T10:00:02Z"},
		"the moment itself is past":                {"@every 1m", 0, "2026-01-01T10:00:00Z", "2026-01-01T10:01:00Z"},
		"cron fields have their place":             {"*/5 * * * *", 7 * time.Second, "2026-01-01T10:05:05Z", "2026-01-01T10:05:07Z"},
	}
	for name, tt := range tests {
		times, err := parseTimes(tt.spec, tt.by)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := times.Next(at(tt.from)); !got.Equal(at(tt.to)) {
			t.Errorf("%s: after %s comes %v; want %s", name, tt.from, got, tt.to)
		}
	}
}

func TestAScheduleThatIsNone(t *testing.T) {
	s := New(Options{}).Schedule(ScheduleOptions{})
	for _, spec := range []string{"", "soon", "@every", "@every x", "@every 0s", "* * *", "@every -5s"} {
		err := s.Add(pgvigil.Target{Name: "ci"}, spec, 0)
		if err == nil || pgvigil.Advice(err) == "" || !strings.Contains(err.Error(), "schedule ci") {
			t.Errorf("Add(%q) = %v; want an error with a remedy", spec, err)
		}
	}
}

func TestPlacesDifferAndStay(t *testing.T) {
	a, b := place("ci-1", time.Minute), place("ci-2", time.Minute)
	if a == b || a != place("ci-1", time.Minute) || a < 0 || a >= time.Minute {
		t.Errorf("places = %v, %v; want two fixed ones below a minute", a, b)
	}
}

// unreachable fails at once, so that schedules can be tried without a server.
var unreachable = pgvigil.Target{Name: "gone", DSN: "host=/nonexistent user=x dbname=x"}

func TestOnePassOfATargetAtATime(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var running, most, passes atomic.Int64
	var skipped sync.Once
	skip := make(chan struct{})
	log := slog.New(onWarn{func() { skipped.Do(func() { close(skip) }) }})
	s := New(Options{Log: log}).Schedule(ScheduleOptions{Handle: func(context.Context, pgvigil.Target, *pgvigil.Snapshot, error) {
		most.Store(max(most.Load(), running.Add(1)))
		if passes.Add(1) == 1 {
			<-skip // the first pass lasts until another was due
		} else {
			cancel()
		}
		running.Add(-1)
	}})
	if err := s.Add(unreachable, "@every 5ms", 0); err != nil {
		t.Fatal(err)
	}
	s.Run(ctx)
	if most.Load() != 1 || passes.Load() < 2 || running.Load() != 0 {
		t.Errorf("%d at a time, %d passes, %d left running; want 1 at a time, more than one, none left", most.Load(), passes.Load(), running.Load())
	}
}

func TestAPanicEndsOnePassOnly(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var passes atomic.Int64
	var last error
	s := New(Options{Log: slog.New(slog.DiscardHandler)}).Schedule(ScheduleOptions{
		Handle: func(_ context.Context, _ pgvigil.Target, snap *pgvigil.Snapshot, err error) {
			if passes.Add(1) == 1 {
				panic("a bug")
			}
			if snap != nil {
				t.Error("an unreachable target gave a snapshot")
			}
			last = err
			cancel()
		},
	})
	if err := s.Add(unreachable, "@every 5ms", 0); err != nil {
		t.Fatal(err)
	}
	s.Run(ctx)
	var hint *pgvigil.Hint
	if passes.Load() < 2 || !errors.As(last, &hint) {
		t.Errorf("%d passes, last error %v; want a second pass with its error", passes.Load(), last)
	}
}

// onWarn calls a function for each warning.
type onWarn struct{ f func() }

func (h onWarn) Enabled(_ context.Context, l slog.Level) bool { return l == slog.LevelWarn }
func (h onWarn) Handle(context.Context, slog.Record) error    { h.f(); return nil }
func (h onWarn) WithAttrs([]slog.Attr) slog.Handler           { return h }
func (h onWarn) WithGroup(string) slog.Handler                { return h }

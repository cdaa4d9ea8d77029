package collector

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// SampleOptions say how a target is sampled.
type SampleOptions struct {
	// Every is the time between two samples; a second if 0.
	Every time.Duration
	// Resolve, if set, is asked for the target by name before each connection,
	// so that a password that rotates is fresh.
	Resolve func(ctx context.Context, name string) (pgvigil.Target, error)
}

// Sample begins to sample the sessions of a target over one connection of its
// own, which it holds open until ctx ends. The passes over the target take along
// what was gathered, and it looks out for those who wait for them. The function
// that it returns waits for the end.
//
// While there is no connection to be had it tries again, ever more rarely. The
// log says once why, and once that it is over.
func (c *Collector) Sample(ctx context.Context, t pgvigil.Target, o SampleOptions) (wait func()) {
	if o.Every <= 0 {
		o.Every = time.Second
	}
	m := c.memory(t.Name)
	m.setSampled(true) // when a pass under way, which has a guard of its own, is over
	var running sync.WaitGroup
	running.Go(func() {
		c.hold(ctx, t, o, m)
		m.setSampled(false)
	})
	return running.Wait
}

func (m *memory) setSampled(yes bool) {
	m.busy.Lock()
	defer m.busy.Unlock()
	m.sampled = yes
}

// The held connection: how long one of its statements may take, and how long it
// waits before it is opened again, twice as long after each failure.
const (
	heldStatement = 2 * time.Second
	firstPause    = time.Second
	lastPause     = time.Minute
)

// sampler is the loop that works on the held connection of a target.
type sampler struct {
	Options
	SampleOptions
	target pgvigil.Target
	memory *memory
	guard  *guard
	tally  *tally
	budget budget
	// blocked says when to ask again who blocks whom.
	blocked   time.Time
	last      time.Time // of the newest sample, by the server's clock
	failures  int       // in a row
	downSince time.Time // zero while it works
}

// hold keeps the connection open and works on it until ctx ends. With no time
// between samples it only guards.
func (c *Collector) hold(ctx context.Context, t pgvigil.Target, o SampleOptions, m *memory) {
	s := &sampler{Options: c.o, SampleOptions: o, target: t, memory: m, guard: m.guard, tally: m.tally, budget: newBudget()}
	for ctx.Err() == nil {
		began := time.Now()
		err := s.session(ctx)
		s.guard.tried(false)
		if ctx.Err() != nil {
			return
		}
		if time.Since(began) > lastPause {
			s.failures = 0
		}
		s.failures++
		s.say(err)
		s.pause(ctx)
	}
}

// say logs once why there is no sampling, and once, without an error, that there
// is again.
func (s *sampler) say(err error) {
	silent := !s.downSince.IsZero()
	switch {
	case s.Every <= 0 || silent == (err != nil):
	case silent:
		s.Log.Info("sampling goes on", "target", s.target.Name, "after", time.Since(s.downSince).Round(time.Millisecond))
		s.downSince = time.Time{}
	default:
		s.Log.Warn("sampling stopped", "target", s.target.Name, "error", discreet(err), "advice", pgvigil.Advice(err))
		s.downSince = time.Now()
	}
}

// pause waits before the next try: longer after each failure, by a random part
// so that many targets behind one address do not come back at once. A pass ends it.
func (s *sampler) pause(ctx context.Context) {
	longest := min(lastPause, firstPause<<min(s.failures-1, 10))
	wait := time.Duration((0.5 + 0.5*s.Random()) * float64(longest))
	select {
	case <-ctx.Done():
	case <-s.guard.wake:
	case <-time.After(wait):
	}
}

// session opens the connection and works on it until it breaks or ctx ends.
func (s *sampler) session(ctx context.Context) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return err
	}
	defer closeConn(ctx, conn)
	s.guard.tried(true)
	return s.work(ctx, conn)
}

// The names under which the statements of the held connection are prepared on
// it: each is sent thousands of times.
const (
	guardQuery   = "guard"
	sampleQuery  = "sample"
	textsQuery   = "sample_texts"
	waitersQuery = "lock_waits"
)

func (s *sampler) connect(ctx context.Context) (*pgx.Conn, error) {
	if s.Resolve != nil {
		now, err := s.Resolve(ctx, s.target.Name)
		if err != nil {
			return nil, err
		}
		s.target = now
	}
	t := s.target
	t.Timeouts = withDefaults(t.Timeouts)
	t.Timeouts.Statement = min(t.Timeouts.Statement, heldStatement)
	conn, err := connectSoon(ctx, t, "", nil)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{guardQuery, sampleQuery, textsQuery, waitersQuery} {
		if _, err := conn.Prepare(ctx, name, load(name)); err != nil {
			closeConn(ctx, conn)
			return nil, fmt.Errorf("prepare %s on %s: %w", name, t.Name, err)
		}
	}
	return conn, nil
}

// work guards and samples until the connection breaks or ctx ends.
func (s *sampler) work(ctx context.Context, conn *pgx.Conn) error {
	next := time.Now()
	for {
		if err := s.look(ctx, conn); err != nil {
			return err
		}
		if s.Every > 0 && !time.Now().Before(next) {
			if err := s.sample(ctx, conn); err != nil {
				return err
			}
			s.say(nil)
			next = s.after(next)
		}
		if err := s.rest(ctx, next); err != nil {
			return err
		}
	}
}

// after returns when the next sample is due: on the beat, if the budget allows.
func (s *sampler) after(due time.Time) time.Time {
	now := time.Now()
	due = due.Add(s.Every)
	if due.Before(now) {
		due = now.Add(s.Every) // late ones are not made up for
	}
	if wait := now.Add(s.budget.wait(now)); wait.After(due) {
		return wait
	}
	return due
}

// rest waits for the next sample, or for the next look at the pass under way.
func (s *sampler) rest(ctx context.Context, next time.Time) error {
	wait := time.Until(next)
	if s.Every <= 0 {
		wait = time.Hour
	}
	if len(s.guard.watched()) > 0 {
		wait = min(wait, guardEvery)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-s.guard.wake:
	case <-timer.C:
	}
	return nil
}

// look has the guard look, within the time of a statement.
func (s *sampler) look(ctx context.Context, conn *pgx.Conn) error {
	return s.within(ctx, conn, func(ctx context.Context) error { return s.guard.look(ctx, conn) })
}

// within bounds a step by more than the server's own timeout, so that a
// connection whose other end is gone is noticed. What the server cut short is
// no reason to give the connection up.
func (s *sampler) within(ctx context.Context, conn *pgx.Conn, step func(context.Context) error) error {
	inner, cancel := context.WithTimeout(ctx, 2*heldStatement)
	defer cancel()
	err := step(inner)
	switch {
	case err == nil || ctx.Err() != nil:
		return ctx.Err()
	case sqlState(err) == stateCancelled && !conn.IsClosed():
		return nil
	case errors.Is(err, context.DeadlineExceeded):
		return errSilent
	}
	return err
}

var errSilent = errors.New("the server does not answer")

// budget bounds what sampling costs the server: over a minute, a hundredth of
// its time. What is not used up is saved for a minute, so that one slow sample
// does not stop the next.
type budget struct {
	credit time.Duration
	at     time.Time
}

const (
	costShare = 0.01
	saved     = time.Duration(costShare * float64(time.Minute))
)

func newBudget() budget { return budget{credit: saved} }

// spend takes the cost of a sample off.
func (b *budget) spend(now time.Time, cost time.Duration) {
	b.settle(now)
	b.credit -= cost
}

// wait returns how long it takes until there is something to spend.
func (b *budget) wait(now time.Time) time.Duration {
	b.settle(now)
	if b.credit >= 0 {
		return 0
	}
	return time.Duration(float64(-b.credit) / costShare)
}

// ample says that half of what can be saved is there, enough for what can wait.
func (b *budget) ample(now time.Time) bool {
	b.settle(now)
	return b.credit >= saved/2
}

func (b *budget) settle(now time.Time) {
	if !b.at.IsZero() {
		b.credit = min(saved, b.credit+time.Duration(costShare*float64(now.Sub(b.at))))
	}
	b.at = now
}

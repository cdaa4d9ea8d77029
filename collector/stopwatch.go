package collector

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// stopwatch measures how long our transactions on one connection at a time
// last, the way to the server and back included. No lock is held for longer.
type stopwatch struct {
	mu      sync.Mutex
	began   time.Time // of the transaction that is open, zero for none
	longest time.Duration
	stopped int // statements that the server cancelled
}

var (
	_ pgx.QueryTracer = (*stopwatch)(nil)
	_ pgx.BatchTracer = (*stopwatch)(nil)
)

func (s *stopwatch) start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		s.began = time.Now()
	}
}

// stop ends a statement, and the transaction unless it stays open.
func (s *stopwatch) stop(conn *pgx.Conn, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.began.IsZero() {
		return
	}
	s.longest = max(s.longest, time.Since(s.began))
	if conn.IsClosed() || conn.PgConn().TxStatus() == 'I' {
		s.began = time.Time{}
	}
	if sqlState(err) == stateCancelled {
		s.stopped++
	}
}

// read returns the longest transaction and how many statements were cancelled.
func (s *stopwatch) read() (time.Duration, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.longest, s.stopped
}

// TraceQueryStart implements pgx.QueryTracer.
func (s *stopwatch) TraceQueryStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	s.start()
	return ctx
}

// TraceQueryEnd implements pgx.QueryTracer.
func (s *stopwatch) TraceQueryEnd(_ context.Context, conn *pgx.Conn, data pgx.TraceQueryEndData) {
	s.stop(conn, data.Err)
}

// TraceBatchStart implements pgx.BatchTracer.
func (s *stopwatch) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	s.start()
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (s *stopwatch) TraceBatchQuery(context.Context, *pgx.Conn, pgx.TraceBatchQueryData) {}

// TraceBatchEnd implements pgx.BatchTracer.
func (s *stopwatch) TraceBatchEnd(_ context.Context, conn *pgx.Conn, data pgx.TraceBatchEndData) {
	s.stop(conn, data.Err)
}

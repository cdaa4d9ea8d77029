package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// ticksPerSecond is what Linux counts process times in (USER_HZ).
const ticksPerSecond = 100

// process is one line of the process table.
type process struct {
	pid, parent int
	own         float64 // CPU time, ms
	ofChildren  float64 // that of its children that have ended, ms
}

// readProcess reads /proc/PID/stat; false for a process that is gone.
func readProcess(pid int) (process, bool) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return process{}, false
	}
	text := string(b)
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	number := func(i int) float64 { v, _ := strconv.ParseFloat(fields[i], 64); return v * 1000 / ticksPerSecond }
	parent, _ := strconv.Atoi(fields[1])
	return process{pid: pid, parent: parent, own: number(11) + number(12), ofChildren: number(13) + number(14)}, true
}

// backends returns the sessions of a server, its own workers left out.
func backends(postmaster int) []process {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	var found []process
	for _, dir := range dirs {
		pid, _ := strconv.Atoi(filepath.Base(dir))
		p, ok := readProcess(pid)
		if !ok || p.parent != postmaster {
			continue
		}
		title, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if strings.Contains(string(title), "[local]") || strings.Contains(string(title), "127.0.0.1(") || strings.Contains(string(title), "parallel worker") {
			found = append(found, p)
		}
	}
	return found
}

// cpu returns the CPU time that the server spent on sessions, in ms: that of
// sessions that ended and that of living ones but those named.
func (s *stage) cpu(but ...int) float64 {
	postmaster, _ := readProcess(s.server.PID())
	total := postmaster.ofChildren
	for _, p := range backends(s.server.PID()) {
		if !slices.Contains(but, p.pid) {
			total += p.own
		}
	}
	return total
}

// memory samples the private memory of sessions until ctx ends, and keeps the
// largest of one session in bytes.
func (s *stage) memory(ctx context.Context, but int, peak *atomic.Int64) {
	tick := time.NewTicker(3 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, p := range backends(s.server.PID()) {
			if p.pid == but {
				continue
			}
			if n := anonymous(p.pid); n > peak.Load() {
				peak.Store(n)
			}
		}
	}
}

// anonymous returns the private memory of a process in bytes, RssAnon of
// /proc/PID/status.
func anonymous(pid int) int64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "RssAnon:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(fields[0], 10, 64)
	return kb << 10
}

// temp returns the bytes of temporary files that the server ever wrote.
func (s *stage) temp(ctx context.Context) (n float64, err error) {
	err = s.own.QueryRow(ctx, "SELECT sum(temp_bytes)::float8 FROM pg_stat_database", pgx.QueryExecModeSimpleProtocol).Scan(&n)
	return n, err
}

// result is what one reader cost: CPU time as a mean over the rounds, since one
// read takes few ticks of its clock, bytes as a median.
type result struct {
	name, reads          string
	cpuMS, wire, stallMS float64
	memory, temp         float64 // bytes
}

// measure has every reader read once a round, each time after the scene moved
// on by what it should between two reads of one reader.
func (s *stage) measure(ctx context.Context, readers []*reader, rounds int) ([]result, error) {
	cpu, wire := make([][]float64, len(readers)), make([][]float64, len(readers))
	results := make([]result, len(readers))
	for i, r := range readers {
		if err := r.read(ctx); err != nil { // the others' turns are no change of this scene
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
		for range rounds {
			if err := s.touch(ctx, s.scene.changed); err != nil {
				return nil, err
			}
			c, w, err := s.once(ctx, r)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", r.name, err)
			}
			cpu[i], wire[i] = append(cpu[i], c), append(wire[i], w)
		}
	}
	alone, err := s.stall(ctx, nil)
	if err != nil {
		return nil, err
	}
	for i, r := range readers {
		results[i] = result{name: r.name, reads: r.reads(), cpuMS: mean(cpu[i]), wire: median(wire[i])}
		if err := s.extremes(ctx, r, alone, &results[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return results, nil
}

// once measures one read.
func (s *stage) once(ctx context.Context, r *reader) (cpuMS, wire float64, err error) {
	own := int(s.own.PgConn().PID())
	cpu, bytes := s.cpu(own), s.proxy.bytes.Load()
	if err := r.read(ctx); err != nil {
		return 0, 0, err
	}
	settle(ctx) // sessions that ended are counted when the postmaster has seen it
	return s.cpu(own) - cpu, float64(s.proxy.bytes.Load() - bytes), nil
}

// extremes measures memory, temporary files and the stall of others.
func (s *stage) extremes(ctx context.Context, r *reader, alone float64, into *result) error {
	before, err := s.temp(ctx)
	if err != nil {
		return err
	}
	var peak atomic.Int64
	watching, stop := context.WithCancel(ctx)
	go s.memory(watching, int(s.own.PgConn().PID()), &peak)
	err = r.read(ctx)
	stop()
	if err != nil {
		return err
	}
	settle(ctx)
	after, err := s.temp(ctx)
	if err != nil {
		return err
	}
	stall, err := s.stall(ctx, r)
	into.memory, into.temp, into.stallMS = float64(peak.Load()), after-before, max(0, stall-alone)
	return err
}

// settle waits until the server has counted what just ended.
func settle(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(120 * time.Millisecond):
	}
}

// probes is how many new statements the probe runs in a row.
const probes = 400

// stall returns how long a session that runs statements nobody ran before waited
// at most for one, in ms, while a reader (nil for none) reads again and again.
func (s *stage) stall(ctx context.Context, r *reader) (longest float64, err error) {
	probe, err := pgx.Connect(ctx, s.server.DSN("ci"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = probe.Close(context.WithoutCancel(ctx)) }()
	reading, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for r != nil && reading.Err() == nil {
			if r.read(ctx) != nil {
				return
			}
		}
	}()
	defer func() { stop(); <-done }()
	var waits []float64
	for range probes {
		sql := s.unheard()
		began := time.Now()
		if _, err := probe.Exec(ctx, sql, pgx.QueryExecModeSimpleProtocol); err != nil {
			return 0, err
		}
		waits = append(waits, float64(time.Since(began).Microseconds())/1000)
	}
	return slices.Max(waits), nil
}

// unheard returns a statement that nobody ran before.
func (s *stage) unheard() string {
	s.probed++
	n := s.probed
	return fmt.Sprintf("SELECT FROM wide WHERE c%d IS NULL AND c%d IS NULL AND c%d IS NULL AND c0 IS NULL",
		n%columns, n/columns%columns, n/columns/columns)
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(len(v))
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return v[len(v)/2]
}

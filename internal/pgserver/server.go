package pgserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// Options say how a server is set up.
type Options struct {
	// Settings override the defaults, which favour speed over durability:
	// nothing that such a server holds has to outlive a crash of the machine.
	Settings map[string]string
	// TCP makes it listen on 127.0.0.1 too, on a free port, where every user of
	// the machine reaches it: for tests.
	TCP bool
	// HBA replaces pg_hba.conf; empty trusts everybody who reaches the socket,
	// which is in a directory that only the server's account may enter, and root.
	HBA string
	// InitArgs are further arguments of initdb.
	InitArgs []string
}

// Server is a running server of our own.
type Server struct {
	Install Install
	// Dir holds data, socket and log, and is closed to other users; Stop
	// removes it.
	Dir  string
	Port int

	opts    Options
	account *account
	process *process
}

// startTimeout bounds the wait for a server to accept connections.
const startTimeout = 60 * time.Second

// Start makes a new cluster and runs it. The superuser is postgres. The caller
// must Stop it.
func Start(ctx context.Context, in Install, opts Options) (_ *Server, err error) {
	acct, err := serverAccount()
	if err != nil {
		return nil, err
	}
	// A short path: a Unix socket's is limited to 107 bytes.
	dir, err := os.MkdirTemp("", "pgv")
	if err != nil {
		return nil, fmt.Errorf("make a directory for the server: %w", err)
	}
	s := &Server{Dir: dir, opts: opts, account: acct}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(dir))
		}
	}()
	// Who enters is superuser, so the directory stays as private as it was made.
	if err := errors.Join(os.Chmod(dir, 0o700), acct.own(dir)); err != nil {
		return nil, fmt.Errorf("hand %s to the server's user: %w", dir, err)
	}
	if s.Install, err = acct.reachable(in, dir); err != nil {
		return nil, err
	}
	if s.Port, err = freePort(); err != nil {
		return nil, err
	}
	if err := s.initdb(ctx); err != nil {
		return nil, err
	}
	if err := s.Run(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// DSN returns the connection string of a database for the superuser, over the
// Unix socket.
func (s *Server) DSN(database string) string {
	return fmt.Sprintf("host=%s port=%d user=postgres dbname=%s", s.Dir, s.Port, quoteDSN(database))
}

// TCPDSN is DSN over 127.0.0.1, for servers started with Options.TCP.
func (s *Server) TCPDSN(database string) string {
	return fmt.Sprintf("host=127.0.0.1 port=%d user=postgres dbname=%s sslmode=disable", s.Port, quoteDSN(database))
}

// DataDir is the cluster's directory.
func (s *Server) DataDir() string { return filepath.Join(s.Dir, "data") }

// PID is the postmaster's process id, 0 when it does not run.
func (s *Server) PID() int {
	if s.process == nil {
		return 0
	}
	return s.process.pid
}

func quoteDSN(v string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'"
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

func (s *Server) initdb(ctx context.Context) error {
	args := append([]string{
		"-D", s.DataDir(), "-U", "postgres", "-A", "trust", "--no-sync",
		"--encoding=UTF8", "--locale=C",
	}, s.opts.InitArgs...)
	cmd := exec.CommandContext(ctx, filepath.Join(s.Install.Bin, "initdb"), args...)
	cmd.Dir = s.Dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.account.credential()}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("make a cluster with %s: %w: %s", cmd.Path, err, lastLines(out.String(), 5))
	}
	return s.configure()
}

func (s *Server) configure() error {
	settings := map[string]string{
		"listen_addresses":                "",
		"unix_socket_directories":         s.Dir,
		"unix_socket_permissions":         "0700",
		"port":                            strconv.Itoa(s.Port),
		"fsync":                           "off",
		"full_page_writes":                "off",
		"shared_buffers":                  "128MB",
		"max_wal_size":                    "2GB",
		"checkpoint_timeout":              "30min",
		"max_connections":                 "60",
		"jit":                             "off",
		"track_io_timing":                 "on",
		"log_min_messages":                "warning",
		"log_checkpoints":                 "off",
		"dynamic_shared_memory_type":      "mmap",
		"max_prepared_transactions":       "2",
		"timezone":                        "UTC",
		"lc_messages":                     "C",
		"shared_preload_libraries":        "pg_stat_statements",
		"track_activity_query_size":       "4096",
		"pg_stat_statements.save":         "on",
		"max_parallel_workers_per_gather": "0",
	}
	if s.opts.TCP {
		settings["listen_addresses"] = "127.0.0.1"
	}
	maps.Copy(settings, s.opts.Settings)
	var conf strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		fmt.Fprintf(&conf, "%s = '%s'\n", name, strings.ReplaceAll(settings[name], "'", "''"))
	}
	f, err := os.OpenFile(filepath.Join(s.DataDir(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	_, err = f.WriteString(conf.String())
	if err := errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("configure the server: %w", err)
	}
	if s.opts.HBA == "" {
		return nil
	}
	return os.WriteFile(filepath.Join(s.DataDir(), "pg_hba.conf"), []byte(s.opts.HBA), 0o644)
}

// Run starts a stopped server and waits until it accepts connections.
func (s *Server) Run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for {
		err := s.runOnce(ctx)
		if err == nil {
			return nil
		}
		// What a killed postmaster leaves behind holds its shared memory until it
		// has noticed; a new one refuses to start meanwhile.
		if errors.Is(err, errEnded) && strings.Contains(s.logTail(), "shared memory block") && ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-time.After(100 * time.Millisecond):
			}
			continue
		}
		return fmt.Errorf("start Postgres %s: %w: %s", s.Install.Version, err, s.logTail())
	}
}

var errEnded = errors.New("it ended at once")

func (s *Server) runOnce(ctx context.Context) error {
	p, err := startProcess(s)
	if err != nil {
		return err
	}
	s.process = p
	if err := s.waitReady(ctx); err != nil {
		_ = s.Halt(syscall.SIGQUIT)
		return err
	}
	return nil
}

func (s *Server) waitReady(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.DSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.process.done:
			return errEnded
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-tick.C:
		}
	}
}

// Halt sends the postmaster a signal and waits until it has ended: SIGINT is a
// fast stop, SIGQUIT an immediate one, SIGKILL a death. The data stay.
func (s *Server) Halt(sig syscall.Signal) error {
	if s.process == nil {
		return nil
	}
	err := s.process.halt(sig)
	s.process = nil
	return err
}

// Stop ends the server, immediately if it takes longer than a few seconds, and
// removes its directory. It may be called more than once.
func (s *Server) Stop() error {
	err := s.Halt(syscall.SIGINT)
	if rm := os.RemoveAll(s.Dir); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

func (s *Server) logTail() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return lastLines(string(b), 5)
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "; ")
}

// process is a postmaster with the goroutine that waits for it.
type process struct {
	pid  int
	done chan struct{} // closed when it has ended
}

// startProcess runs the postmaster from a goroutine that keeps its thread for
// as long as the server lives: the kernel ties the signal at our death to the
// thread that started the child.
func startProcess(s *Server) (*process, error) {
	log, err := os.OpenFile(filepath.Join(s.Dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(s.Install.Bin, "postgres"), "-D", s.DataDir())
	cmd.Dir = s.Dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: s.account.credential(),
		Setpgid:    true, // Ctrl-C is ours to handle, not the server's
		Pdeathsig:  syscall.SIGINT,
	}
	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid = cmd.Process.Pid
		}
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
		_ = log.Close()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

// haltSteps are the stronger signals that follow when one is not obeyed.
var haltSteps = []struct {
	sig  syscall.Signal
	wait time.Duration
}{{syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}}

func (p *process) halt(sig syscall.Signal) error {
	if p.signalAndWait(sig, 10*time.Second) {
		return nil
	}
	for _, step := range haltSteps {
		if p.signalAndWait(step.sig, step.wait) {
			return nil
		}
	}
	return fmt.Errorf("stop Postgres (pid %d): it outlived SIGKILL", p.pid)
}

func (p *process) signalAndWait(sig syscall.Signal, wait time.Duration) bool {
	_ = syscall.Kill(p.pid, sig)
	select {
	case <-p.done:
		return true
	case <-time.After(wait):
		return false
	}
}

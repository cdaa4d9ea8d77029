package server_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/internal/server/client"
)

// TestMain lets this program be the other pgvigil of a test.
func TestMain(m *testing.M) {
	socket := os.Getenv("TEST_HOLD_SOCKET")
	if socket == "" {
		os.Exit(m.Run())
	}
	if _, err := server.ListenUnix(socket); err != nil {
		os.Exit(3)
	}
	fmt.Println("listening")
	select {}
}

// holder starts another process that listens on a socket.
func holder(t *testing.T, socket string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "TEST_HOLD_SOCKET="+socket)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestOneServiceForOneHistory(t *testing.T) {
	socket := server.SocketPath(filepath.Join(t.TempDir(), "h.duckdb"))
	other := holder(t, socket)
	_, err := server.ListenUnix(socket)
	var busy *server.BusyError
	if !errors.As(err, &busy) || busy.PID != other.Process.Pid || pgvigil.Advice(err) == "" {
		t.Fatalf("ListenUnix beside process %d = %v; want BusyError with its pid and advice", other.Process.Pid, err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // killed
	if _, err := os.Stat(socket); err != nil {
		t.Fatalf("the dead process left no socket to replace: %v", err)
	}
	l, err := server.ListenUnix(socket)
	if err != nil {
		t.Fatalf("ListenUnix after a death = %v; want the socket replaced", err)
	}
	serves(t, l)
}

func serves(t *testing.T, l *server.Socket) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- server.New(app{f: fine}, server.Options{}).Serve(ctx, l) }()
	c, err := client.Dial(ctx, l.Path())
	if err != nil {
		t.Error(err)
	} else {
		c.Close()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestTheSocketIsOursAloneAndLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	l, err := server.ListenUnix(filepath.Join(dir, "h.sock"))
	if err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(l.Path())
	if err != nil || st.Mode() != fs.ModeSocket|0o600 {
		t.Errorf("mode = %v, %v; want a socket with 0600", st.Mode(), err)
	}
	serves(t, l)
	if err := l.Close(); err != nil {
		t.Errorf("a second Close = %v; want nil", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v; want nothing", left, err)
	}
}

func TestALongPathWorks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := server.ListenUnix(filepath.Join(dir, "history.duckdb.sock"))
	if err != nil {
		t.Fatal(err)
	}
	serves(t, l)
}

func TestOnlyOneOfManyGetsTheSocket(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "h.sock")
	for range 20 {
		var wg sync.WaitGroup
		got := make(chan *server.Socket, 8)
		for range cap(got) {
			wg.Go(func() {
				if l, err := server.ListenUnix(socket); err == nil {
					got <- l
				}
			})
		}
		wg.Wait()
		if len(got) != 1 {
			t.Fatalf("%d of %d hold the socket; want 1", len(got), cap(got))
		}
		if err := (<-got).Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPlacesThatCannotHoldASocket(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, filepath.Join(dir, "trap.lock")); err != nil {
		t.Fatal(err)
	}
	for name, path := range map[string]string{
		"no directory":          filepath.Join(dir, "none", "h.sock"),
		"a file as a directory": filepath.Join(file, "h.sock"),
		"a link for a lock":     filepath.Join(dir, "trap"),
	} {
		if _, err := server.ListenUnix(path); err == nil || pgvigil.Advice(err) == "" {
			t.Errorf("%s: ListenUnix = %v (%s); want an error with advice", name, err, pgvigil.Advice(err))
		}
	}
	if b, err := os.ReadFile(file); err != nil || len(b) != 0 {
		t.Errorf("what the link points to = %q, %v; want it untouched", b, err)
	}
}

func TestTCPIsLoopbackUnlessToldOtherwise(t *testing.T) {
	tests := map[string]struct {
		address string
		remote  bool
		want    bool
	}{
		"loopback":              {"127.0.0.1:0", false, true},
		"localhost":             {"localhost:0", false, true},
		"all addresses":         {":0", false, false},
		"all addresses, spelt":  {"0.0.0.0:0", false, false},
		"all addresses, told":   {"0.0.0.0:0", true, true},
		"a name":                {"example.com:80", false, false},
		"no port":               {"127.0.0.1", false, false},
		"a port that is no one": {"127.0.0.1:99999", false, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, err := server.ListenTCP(tt.address, tt.remote)
			if err == nil {
				defer l.Close()
				if a := l.Addr().(*net.TCPAddr); !tt.remote && !a.IP.IsLoopback() {
					t.Errorf("listens on %v", a)
				}
			}
			if (err == nil) != tt.want || (err != nil && pgvigil.Advice(err) == "") {
				t.Errorf("ListenTCP(%s, %v) = %v; want success %v, or advice", tt.address, tt.remote, err, tt.want)
			}
		})
	}
}

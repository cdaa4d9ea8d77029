package duckdb_test

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
	"github.com/pgvigil/pgvigil/internal/store/storetest"
)

// roleVariable makes the test binary play another process.
const roleVariable = "PGVIGIL_TEST_DUCKDB_ROLE"

func TestMain(m *testing.M) {
	role, path, _ := strings.Cut(os.Getenv(roleVariable), ":")
	var err error
	switch role {
	case "":
		os.Exit(m.Run())
	case "owner":
		err = own(path)
	case "full":
		err = fillUp(path)
	}
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func child(t *testing.T, role, path string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role+":"+path)
	return cmd
}

// own holds a history until its standard input ends.
func own(path string) error {
	h, err := duckdb.Open(context.Background(), path, duckdb.Options{})
	if err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return errors.Join(err, h.Close())
}

func fileOf(t *testing.T) string { return filepath.Join(t.TempDir(), "history.duckdb") }

func TestOneOwner(t *testing.T) {
	path := fileOf(t)
	owner := child(t, "owner", path)
	in, err := owner.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := owner.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := owner.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "open\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}
	refused(t, path, store.ErrLocked, "another pgvigil owns "+path)
	if err := in.Close(); err != nil {
		t.Fatal(err)
	}
	if err := owner.Wait(); err != nil {
		t.Fatal(err)
	}
	h := open(t, path)
	refused(t, path, store.ErrLocked, "use --server")
	if _, err := h.Servers(t.Context()); err != nil {
		t.Errorf("the owner, after another was refused: %v", err)
	}
}

func open(t *testing.T, path string) store.History {
	t.Helper()
	h, err := duckdb.Open(t.Context(), path, duckdb.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// refused opens a file that must be refused with an error and a remedy, and
// left as it was.
func refused(t *testing.T, path string, want error, advice string) {
	t.Helper()
	before, errBefore := os.ReadFile(path)
	h, err := duckdb.Open(t.Context(), path, duckdb.Options{})
	if err == nil {
		t.Errorf("opened %s; want %v", path, want)
		_ = h.Close()
		return
	}
	if !errors.Is(err, want) || !strings.Contains(pgvigil.Advice(err), advice) {
		t.Errorf("error %v, advice %q; want %v and %q", err, pgvigil.Advice(err), want, advice)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("error of several lines: %q", err)
	}
	after, errAfter := os.ReadFile(path)
	if !bytes.Equal(before, after) || (errBefore == nil) != (errAfter == nil) {
		t.Error("the file was changed")
	}
}

// someHistory makes a file of a few passes, closed.
func someHistory(t *testing.T) string {
	t.Helper()
	path := fileOf(t)
	h := open(t, path)
	w := storetest.NewWorld(500)
	for range 3 {
		if _, err := h.Record(t.Context(), w.Pass(time.Minute)); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhatIsNoHistoryIsRefused(t *testing.T) {
	good := someHistory(t)
	tests := map[string]struct {
		make   func(t *testing.T, path string)
		want   error
		advice string
	}{
		"a text file":                   {write([]byte("dear diary,\n")), store.ErrNotHistory, "move it away"},
		"zeros":                         {write(make([]byte, 1<<16)), store.ErrNotHistory, "move it away"},
		"a history with its head cut":   {spoil(good, func(b []byte) []byte { return b[4096:] }), store.ErrNotHistory, "move it away"},
		"a history with its tail cut":   {spoil(good, func(b []byte) []byte { return b[:20000] }), store.ErrDamaged, "move it away"},
		"a history with a spoilt block": {spoil(good, func(b []byte) []byte { copy(b[12288:], "spoilt"); return b }), store.ErrDamaged, "move it away"},
		"another program's database":    {run("CREATE TABLE cats (name text)"), store.ErrNotHistory, "another file"},
		"a newer history":               {run("CREATE TABLE schema_versions (version integer, name text)", "INSERT INTO schema_versions VALUES (999, 'x')"), store.ErrNewer, "use the pgvigil"},
		"a directory":                   {func(t *testing.T, path string) { must(t, os.Mkdir(path, 0o755)) }, store.ErrUnwritable, "--history"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := fileOf(t)
			tt.make(t, path)
			refused(t, path, tt.want, tt.advice)
		})
	}
	refused(t, filepath.Join(t.TempDir(), "missing", "history.duckdb"), store.ErrUnwritable, "--history")
	refused(t, "/proc/history.duckdb", store.ErrUnwritable, "--history")
	refused(t, filepath.Join(t.TempDir(), "what?.duckdb"), store.ErrUnwritable, "another name")
}

// TestADamagedBlockIsNoticedByCheck: DuckDB looks at a block when it needs it,
// so that a file with a damaged one opens, and most commands work.
func TestADamagedBlockIsNoticedByCheck(t *testing.T) {
	good := someHistory(t)
	whole, err := os.ReadFile(good)
	must(t, err)
	const head, block = 12288, 256 << 10
	noticed := 0
	for at := head; at < len(whole); at += block {
		path := fileOf(t)
		spoil(good, func(b []byte) []byte { copy(b[at+8:], "spoilt"); return b })(t, path)
		h, err := duckdb.Open(t.Context(), path, duckdb.Options{})
		if err != nil {
			continue // noticed at once
		}
		_, err = h.Check(t.Context())
		_ = h.Close() // it may want to write what it cannot read
		if err == nil {
			continue // nothing is in that block
		}
		noticed++
		if !errors.Is(err, store.ErrDamaged) || pgvigil.Advice(err) == "" || strings.Contains(err.Error(), "IO Error") {
			t.Errorf("block at %d: error %v, advice %q; want ErrDamaged in words, and a remedy", at, err, pgvigil.Advice(err))
		}
	}
	if noticed == 0 {
		t.Error("no damaged block was noticed by Check")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func write(b []byte) func(t *testing.T, path string) {
	return func(t *testing.T, path string) { must(t, os.WriteFile(path, b, 0o600)) }
}

func spoil(from string, how func([]byte) []byte) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		b, err := os.ReadFile(from)
		must(t, err)
		must(t, os.WriteFile(path, how(b), 0o600))
	}
}

// run makes a DuckDB file by statements.
func run(statements ...string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		db, err := sql.Open("duckdb", path)
		must(t, err)
		for _, s := range statements {
			_, err := db.ExecContext(t.Context(), s)
			must(t, err)
		}
		must(t, db.Close())
	}
}

// TestAnEmptyFileIsANewHistory, as mktemp makes one.
func TestAnEmptyFileIsANewHistory(t *testing.T) {
	path := fileOf(t)
	write(nil)(t, path)
	h := open(t, path)
	if c, err := h.Check(t.Context()); err != nil || !c.OK {
		t.Errorf("check = %+v, %v; want a history", c, err)
	}
}

// fillUp records into a file that may not grow, as on a full disk, until that
// fails; then lets it grow and records on.
func fillUp(path string) error {
	signal.Ignore(syscall.SIGXFSZ) // an error is what a full disk gives
	ctx := context.Background()
	h, err := duckdb.Open(ctx, path, duckdb.Options{})
	if err != nil {
		return err
	}
	w := storetest.NewWorld(2000)
	pass := func() error {
		for i := range w.Statements {
			w.Work(i, i+1, float64(i), 3)
		}
		_, err := h.Record(ctx, w.Pass(time.Minute))
		return err
	}
	passes := int64(0)
	for range 3 {
		if err := pass(); err != nil {
			return err
		}
		passes++
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: 3 << 20, Max: old.Max}); err != nil {
		return err
	}
	failed := 0
	for i := 0; failed < 3; i++ {
		if err := pass(); err == nil {
			passes++
		} else {
			failed++
		}
		if i > 500 {
			return errors.New("the file grows though it may not")
		}
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	for range 3 {
		if err := pass(); err != nil {
			return fmt.Errorf("when there was space again: %w", err)
		}
		passes++
	}
	c, err := h.Check(ctx)
	if err != nil || !c.OK || c.Passes != passes {
		return fmt.Errorf("check = %+v, %w; want %d passes and no problems", c, err, passes)
	}
	return h.Close()
}

func TestAFullDiskHeals(t *testing.T) {
	path := fileOf(t)
	if out, err := child(t, "full", path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	h := open(t, path)
	if c, err := h.Check(t.Context()); err != nil || !c.OK || c.Passes < 6 {
		t.Errorf("check afterwards = %+v, %v; want six passes at least and no problems", c, err)
	}
}

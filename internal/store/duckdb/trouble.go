package duckdb

import (
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/store"
)

// errForeign is a DuckDB file without our tables.
var errForeign = errors.New("it holds other tables")

// trouble is what is wrong with a file, in a sentence of ours. It unwraps to
// its kind and to what DuckDB said, which is long and names the file again.
type trouble struct {
	text  string
	kind  error // of package store
	cause error
}

func (t *trouble) Error() string { return t.text }

func (t *trouble) Unwrap() []error { return []error{t.kind, t.cause} }

// sign is a part of an error's text with what it means.
type sign struct {
	part string
	kind error
	text string // after the kind; "" for nothing to add
}

// The remedies by kind.
var remedies = map[error]string{
	store.ErrDamaged:    "restore it from a backup, or move it away and let pgvigil begin a new one",
	store.ErrNotHistory: "name another file with --history; if this was a history, restore it from a backup, or move it away and let pgvigil begin a new one",
	store.ErrUnwritable: "make the file and its directory writable for the user of pgvigil, or name another file with --history",
	store.ErrNewer:      "use the pgvigil that wrote it, or a later one",
}

// signs are searched in this order.
var signs = []sign{
	{"Could not set lock", store.ErrLocked, ""},
	{"Conflicting lock", store.ErrLocked, ""},
	{"not a valid DuckDB database file", store.ErrNotHistory, "it is no DuckDB file"},
	{"different version of DuckDB", store.ErrNewer, "a later DuckDB wrote it"},
	{"newer version", store.ErrNewer, "a later DuckDB wrote it"},
	{"Could not read enough bytes", store.ErrDamaged, "it ends too early"},
	{"checksum", store.ErrDamaged, "a block does not match its checksum"},
	{"Serialization Error", store.ErrDamaged, "a block cannot be read back"},
	{"orrupt", store.ErrDamaged, "a block cannot be read back"},
	{"ermission denied", store.ErrUnwritable, "permission denied"},
	{"Read-only file system", store.ErrUnwritable, "its file system is read-only"},
	{"No such file or directory", store.ErrUnwritable, "its directory does not exist"},
	{"Is a directory", store.ErrUnwritable, "it is a directory"},
	{"Not a directory", store.ErrUnwritable, "part of its path is a file"},
	{"No space left", store.ErrUnwritable, "the disk is full"},
}

// signOf finds the sign that an error shows.
func signOf(err error) (sign, bool) {
	for _, s := range signs {
		if strings.Contains(err.Error(), s.part) {
			return s, true
		}
	}
	return sign{}, false
}

// refused says why the file at path could not be opened, and what to do.
func refused(path string, err error) error {
	s, known := signOf(err)
	switch {
	case errors.Is(err, errForeign):
		return &pgvigil.Hint{Err: &trouble{fmt.Sprintf("open the history %s: %v: %v", path, store.ErrNotHistory, err), store.ErrNotHistory, err}, Advice: "name another file with --history"}
	case errors.Is(err, store.ErrNewer), errors.Is(err, errName):
		return &pgvigil.Hint{Err: fmt.Errorf("open the history %s: %w", path, err), Advice: adviceOf(err)}
	case !known:
		return fmt.Errorf("open the history %s: %w", path, err)
	case errors.Is(s.kind, store.ErrLocked):
		return locked(path)
	}
	return &pgvigil.Hint{Err: &trouble{fmt.Sprintf("open the history %s: %v: %s", path, s.kind, s.text), s.kind, err}, Advice: remedies[s.kind]}
}

// errName is a name that DuckDB would misread.
var errName = fmt.Errorf("%w: the name contains ?, %% or #", store.ErrUnwritable)

func adviceOf(err error) string {
	if errors.Is(err, errName) {
		return "choose another name with --history"
	}
	return remedies[store.ErrNewer]
}

// Explain says what an error of using the file means, and what to do. Other
// errors it returns as they are.
func (f *file) Explain(err error) error {
	if _, ours := errors.AsType[*duckdb.Error](err); !ours {
		return err
	}
	s, known := signOf(err)
	if !known || !errors.Is(s.kind, store.ErrDamaged) && !errors.Is(s.kind, store.ErrUnwritable) {
		return err
	}
	return &pgvigil.Hint{Err: &trouble{fmt.Sprintf("%v (%s): %s", s.kind, f.path, s.text), s.kind, err}, Advice: remedies[s.kind]}
}

func locked(path string) error {
	return &pgvigil.Hint{
		Err:    fmt.Errorf("open the history %s: %w", path, store.ErrLocked),
		Advice: "another pgvigil owns " + path + "; commands reach it through its socket; stop it or use --server",
	}
}

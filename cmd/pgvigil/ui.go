package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
)

// The rules of the user interface:
//
//   - What a machine may read goes to stdout, everything else to stderr.
//   - An error is one sentence, "pgvigil: verb object: cause", and, where there
//     is a remedy, a line "hint: do this".
//   - Exit codes: of the commands that judge, 0 clean, 1 found something, 2 could
//     not tell; of all others, 0 done, 2 not done.
//   - Text from a database is shown on one line, without control characters, and
//     cut; nothing that a server sends can move the cursor.
//   - No colour, no spinner: what is printed looks the same in a log.
type ui struct {
	in  io.Reader
	out io.Writer
	err io.Writer
	// unclean says that something could not be closed in order.
	unclean bool
}

// errFound ends a command that judges and found something: exit code 1, with
// nothing more to say.
var errFound = errors.New("found something")

func (u *ui) exit(err error) int {
	switch {
	case err == nil && u.unclean:
		return 2
	case err == nil:
		return 0
	case errors.Is(err, errFound) && !u.unclean:
		return 1
	case errors.Is(err, context.Canceled):
		u.say("pgvigil: interrupted")
		return 2
	}
	var problems config.Problems
	if !errors.As(err, &problems) {
		u.complain(err)
		return 2
	}
	for _, p := range problems.Unwrap() {
		u.complain(p)
	}
	return 2
}

// complain says one error and its remedy.
func (u *ui) complain(err error) {
	u.say("pgvigil: %s", oneLine(err.Error(), 2000))
	if advice := pgvigil.Advice(err); advice != "" {
		u.say("hint: %s", oneLine(advice, 2000))
	}
}

// finish closes what a command had open, and says so when that went wrong.
func (u *ui) finish(done func() error) {
	if err := done(); err != nil {
		u.complain(err)
		u.unclean = true
	}
}

// say writes a line for people.
func (u *ui) say(format string, args ...any) {
	fmt.Fprintf(u.err, format+"\n", args...)
}

// print writes a line of the command's result.
func (u *ui) print(format string, args ...any) {
	fmt.Fprintf(u.out, format+"\n", args...)
}

// json writes v as one indented JSON document. Callers hand in values without
// NaN, which JSON cannot say.
func (u *ui) json(v any) error {
	enc := json.NewEncoder(u.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	return nil
}

// jsonLine writes v as one line of JSON.
func (u *ui) jsonLine(v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	_, err := u.out.Write(b.Bytes())
	return err
}

// oneLine makes foreign text harmless in a terminal: control characters,
// bidirectional overrides and line ends become spaces, runs of space one, and
// what is over limit runes is cut.
func oneLine(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return s
}

// checkFormat refuses a --format that the command does not have.
func checkFormat(format string, known ...string) error {
	if slices.Contains(known, format) {
		return nil
	}
	return &pgvigil.Hint{
		Err:    fmt.Errorf("read --format %q: no such format", format),
		Advice: "use one of " + strings.Join(known, ", "),
	}
}

// writeFile has a result written to a file, or to stdout for "-". The file is
// replaced when all of it is there; what was there before outlives a failure.
func (u *ui) writeFile(path string, write func(io.Writer) error) (err error) {
	if path == "-" {
		return write(u.out)
	}
	f, err := beside(path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// writable says whether writeFile could write there, before the work is done.
func writable(path string) error {
	if path == "-" {
		return nil
	}
	f, err := beside(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

func beside(path string) (*os.File, error) {
	st, err := os.Stat(path)
	if err == nil && st.IsDir() {
		err = errors.New("it is a folder")
	} else {
		err = nil
	}
	var f *os.File
	if err == nil {
		f, err = os.CreateTemp(filepath.Dir(path), ".pgvigil-*")
	}
	if where, ok := errors.AsType[*os.PathError](err); ok {
		err = where.Err
	}
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("write %s: %w", path, err), Advice: "name a file in a folder that exists and is writable"}
	}
	return f, nil
}

func shortDuration(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

package serverlog

import (
	"cmp"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Place is where reading goes on. It is kept between passes and over restarts.
type Place struct {
	Path   string
	Device uint64
	Inode  uint64
	Offset int64
	// Head is a checksum of the first HeadLen bytes: inodes are used again.
	Head    uint32
	HeadLen int
}

// Options say what to read.
type Options struct {
	// Pattern is a path, or a shell pattern of paths.
	Pattern string
	// From is where the last reading ended; zero begins at the end of the newest
	// file, so that what was before is not told.
	From Place
	// Prefix and Zone are log_line_prefix and log_timezone.
	Prefix string
	Zone   *time.Location
	Now    time.Time
	// MaxBytes bounds a reading.
	MaxBytes int64
}

// Reading is what a reading brought.
type Reading struct {
	Records []Record
	Next    Place
	Format  Format
	Bytes   int64
	// Broken counts what was no record.
	Broken int
	// Behind is how many bytes are left for the next reading, Skipped how many
	// never will be read: too many were left.
	Behind, Skipped int64
	// Lost says that the file of the last reading is gone.
	Lost bool
}

// maxBehind is how many bytes may wait. Beyond, the oldest are skipped.
const maxBehind = 256 << 20

// settled is how long a file must be unchanged for its last entry to be whole.
const settled = 2 * time.Second

// ErrNoFile says that nothing has the pattern.
var ErrNoFile = errors.New("no file is there")

// Read reads on from a place, through as many files as were written since.
func Read(o Options) (Reading, error) {
	files, err := list(o.Pattern)
	if err != nil {
		return Reading{}, err
	}
	newest := files[len(files)-1]
	r := Reading{Next: o.From, Format: formatOf(files)}
	if o.From == (Place{}) {
		if r.Next, err = placeIn(newest, newest.size); err != nil {
			err = unreadable(newest.path, err)
		}
		return r, err
	}
	todo, lost := following(files, o.From)
	r.Lost = lost
	r.skip(todo)
	parser := NewParser(r.Format, o.Prefix, o.Zone)
	for i := range todo {
		f := &todo[i]
		f.whole = i+1 < len(todo) || o.Now.Sub(f.modified) >= settled
		if err := r.read(f, parser, o.MaxBytes-r.Bytes); err != nil {
			return r, unreadable(f.path, err)
		}
		if r.Bytes >= o.MaxBytes {
			break
		}
	}
	for i := range todo {
		r.Behind += max(0, todo[i].size-todo[i].from)
	}
	return r, nil
}

// file is a file of the log.
type file struct {
	path          string
	device, inode uint64
	size          int64
	modified      time.Time
	from          int64 // where to read on
	whole         bool  // nothing will follow
}

// packed are the endings of files that cannot be read as they are.
var packed = []string{".gz", ".bz2", ".xz", ".zst", ".lz4", ".zip"}

// maxFiles bounds what one pattern may mean.
const maxFiles = 10_000

// list returns the files of a pattern that are of one format, oldest first.
func list(pattern string) ([]file, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, &pgvigil.Hint{Err: fmt.Errorf("read the log: %q is no pattern of a path", pattern), Advice: "write it like /var/log/postgresql/postgresql-*.log"}
	}
	if len(paths) == 0 {
		paths = []string{pattern} // so that the reason can be told
	}
	var files []file
	var first error
	for _, path := range paths[:min(len(paths), maxFiles)] {
		f, err := stat(path)
		if err != nil {
			first = cmp.Or(first, err)
			continue
		}
		if !slices.ContainsFunc(packed, func(end string) bool { return strings.HasSuffix(path, end) }) {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		return nil, unreadable(pattern, first)
	}
	format := formatOf(files)
	files = slices.DeleteFunc(files, func(f file) bool { return formatOfName(f.path) != format })
	slices.SortFunc(files, func(a, b file) int { return cmp.Or(a.modified.Compare(b.modified), cmp.Compare(a.path, b.path)) })
	return files, nil
}

func stat(path string) (file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return file{}, err
	}
	if !info.Mode().IsRegular() {
		return file{}, &fs.PathError{Op: "read", Path: path, Err: errors.New("it is no file")}
	}
	f := file{path: path, size: info.Size(), modified: info.ModTime()}
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		f.device, f.inode = uint64(s.Dev), s.Ino
	}
	return f, nil
}

// unreadable says why no file can be read, with the remedy.
func unreadable(pattern string, err error) error {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return &pgvigil.Hint{
			Err:    fmt.Errorf("read the log %s: pgvigil may not read it", pattern),
			Advice: "add pgvigil's user to the group of the files (log_file_mode = 0640), or give it the right by setfacl",
		}
	case err == nil || errors.Is(err, fs.ErrNotExist):
		return &pgvigil.Hint{
			Err:    fmt.Errorf("read the log %s: %w", pattern, ErrNoFile),
			Advice: "give the path as pgvigil's machine sees it; SHOW log_directory, SHOW data_directory and pg_current_logfile() tell where the server writes",
		}
	}
	if bad, ok := errors.AsType[*fs.PathError](err); ok {
		err = bad.Err
	}
	return fmt.Errorf("read the log %s: %w", pattern, err)
}

// formatOf returns the format that says most of those that files have.
func formatOf(files []file) Format {
	best := Text
	for _, f := range files {
		best = max(best, formatOfName(f.path))
	}
	return best
}

func formatOfName(path string) Format {
	name := strings.ToLower(filepath.Base(path))
	switch {
	case strings.HasSuffix(name, ".json") || strings.Contains(name, ".json."):
		return JSON
	case strings.HasSuffix(name, ".csv") || strings.Contains(name, ".csv."):
		return CSV
	}
	return Text
}

// following returns the files to read from a place on, oldest first. A file
// that was renamed is looked for in its directory; lost says that it is gone.
func following(files []file, from Place) (todo []file, lost bool) {
	current, found := find(files, from)
	if !found {
		if current, found = find(siblings(from.Path), from); found {
			files = append([]file{current}, files...)
		}
	}
	if !found {
		for i := range files {
			if files[i].path == from.Path {
				return files[i:], true // cut short, or made anew
			}
		}
		return files[len(files)-1:], true
	}
	for _, f := range files {
		switch {
		case f.device == current.device && f.inode == current.inode:
			current.from = from.Offset
			todo = append([]file{current}, todo...)
		case !f.modified.Before(current.modified):
			todo = append(todo, f)
		}
	}
	return todo, false
}

// find returns the file of a place, if it still holds what was read of it.
func find(files []file, at Place) (file, bool) {
	for _, f := range files {
		if f.device == at.Device && f.inode == at.Inode && f.size >= at.Offset {
			sum, err := head(f.path, at.HeadLen)
			return f, err == nil && sum == at.Head
		}
	}
	return file{}, false
}

// siblings are the files beside a path.
func siblings(path string) (files []file) {
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil // then the file is lost
	}
	for _, e := range entries[:min(len(entries), maxFiles)] {
		if f, err := stat(filepath.Join(filepath.Dir(path), e.Name())); err == nil {
			files = append(files, f)
		}
	}
	return files
}

// skip leaves the oldest bytes out where too many wait.
func (r *Reading) skip(todo []file) {
	left := int64(0)
	for i := len(todo) - 1; i >= 0; i-- {
		f := &todo[i]
		if n := left + f.size - f.from - maxBehind; n > 0 {
			n = min(n, f.size-f.from)
			f.from += n
			r.Skipped += n
		}
		left += f.size - f.from
	}
}

// read reads a file on, at most limit bytes.
func (r *Reading) read(f *file, p *Parser, limit int64) error {
	piece, err := pieceOf(f, limit)
	if err != nil {
		return err
	}
	all := f.from+int64(len(piece)) >= f.size
	got := p.Parse(piece, all && f.whole)
	if got.Used == 0 && int64(len(piece)) == limit {
		got = p.Parse(piece, true) // longer than a whole reading: it is broken
	}
	f.from += int64(got.Used)
	r.Records = append(r.Records, got.Records...)
	r.Bytes += int64(len(piece))
	r.Broken += got.Broken
	r.Next, err = placeIn(*f, f.from)
	return err
}

func pieceOf(f *file, limit int64) (piece []byte, err error) {
	limit = min(limit, f.size-f.from)
	if limit <= 0 {
		return nil, nil
	}
	in, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	piece = make([]byte, limit)
	n, err := in.ReadAt(piece, f.from)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return piece[:n], err
}

// headBytes is how much of a file tells it from another.
const headBytes = 256

func placeIn(f file, offset int64) (Place, error) {
	n := int(min(headBytes, f.size))
	sum, err := head(f.path, n)
	return Place{Path: f.path, Device: f.device, Inode: f.inode, Offset: offset, Head: sum, HeadLen: n}, err
}

func head(path string, n int) (sum uint32, err error) {
	in, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	b := make([]byte, n)
	if _, err := io.ReadFull(in, b); err != nil {
		return 0, err
	}
	return crc32.ChecksumIEEE(b), nil
}

package pgserver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// Install is one set of server binaries on this machine.
type Install struct {
	Bin     string // directory of postgres and initdb
	Share   string // directory that holds extension/
	Major   int
	Version string // "15.18"
}

// The supported major versions.
const oldest, newest = 14, 18

// watchable says whether pgvigil can watch a server of the install.
func (in Install) watchable() bool {
	return in.Major >= oldest && in.Major <= newest && in.HasExtension("pg_stat_statements")
}

// ErrNotFound says that no server binaries of the wanted version were found.
var ErrNotFound = errors.New("no Postgres server binaries found")

// HasExtension says whether the install offers an extension of that name.
func (in Install) HasExtension(name string) bool {
	_, err := os.Stat(filepath.Join(in.Share, "extension", name+".control"))
	return err == nil
}

// Find returns the first install of the given major version, or for major 0 of
// any that pgvigil can watch: a supported version with pg_stat_statements (one
// with HypoPG is preferred, and after that the newest). It
// looks in PGVIGIL_PG_BIN (directories separated like PATH), in PATH, in
// /usr/lib/postgresql/*/bin and in the npm packages beside the working
// directory or the executable.
func Find(ctx context.Context, major int) (Install, error) {
	found := All(ctx)
	if major == 0 {
		found = slices.DeleteFunc(found, func(in Install) bool { return !in.watchable() })
		if len(found) == 0 {
			return Install{}, notFound(fmt.Sprintf("of version %d to %d with pg_stat_statements", oldest, newest))
		}
		return slices.MaxFunc(found, preference), nil
	}
	for _, in := range found {
		if in.Major == major {
			return in, nil
		}
	}
	return Install{}, notFound("of version " + strconv.Itoa(major))
}

// All returns every install found, the first of each major version only.
func All(ctx context.Context) []Install {
	var found []Install
	seen := map[int]bool{}
	for _, dir := range candidates() {
		in, err := inspect(ctx, dir)
		if err != nil || seen[in.Major] {
			continue
		}
		seen[in.Major] = true
		found = append(found, in)
	}
	return found
}

func notFound(what string) error {
	return &pgvigil.Hint{
		Err:    fmt.Errorf("find a Postgres server %s: %w", what, ErrNotFound),
		Advice: "run make tools in the source tree, install Debian's postgresql, or set PGVIGIL_PG_BIN to the directory of postgres and initdb",
	}
}

func preference(a, b Install) int {
	if ha, hb := a.HasExtension("hypopg"), b.HasExtension("hypopg"); ha != hb {
		if ha {
			return 1
		}
		return -1
	}
	return a.Major - b.Major
}

func candidates() []string {
	dirs := filepath.SplitList(os.Getenv("PGVIGIL_PG_BIN"))
	dirs = append(dirs, filepath.SplitList(os.Getenv("PATH"))...)
	dirs = append(dirs, sortedGlob("/usr/lib/postgresql/*/bin")...)
	for _, root := range moduleRoots() {
		dirs = append(dirs, sortedGlob(filepath.Join(root, "node_modules", "postgres-*", "native", "bin"))...)
	}
	return dirs
}

// moduleRoots are the folders whose node_modules may hold servers: the working
// directory and the executable's, each with its parents.
func moduleRoots() []string {
	var starts, roots []string
	if wd, err := os.Getwd(); err == nil {
		starts = append(starts, wd)
	}
	if exe, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(exe))
	}
	for _, dir := range starts {
		for ; ; dir = filepath.Dir(dir) {
			roots = append(roots, dir)
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	return roots
}

func sortedGlob(pattern string) []string {
	dirs, _ := filepath.Glob(pattern)
	slices.Sort(dirs)
	slices.Reverse(dirs)
	return dirs
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)(\.\d+)?`)

func inspect(ctx context.Context, dir string) (Install, error) {
	postgres, err := filepath.EvalSymlinks(filepath.Join(dir, "postgres"))
	if err != nil {
		return Install{}, err
	}
	dir = filepath.Dir(postgres)
	if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
		return Install{}, err
	}
	out, err := exec.CommandContext(ctx, postgres, "--version").Output()
	if err != nil {
		return Install{}, fmt.Errorf("ask %s for its version: %w", postgres, err)
	}
	m := versionPattern.FindStringSubmatch(string(out))
	if m == nil {
		return Install{}, fmt.Errorf("read the version of %s from %q", postgres, strings.TrimSpace(string(out)))
	}
	major, err := strconv.Atoi(m[1])
	if err != nil {
		return Install{}, err
	}
	return Install{Bin: dir, Share: shareDir(dir, major), Major: major, Version: m[1] + m[2]}, nil
}

// shareDir knows the layouts of Debian, Fedora, of a build from source and of
// the npm packages.
func shareDir(bin string, major int) string {
	for _, dir := range []string{
		filepath.Join("/usr/share/postgresql", strconv.Itoa(major)),
		filepath.Join(bin, "..", "share", "postgresql"),
		filepath.Join(bin, "..", "share", "pgsql"), // Fedora's
		filepath.Join(bin, "..", "share"),
	} {
		if strings.HasPrefix(dir, "/usr/share") && !strings.HasPrefix(bin, "/usr/lib/postgresql") {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "extension")); err == nil {
			return filepath.Clean(dir)
		}
	}
	return ""
}

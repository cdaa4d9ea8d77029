package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// TestREADMECommandsExist holds every command that the documents show against
// the command line: the command is there, and takes its flags and arguments.
func TestREADMECommandsExist(t *testing.T) {
	for _, file := range []string{"../../README.md", "../../CONTRIBUTING.md", "../../ARCHITECTURE.md", "../../docs/footprint.md"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range shownCommands(string(content)) {
			if err := understood(strings.Fields(line)); err != nil {
				t.Errorf("%s shows %q: %v", file, line, err)
			}
		}
	}
	if got := shownCommands("    bin/pgvigil nonsense --flag"); len(got) != 1 || understood(strings.Fields(got[0])) == nil {
		t.Errorf("a command that is none is not noticed: %q", got)
	}
}

// readmeScript makes a script of every pgvigil command line of the README, in its
// order, for TestScripts to run against a real server: a target with an alert,
// watched by the service from where the README starts it.
//
// demo is left out: a run takes minutes, and it has scripts of its own.
func readmeScript(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	script := readmePrologue
	ran := 0
	for _, line := range shownCommands(string(content)) {
		ran++
		switch strings.Fields(line)[0] {
		case "demo":
		case "serve":
			script += "exec pgvigil " + line + " &serve&\nwaitfor world.duckdb.sock\n"
		default:
			script += "works pgvigil " + asHere.Replace(line) + "\n"
		}
	}
	if ran < 10 || !strings.Contains(script, "&serve&") {
		t.Errorf("the README shows %d commands, or no serve: the pattern is wrong", ran)
	}
	path := filepath.Join(t.TempDir(), "readme.txtar")
	if err := os.WriteFile(path, []byte(script+"kill -INT serve\nwait serve\nexists week.html\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readmePrologue is what somebody has who comes to "Then:" in the README: a
// configuration that names a server, and, for what follows, an alert.
const readmePrologue = `# Every command line of the README.
cp world.yaml pgvigil.yaml
exec pgvigil collect
sql $PG_WORLD 'SELECT id, name FROM jobs WHERE partition_id = 1 AND name = $$readme$$ ORDER BY id DESC LIMIT 20'
exec pgvigil collect
sql $PG_WORLD 'SELECT id, name FROM jobs WHERE partition_id = 1 AND name = $$readme$$ ORDER BY id DESC LIMIT 20'
exec pgvigil collect
convict world.duckdb 'FROM jobs WHERE partition_id'
`

// asHere puts the servers and times of the test in place of the README's.
var asHere = strings.NewReplacer("postgres://pgvigil@db1/postgres", "$PG", "--every 60s", "--every 200ms")

// TestMakeTargetsOfTheREADMEExist does the same for make.
func TestMakeTargetsOfTheREADMEExist(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"../../README.md", "../../CONTRIBUTING.md", "../../docs/footprint.md", "../../docs/bloat.md"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile("(?m)(?:^    |`)make ([a-z-]+)").FindAllStringSubmatch(string(content), -1) {
			if !regexp.MustCompile(`(?m)^` + m[1] + `:`).Match(makefile) {
				t.Errorf("%s shows make %s, which is no target", file, m[1])
			}
		}
	}
}

var shown = regexp.MustCompile("(?m)^    bin/pgvigil ([^#>\n]*)|`(?:bin/)?pgvigil ([a-z][^`\n]*)`")

func shownCommands(text string) []string {
	var lines []string
	for _, m := range shown.FindAllStringSubmatch(text, -1) {
		lines = append(lines, strings.TrimSpace(m[1]+m[2]))
	}
	return lines
}

func understood(args []string) error {
	root := newRoot(&ui{in: strings.NewReader(""), out: io.Discard, err: io.Discard})
	cmd, rest, err := root.Find(args)
	if err != nil {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

// TestTheFootprintIsWhatIsSaid: the bounds of docs/footprint.md are those of the
// code, the removal works, and nothing is left on a server.
func TestTheFootprintIsWhatIsSaid(t *testing.T) {
	content, err := os.ReadFile("../../docs/footprint.md")
	if err != nil {
		t.Fatal(err)
	}
	d := pgvigil.DefaultTimeouts
	for _, part := range []string{
		fmt.Sprintf("| `lock_timeout` | %d ms |", d.Lock.Milliseconds()),
		fmt.Sprintf("| `statement_timeout` | %.0f s;", d.Statement.Seconds()),
		fmt.Sprintf("| a whole pass | %.0f s |", d.Pass.Seconds()),
	} {
		if !strings.Contains(string(content), part) {
			t.Errorf("docs/footprint.md lacks %q", part)
		}
	}
	s := pgtest.Own(t, 18, pgserver.Options{})
	dsn := s.DSN("postgres")
	pgtest.Exec(t, dsn, "CREATE EXTENSION pg_stat_statements; CREATE TABLE builds AS SELECT 1 AS id; CREATE ROLE pgvigil LOGIN; GRANT pg_monitor, pg_read_all_data TO pgvigil")
	objects := "SELECT (SELECT count(*) FROM pg_class) + (SELECT count(*) FROM pg_proc) + (SELECT count(*) FROM pg_namespace) + (SELECT count(*) FROM pg_roles)" +
		" + (SELECT count(*) FROM pg_extension) + (SELECT count(*) FROM pg_replication_slots)"
	conn := pgtest.Connect(t, dsn)
	var before, after int
	if err := conn.QueryRow(t.Context(), objects).Scan(&before); err != nil {
		t.Fatal(err)
	}
	_, _ = diagnosed(t, dsn, "pgvigil")
	lookNow(t, nowOptions{dsn: strings.Replace(dsn, "user=postgres", "user=pgvigil", 1)})
	if err := conn.QueryRow(t.Context(), objects).Scan(&after); err != nil || before != after {
		t.Errorf("%d objects before, %d after, %v; want nothing created", before, after, err)
	}
	_, removal, _ := strings.Cut(string(content), "## How to remove it")
	for _, m := range regexp.MustCompile(`(?m)^    ([A-Z][^;]*;)`).FindAllStringSubmatch(removal, -1) {
		pgtest.Exec(t, dsn, m[1])
	}
	var there bool
	if err := conn.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'pgvigil')").Scan(&there); err != nil || there {
		t.Errorf("after the removal the role is there: %v, %v", there, err)
	}
}

package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"

	"github.com/pgvigil/pgvigil"
)

// text makes a configuration of content alone.
func text(content string) (*Config, error) {
	return input{path: "pgvigil.yaml", content: []byte(content)}.load(versions{Version, migrations})
}

const minimal = "version: 1\ntargets:\n  ci:\n    host: localhost\n"

func TestHostileFilesEndInAnError(t *testing.T) {
	tests := map[string]string{
		"a deep nest":       "version: 1\ntargets: " + strings.Repeat("{a: ", 20000) + "\n",
		"deep lists":        strings.Repeat("[", 100000),
		"a deep indent":     "version: 1\n" + nest(2000),
		"a long key":        "version: 1\n" + strings.Repeat("k", 200000) + ": 1\n",
		"a million keys":    "version: 1\n" + strings.Repeat("a: 1\n", 100000),
		"a zero byte":       "version: 1\x00\n",
		"a UTF-16 file":     "\xff\xfev\x00e\x00r\x00",
		"an endless scalar": "version: 1\nlog: {level: '" + strings.Repeat("x", 500000) + "'}\n",
	}
	for name, content := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := text(content); err == nil || len(err.Error()) > 64<<20 {
				t.Errorf("load = nil or a huge error; want an error")
			}
		})
	}
}

func nest(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "k:\n")
	}
	return b.String()
}

func TestFileIsReadWithCare(t *testing.T) {
	dir := t.TempDir()
	huge := filepath.Join(dir, "huge.yaml")
	if err := os.WriteFile(huge, make([]byte, maxFile+1), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ path, want string }{
		"no file":     {filepath.Join(dir, "none.yaml"), "there is no file"},
		"a directory": {dir, "read the configuration"},
		"a huge file": {huge, "larger than 1 MB"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := Load(tt.path, nil, nil); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Load = %v; want %q", err, tt.want)
			}
		})
	}
}

func TestLaterLayersWin(t *testing.T) {
	const file = minimal + "log: {level: warn, format: json}\nhistory: {path: a.duckdb, retention: 30d}\n"
	in := input{
		path: "pgvigil.yaml", content: []byte(file),
		environ: []string{"PGVIGIL_LOG_LEVEL=error", "PGVIGIL_HISTORY_PATH=b.duckdb", "PGVIGIL_TARGETS_CI_PORT=5433", "PGVIGIL_TARGETS_CI_LABELS_OWNER=me", "HOME=/"},
		flags:   map[string]string{"history.path": "c.duckdb"},
	}
	c, err := in.load(versions{Version, migrations})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{
		"log.level": c.Log.Level, "log.format": c.Log.Format, "history.path": c.History.Path,
		"history.retention": c.History.Retention.String(), "schedule.every": c.Schedule.Every.String(),
		"targets.ci.schedule.every": c.Targets["ci"].Schedule.Every.String(), "targets.ci.labels.owner": c.Targets["ci"].Labels["owner"],
	}
	want := map[string]string{
		"log.level": "error", "log.format": "json", "history.path": "c.duckdb",
		"history.retention": "30d", "schedule.every": "1m", "targets.ci.schedule.every": "1m", "targets.ci.labels.owner": "me",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("values (-want +got):\n%s", diff)
	}
	origins := map[string]string{}
	for k := range want {
		origins[k] = c.Origin(k).String()
	}
	wantOrigins := map[string]string{
		"log.level": "environment PGVIGIL_LOG_LEVEL", "log.format": "pgvigil.yaml:5", "history.path": "flag for history.path",
		"history.retention": "pgvigil.yaml:6", "schedule.every": "default",
		"targets.ci.schedule.every": "inherited from schedule.every", "targets.ci.labels.owner": "environment PGVIGIL_TARGETS_CI_LABELS_OWNER",
	}
	if diff := cmp.Diff(wantOrigins, origins); diff != "" {
		t.Errorf("origins (-want +got):\n%s", diff)
	}
}

func TestATargetsOwnScheduleReplacesTheCommonOne(t *testing.T) {
	tests := map[string]struct{ yaml, want string }{
		"the default":             {minimal, "@every 1m0s"},
		"a common period":         {minimal + "schedule: {every: 2m}\n", "@every 2m0s"},
		"a common cron":           {minimal + "schedule: {cron: '0 * * * *'}\n", "0 * * * *"},
		"its own period":          {minimal + "    schedule: {every: 1h}\nschedule: {cron: '0 * * * *'}\n", "@every 1h0m0s"},
		"its own cron":            {minimal + "    schedule: {cron: '5 * * * *'}\nschedule: {every: 2m}\n", "5 * * * *"},
		"its own jitter, no more": {minimal + "    schedule: {jitter: 1s}\nschedule: {every: 2m}\n", "@every 2m0s"},
		"a zone":                  {minimal + "    schedule: {cron: 'CRON_TZ=UTC 5 * * * *'}\n", "CRON_TZ=UTC 5 * * * *"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := text(tt.yaml)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Targets["ci"].Schedule.Spec(); got != tt.want {
				t.Errorf("Spec() = %q; want %q", got, tt.want)
			}
		})
	}
}

func TestVariables(t *testing.T) {
	tests := map[string]struct{ kv, want string }{
		"a misspelt one":              {"PGVIGIL_HISTORY_PAHT=x", "did you mean PGVIGIL_HISTORY_PATH?"},
		"a target that is not there":  {"PGVIGIL_TARGETS_PROD_HOSTNAME_X=x", "cannot add one"},
		"a bad value":                 {"PGVIGIL_LOG_LEVEL=loud", "environment PGVIGIL_LOG_LEVEL: log.level"},
		"a bad list":                  {"PGVIGIL_SERVER_HOSTS=[a", "the list cannot be read"},
		"an empty one":                {"PGVIGIL_HISTORY_PAHT=", ""},
		"ours for other things":       {"PGVIGIL_PG_BIN=/x", ""},
		"of a test":                   {"PGVIGIL_TEST_MAJORS=15", ""},
		"of Kubernetes: a host":       {"PGVIGIL_SERVICE_HOST=10.0.0.1", ""},
		"of Kubernetes: a port":       {"PGVIGIL_PORT=tcp://10.0.0.1:80", ""},
		"of Kubernetes: a named port": {"PGVIGIL_SERVICE_PORT_HTTP=80", ""},
		"of Kubernetes: an address":   {"PGVIGIL_PORT_80_TCP_ADDR=10.0.0.1", ""},
		"of another program":          {"PGHOST=x", ""},
		"a list":                      {"PGVIGIL_SERVER_HOSTS=a, b", ""},
		"a list with commas":          {"PGVIGIL_TARGETS_CI_PASSWORD_COMMAND=[aws, 'a,b']", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := input{path: "pgvigil.yaml", content: []byte(minimal), environ: []string{tt.kv}}
			_, err := in.load(versions{Version, migrations})
			switch {
			case tt.want == "" && err != nil:
				t.Errorf("load with %s = %v; want nil", tt.kv, err)
			case tt.want != "" && (err == nil || !strings.Contains(err.Error()+" "+pgvigil.Advice(err), tt.want)):
				t.Errorf("load with %s = %v (%s); want %q", tt.kv, err, pgvigil.Advice(err), tt.want)
			}
		})
	}
}

func TestAVariableThatMayMeanTwoTargetsIsRefused(t *testing.T) {
	in := input{
		path: "pgvigil.yaml", content: []byte("version: 1\ntargets: {a-b: {host: localhost}, a_b: {host: localhost}}\n"),
		environ: []string{"PGVIGIL_TARGETS_A_B_PORT=5433"},
	}
	_, err := in.load(versions{Version, migrations})
	if err == nil || !strings.Contains(err.Error(), "targets.a-b.port or targets.a_b.port") {
		t.Errorf("load = %v; want both keys named", err)
	}
}

func TestFlagsAreChecked(t *testing.T) {
	for path, want := range map[string]string{
		"history.paht": "did you mean history.path?", "history": "holds keys", "targets.a b.host": "is not allowed",
	} {
		in := input{flags: map[string]string{path: "x"}}
		_, err := in.load(versions{Version, migrations})
		if err == nil || !strings.Contains(err.Error()+pgvigil.Advice(err), want) {
			t.Errorf("flag %s: %v; want %q", path, err, want)
		}
	}
}

func TestWithoutAFileDefaultsHold(t *testing.T) {
	c, err := Load("", nil, map[string]string{"targets.ci.dsn": "host=localhost"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Schedule.Every.Std() != time.Minute || c.History.Path != "pgvigil.duckdb" || c.Targets["ci"].Timeouts.Root() != pgvigil.DefaultTimeouts {
		t.Errorf("Load without a file = %+v; want the defaults", c)
	}
}

func TestAnOlderVersionIsMigrated(t *testing.T) {
	// Version 0 of this test called targets hosts, and version 1 called them servers.
	rename := func(from, to string) func(*yaml.Node) error {
		return func(root *yaml.Node) error {
			for i := 0; i < len(root.Content); i += 2 {
				if root.Content[i].Value == from {
					root.Content[i].Value = to
					return nil
				}
			}
			return errors.New("there is no key " + from)
		}
	}
	v := versions{2, []migration{{0, rename("hosts", "servers")}, {1, rename("servers", "targets")}}}
	tests := map[string]struct{ yaml, want string }{
		"from the first":      {"version: 0\nhosts: {ci: {host: localhost}}\n", ""},
		"from the second":     {"version: 1\nservers: {ci: {host: localhost}}\n", ""},
		"from today's":        {"version: 2\ntargets: {ci: {host: localhost}}\n", ""},
		"a step that cannot":  {"version: 0\nservers: {}\n", "pgvigil.yaml:1: migrate the file from version 0 to 1: there is no key hosts"},
		"lines stay in place": {"version: 0\nhosts:\n  ci:\n    hots: localhost\n    host: x\n", "pgvigil.yaml:4: unknown key targets.ci.hots"},
		"of tomorrow":         {"version: 3\n", "newer than this pgvigil knows (2)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, err := input{path: "pgvigil.yaml", content: []byte(tt.yaml)}.load(v)
			if tt.want != "" {
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("load = %v; want %q", err, tt.want)
				}
				return
			}
			if err != nil || c.Version != 2 || c.Targets["ci"].Host != "localhost" {
				t.Fatalf("load = %+v, %v; want target ci of version 2", c, err)
			}
			if old := !strings.HasPrefix(tt.yaml, "version: 2"); old != (len(c.Warnings) == 1) {
				t.Errorf("warnings = %v; want one for an old file only", c.Warnings)
			}
		})
	}
}

func TestDefaultsAndExamplesAreAccepted(t *testing.T) {
	root().leaves(func(k *key) {
		for _, sample := range []string{k.def, k.example, k.starter} {
			if sample == "" {
				continue
			}
			var n yaml.Node
			if err := yaml.Unmarshal([]byte(sample), &n); err != nil {
				t.Errorf("%s: sample %s: %v", k.path, sample, err)
				continue
			}
			problems := &problemList{}
			f := &fileReader{path: k.path, layer: newLayer(), problems: problems}
			f.value(n.Content[0], k, k.path)
			if err := problems.err(); err != nil {
				t.Errorf("%s: sample %s: %v", k.path, sample, err)
			}
		}
	})
}

func TestEveryKeyIsDocumented(t *testing.T) {
	root().each(func(k *key) {
		if k.doc == "" && k.name != "*" {
			t.Errorf("%s has no doc tag", k.path)
		}
	})
}

func FuzzLoad(f *testing.F) {
	f.Add(minimal)
	f.Add(minimal + "    dsn: host='a\n")
	f.Add("version: 1\na: &a [*a]\n")
	starter, err := os.ReadFile("testdata/starter.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(starter))
	f.Fuzz(func(t *testing.T, content string) {
		c, err := text(content)
		if err != nil {
			var ps Problems
			if !errors.As(err, &ps) || ps.Error() == "" {
				t.Errorf("load(%q) = %v; want Problems", content, err)
			}
			return
		}
		var b strings.Builder
		if err := c.Show(&b); err != nil {
			t.Fatal(err)
		}
	})
}

func TestAHigherSourceReplacesAnotherWayToSayTheSame(t *testing.T) {
	const file = minimal + "    password: a\nhistory: {dsn: host=x}\nschedule: {cron: '* * * * *'}\n"
	in := input{
		path: "pgvigil.yaml", content: []byte(file),
		environ: []string{"PGVIGIL_TARGETS_CI_PASSWORD_FILE=b", "PGVIGIL_SCHEDULE_EVERY=5m"},
		flags:   map[string]string{"history.path": "h.duckdb"},
	}
	c, err := in.load(versions{Version, migrations})
	if err != nil {
		t.Fatal(err)
	}
	if ci := c.Targets["ci"]; ci.Password != "" || ci.PasswordFile != "b" || ci.Schedule.Spec() != "@every 5m0s" {
		t.Errorf("target = %+v; want the variables' password file and period", ci)
	}
	if c.History.DSN != "" || c.History.Path != "h.duckdb" || c.Server.Socket != "h.duckdb.sock" {
		t.Errorf("history = %+v, socket %s; want the flag's file and its socket", c.History, c.Server.Socket)
	}
}

func TestManyProblemsAreCut(t *testing.T) {
	_, err := text("version: 1\n" + strings.Repeat("a: 1\n", 1000))
	var ps Problems
	if !errors.As(err, &ps) || len(ps) != maxProblems+1 || ps[maxProblems].Text != "and 950 more" {
		t.Errorf("load = %d problems; want %d and the rest in a line", len(ps), maxProblems)
	}
}

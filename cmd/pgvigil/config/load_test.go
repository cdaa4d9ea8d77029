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

func TestEveryProblemIsSaidWithItsPlaceAndRemedy(t *testing.T) {
	tests := map[string]struct {
		yaml string
		want []string // "line|part of the text|part of the advice"
	}{
		"an unknown key": {
			minimal + "histry: x\n",
			[]string{"5|unknown key histry|did you mean history?"},
		},
		"an unknown key in a target": {
			minimal + "    pasword_file: x\n",
			[]string{"5|unknown key targets.ci.pasword_file|targets.ci.password_file"},
		},
		"a key in the wrong place": {
			minimal + "retention: 90d\n",
			[]string{"5|unknown key retention|did you mean history.retention?"},
		},
		"a key that resembles nothing": {
			minimal + "frobnicate: 1\n",
			[]string{"5|unknown key frobnicate|docs/configuration.md"},
		},
		"several at once": {
			"version: 1\ntargets:\n  ci:\n    host: localhost\n    port: many\nschedule: {every: 60}\nlog: {level: loud}\n",
			[]string{"5|targets.ci.port: \"many\" is not a whole number|digits", "6|schedule.every: duration \"60\" has no unit|60s", "7|log.level: \"loud\" is not one of|docs"},
		},
		"a key that stands twice": {
			minimal + "targets: {}\n",
			[]string{"5|key targets stands twice, first in line 2|keep one"},
		},
		"no version":         {"targets: {}\n", []string{"1|the key version is missing|version: 1 in the first line"}},
		"a version to come":  {"version: 2\n", []string{"1|version 2, newer than this pgvigil knows (1)|newer one"}},
		"a version that was": {"version: 0\n", []string{"1|version 0 is no longer read|config init"}},
		"a version in words": {"version: one\n", []string{"1|version \"one\" is not a number|version: 1"}},
		"an empty file":      {"", []string{"0|the file is empty|config init"}},
		"only a comment":     {"# nothing\n", []string{"0|the file is empty|config init"}},
		"a list":             {"- version: 1\n", []string{"1|not a mapping|config init"}},
		"two documents":      {"version: 1\n---\nversion: 1\n", []string{"0|more than one YAML document|keep one"}},
		"tabs":               {"version: 1\ntargets:\n\tci: {}\n", []string{"3|not YAML|spaces, not tabs"}},
		"no UTF-8":           {"version: 1\nlog: {level: \xff}\n", []string{"0|not UTF-8|UTF-8"}},
		"a control character": {
			"version: 1\nlog: {level: \x01}\n", []string{"0|not YAML|quotes"},
		},
		"a bomb of aliases": {
			"version: 1\na: &a [x,x,x]\nb: &b [*a,*a,*a]\ntargets: *b\n",
			[]string{"2|unknown key a|", "3|unknown key b|", "4|anchors (&) and aliases (*) are not supported|"},
		},
		"an anchor":                  {minimal + "log: &l {level: info}\n", []string{"5|anchors|single quotes"}},
		"a merge key":                {minimal + "  two:\n    <<: {host: x}\n    host: localhost\n", []string{"6|unknown key targets.two.<<|"}},
		"a password that is a star":  {minimal + "    password: *swordfish\n", []string{"5|a value begins with *|single quotes"}},
		"a password with a tag":      {minimal + "    password: !swordfish x\n", []string{"5|tags (!) are not supported|single quotes"}},
		"a value where keys belong":  {minimal + "log: info\n", []string{"5|log holds keys, not a value|indent"}},
		"a list where a value is":    {minimal + "log: {level: [info]}\n", []string{"5|log.level is one value|one line"}},
		"a value where a list is":    {minimal + "    password_command: aws\n", []string{"5|targets.ci.password_command is a list|[one, two]"}},
		"a list of lists":            {minimal + "    password_command: [[aws]]\n", []string{"5|list of single values|[one, two]"}},
		"a target's name":            {"version: 1\ntargets:\n  a b:\n    host: x\n", []string{"3|target name \"a b\" is not allowed|letters"}},
		"a label's name":             {minimal + "    labels: {app.io/x: y}\n", []string{"5|label name \"app.io/x\" is not allowed|Prometheus"}},
		"a target without a place":   {"version: 1\ntargets:\n  ci:\n    user: x\n", []string{"4|targets.ci: it says neither dsn nor host|host"}},
		"a place said twice":         {minimal + "    dsn: host=x\n", []string{"4|targets.ci.host: given beside dsn|keep one"}},
		"a secret said twice":        {minimal + "    password: a\n    password_file: b\n", []string{"6|targets.ci.password_file: given beside targets.ci.password|keep one"}},
		"a password said twice":      {"version: 1\ntargets:\n  ci:\n    dsn: postgres://u:swordfish@localhost/\n    password_env: B\n", []string{"4|the password is given twice|connection string"}},
		"a port out of range":        {minimal + "    port: 70000\n", []string{"5|70000 is not a port|65535"}},
		"a URL for a host":           {"version: 1\ntargets:\n  ci:\n    host: postgres://u:swordfish@h\n", []string{"4|targets.ci.host: this is not a host name|dsn"}},
		"a service":                  {"version: 1\ntargets:\n  ci:\n    dsn: service=x\n", []string{"4|service files are not supported|host"}},
		"a broken dsn":               {"version: 1\ntargets:\n  ci:\n    dsn: \"host='a password=swordfish\"\n", []string{"4|targets.ci.dsn: the connection string cannot be read|quotes"}},
		"another database":           {"version: 1\ntargets:\n  ci:\n    dsn: mysql://u:swordfish@h/d\n", []string{"4|URL of another kind|postgres://"}},
		"a bad pattern":              {minimal + "    databases: {include: ['[a']}\n", []string{"5|targets.ci.databases.include: \"[a\" is not a pattern|close every ["}},
		"a bad cron expression":      {minimal + "    schedule: {cron: '* * *'}\n", []string{"5|is not a cron expression|five fields"}},
		"a cron zone that panics":    {minimal + "    schedule: {cron: 'TZ=0'}\n", []string{"5|time zone alone|five fields"}},
		"cron and every":             {minimal + "    schedule: {cron: '* * * * *', every: 1m}\n", []string{"5|schedule.cron: given beside every|keep one"}},
		"too often":                  {minimal + "schedule: {every: 10ms}\n", []string{"5|schedule.every: 10ms is too short|at least 1s"}},
		"more jitter than period":    {minimal + "schedule: {every: 5s, jitter: 5s}\n", []string{"5|schedule.jitter: 5s is not shorter|fraction"}},
		"no timeout":                 {minimal + "timeouts: {lock: 0s}\n", []string{"5|timeouts.lock: 0s is too short|bound"}},
		"a history in two places":    {minimal + "history: {path: a, dsn: host=x}\n", []string{"5|history.path: given beside history.dsn|keep one"}},
		"a history too short":        {minimal + "history: {retention: 1h}\n", []string{"5|history.retention: 1h is too short|1d"}},
		"a history without memory":   {minimal + "history: {memory: 1MB}\n", []string{"5|history.memory: 1MB is too little|64MB"}},
		"a service for all":          {minimal + "server: {listen: ':80'}\n", []string{"5|server.listen: other machines can reach|127.0.0.1"}},
		"a listener without a port":  {minimal + "server: {listen: localhost}\n", []string{"5|server.listen: \"localhost\" is not an address|127.0.0.1:8432"}},
		"a model without a key":      {minimal + "llm: {provider: gemini}\n", []string{"5|llm.provider: gemini needs a key|llm.key_file"}},
		"a key over plain HTTP":      {minimal + "llm: {endpoint: 'http://example.com'}\n", []string{"5|llm.endpoint: the key would cross|https"}},
		"a key in the endpoint":      {minimal + "llm: {endpoint: 'https://u:swordfish@example.com'}\n", []string{"5|llm.endpoint: the address holds a user|llm.key_file"}},
		"a flag that is no flag":     {minimal + "server: {allow_remote: yes}\n", []string{"5|\"yes\" is neither true nor false|true or false"}},
		"a key that is no word":      {minimal + "[a]: b\n", []string{"5|a key is not a word|key: value"}},
		"a size without a unit":      {minimal + "history: {memory: 512}\n", []string{"5|size \"512\" has no unit|512MB"}},
		"a scratch DSN from nowhere": {minimal + "scratch: {dsn: service=x}\n", []string{"5|scratch.dsn: service files|host"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := text(tt.yaml)
			var ps Problems
			if !errors.As(err, &ps) {
				t.Fatalf("load = %v; want Problems", err)
			}
			if len(ps) != len(tt.want) {
				t.Fatalf("%d problems; want %d:\n%v", len(ps), len(tt.want), ps)
			}
			for i, p := range ps {
				matches(t, p, tt.want[i])
			}
			if strings.Contains(ps.Error()+pgvigil.Advice(err), "swordfish") {
				t.Errorf("the error shows the secret: %v", ps)
			}
		})
	}
}

func matches(t *testing.T, p Problem, want string) {
	t.Helper()
	parts := strings.Split(want, "|")
	at := Origin{Source: "pgvigil.yaml"}
	if parts[0] != "0" {
		at.Line = int(parts[0][0] - '0')
	}
	p.At.rank = 0
	if p.At != at || !strings.Contains(p.Text, parts[1]) || !strings.Contains(p.Advice, parts[2]) || p.Advice == "" {
		t.Errorf("problem = %v (%s); want %s", p, p.Advice, want)
	}
}

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

package config

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pgvigil/pgvigil"
)

// loaded makes a configuration in which DIR stands for a directory of the test.
func loaded(t *testing.T, yaml string, environ ...string) (*Config, string) {
	t.Helper()
	dir := t.TempDir()
	in := input{path: "pgvigil.yaml", content: []byte(strings.ReplaceAll(yaml, "DIR", dir)), environ: append(environ, "PATH="+os.Getenv("PATH"))}
	c, err := in.load(versions{Version, migrations})
	if err != nil {
		t.Fatal(err)
	}
	return c, dir
}

func write(t *testing.T, path, content string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), mode); err != nil {
		t.Fatal(err)
	}
}

func TestResolveMakesATarget(t *testing.T) {
	c, _ := loaded(t, `version: 1
targets:
  ci:
    host: db1.example.com
    user: pgvigil
    password: it's
    sslrootcert: DIR/ca.pem
    databases: {include: [ci_*], exclude: ['*_test']}
    timeouts: {pass: 1m}
    labels: {owner: me}
`)
	got, err := c.Resolve(t.Context(), "ci")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(got.DSN.Reveal(), `sslmode='verify-full' password='it\'s' sslrootcert=`) ||
		!strings.HasSuffix(got.DSN.Reveal(), ` dbname='postgres' user='pgvigil' port='5432' host='db1.example.com'`) {
		t.Errorf("DSN = %s", got.DSN.Reveal())
	}
	want := pgvigil.Target{
		Name: "ci", DSN: got.DSN, Databases: []string{"ci_*"}, ExcludeDatabases: []string{"*_test"}, Labels: map[string]string{"owner": "me"},
		Timeouts: pgvigil.Timeouts{Connect: 5 * time.Second, Statement: 10 * time.Second, Lock: 100 * time.Millisecond, Pass: time.Minute},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("target (-want +got):\n%s", diff)
	}
	if _, err := c.Resolve(t.Context(), "cj"); err == nil || !strings.Contains(pgvigil.Advice(err), "did you mean ci?") {
		t.Errorf("Resolve(cj) = %v (%s); want ci suggested", err, pgvigil.Advice(err))
	}
}

func TestPasswordsComeFromWhereTheConfigurationSays(t *testing.T) {
	const head = "version: 1\ntargets:\n  ci:\n    host: localhost\n"
	tests := map[string]struct{ yaml, want, err string }{
		"a file":              {head + "    password_file: DIR/pw\n", "from file ", ""},
		"a variable":          {head + "    password_env: CI_PW\n", "from env", ""},
		"a command":           {head + "    password_command: [sh, -c, 'echo; echo from command']\n", "from command", ""},
		"a DSN in a file":     {"version: 1\ntargets:\n  ci:\n    dsn_file: DIR/dsn\n", "in dsn", ""},
		"a DSN in a variable": {"version: 1\ntargets:\n  ci:\n    dsn_env: CI_DSN\n    password_file: DIR/pw\n", "from file ", ""},
		"no file":             {head + "    password_file: DIR/none\n", "", "targets.ci.password_file: open"},
		"an empty file":       {head + "    password_file: DIR/empty\n", "", "is empty"},
		"a huge file":         {head + "    password_file: DIR/huge\n", "", "larger than 16kB"},
		"no variable":         {head + "    password_env: NOT_THERE\n", "", "NOT_THERE is not set"},
		"no command":          {head + "    password_command: [/no/such/swordfish]\n", "", "no such file"},
		"a failing command":   {head + "    password_command: [sh, -c, 'echo tok-swordfish; echo bad tok-swordfish >&2; exit 3']\n", "", "exit status 3: bad REDACTED"},
		"a silent command":    {head + "    password_command: ['true']\n", "", "printed nothing"},
		"a chatty command":    {head + "    password_command: [sh, -c, 'yes swordfish | head -c 100000']\n", "", "more than 16kB"},
		"given twice":         {"version: 1\ntargets:\n  ci:\n    dsn_file: DIR/dsn\n    password_file: DIR/pw\n", "", "password is given twice"},
		"a broken DSN":        {"version: 1\ntargets:\n  ci:\n    dsn_file: DIR/pw\n", "", "cannot be read"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c, dir := loaded(t, tt.yaml, "CI_PW=from env", "CI_DSN=postgres://u@localhost/d")
			write(t, filepath.Join(dir, "pw"), "from file \r\n", 0o600)
			write(t, filepath.Join(dir, "dsn"), "postgres://u:in%20dsn@localhost/d\n", 0o600)
			write(t, filepath.Join(dir, "empty"), "\n", 0o600)
			write(t, filepath.Join(dir, "huge"), strings.Repeat("x", maxSecret+1), 0o600)
			target, err := c.Resolve(t.Context(), "ci")
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "swordfish") || pgvigil.Advice(err) == "" {
					t.Errorf("Resolve = %v; want %q with advice, without the secret", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			conf, err := pgx.ParseConfig(target.DSN.Reveal())
			if err != nil || conf.Password != tt.want {
				t.Errorf("password = %q, %v; want %q", conf.Password, err, tt.want)
			}
		})
	}
}

func TestACommandsTokenIsKeptForItsTime(t *testing.T) {
	c, dir := loaded(t, "version: 1\ntargets:\n  ci:\n    host: localhost\n    password_ttl: 1m\n    password_command: [sh, -c, 'echo x >> DIR/runs; wc -l < DIR/runs']\n")
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	c.passwords.now = func() time.Time { return now }
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "'1'"}, {59 * time.Second, "'1'"}, {time.Second, "'2'"}, {time.Hour, "'3'"}} {
		now = now.Add(step.after)
		target, err := c.Resolve(t.Context(), "ci")
		if err != nil || !strings.HasPrefix(target.DSN.Reveal(), "password="+step.want) {
			t.Errorf("after %v: %s, %v; want password=%s", step.after, target.DSN.Reveal(), err, step.want)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "runs")); err != nil {
		t.Error(err)
	}
}

func TestACommandThatHangsIsEndedWithItsChildren(t *testing.T) {
	c, dir := loaded(t, "version: 1\ntargets:\n  ci:\n    host: localhost\n    password_command: [sh, -c, 'sleep 600 & echo $! > DIR/child; wait']\n")
	c.passwords.timeout = 300 * time.Millisecond
	if _, err := c.Resolve(t.Context(), "ci"); err == nil || !strings.Contains(err.Error(), "no answer within 300ms") {
		t.Errorf("Resolve = %v; want a deadline", err)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "child"))
	if err != nil {
		t.Fatal(err)
	}
	// The child dies of its signal when it is next on a processor; then it is
	// gone, or a zombie until somebody has waited for it.
	deadline := time.Now().Add(10 * time.Second)
	for {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(pid)) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the command's child lives on: %s", stat)
		}
		runtime.Gosched()
	}
}

func TestResolveAllLeavesOutWhatItCannotResolve(t *testing.T) {
	c, _ := loaded(t, "version: 1\ntargets:\n  a: {host: localhost, password_env: NONE}\n  b: {host: localhost}\n")
	targets, err := c.ResolveAll(t.Context())
	if len(targets) != 1 || targets[0].Name != "b" || err == nil || !strings.Contains(err.Error(), "targets.a.password_env") {
		t.Errorf("ResolveAll = %v, %v; want b and an error about a", targets, err)
	}
}

func TestOtherSecrets(t *testing.T) {
	c, dir := loaded(t, "version: 1\nhistory: {dsn_file: DIR/h}\nscratch: {dsn_env: SCRATCH}\nllm: {provider: gemini, key_file: DIR/k}\n", "SCRATCH=host=/run")
	write(t, filepath.Join(dir, "h"), "postgres://h.example.com/h\n", 0o600)
	write(t, filepath.Join(dir, "k"), "key\n", 0o600)
	tests := map[string]struct {
		get  func(context.Context) (pgvigil.Secret, error)
		want string
	}{
		"history": {c.HistoryDSN, "postgres://h.example.com/h?sslmode=verify-full"},
		"scratch": {c.ScratchDSN, "host=/run"},
		"key":     {c.LLMKey, "key"},
	}
	for name, tt := range tests {
		if got, err := tt.get(t.Context()); err != nil || got.Reveal() != tt.want {
			t.Errorf("%s = %q, %v; want %q", name, got.Reveal(), err, tt.want)
		}
	}
	if c.History.Path != "" {
		t.Errorf("history.path = %q; want none beside a DSN", c.History.Path)
	}
}

func TestCheckLooksAtWhatTheFilePointsTo(t *testing.T) {
	c, dir := loaded(t, `version: 1
history: {path: DIR/no/such/h.duckdb}
llm: {provider: gemini, key_file: DIR/none}
targets:
  a: {host: localhost, password_env: NONE}
  b: {host: localhost, password_command: [DIR/none]}
  c: {host: db.example.com, sslrootcert: DIR/none.pem}
  d: {dsn: 'postgres://localhost/?sslmode=strange'}
  e: {host: localhost, log: 'DIR/none*.log'}
  fine: {host: localhost, password_command: ['true'], log: '/etc/passw*'}
`)
	err := c.Check(t.Context())
	if err == nil {
		t.Fatal("Check = nil; want problems")
	}
	for _, want := range []string{
		"pgvigil.yaml:2: history.path: write to " + dir, "pgvigil.yaml:3: llm.key_file: open",
		"pgvigil.yaml:5: targets.a.password_env: the environment variable NONE is not set",
		"pgvigil.yaml:6: targets.b.password_command: its program is not there",
		"pgvigil.yaml:7: targets.c.sslrootcert: no such file", "pgvigil.yaml:8: targets.d: its sslmode is unknown",
		"pgvigil.yaml:9: targets.e.log: no file is there that can be read",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Check = %v\nwant %q in it", err, want)
		}
	}
	if strings.Contains(err.Error(), "fine") {
		t.Errorf("Check = %v; want nothing about target fine", err)
	}
}

func TestWeakTLSIsAWarning(t *testing.T) {
	c, _ := loaded(t, "version: 1\ntargets:\n  a: {host: db1, sslmode: require}\n  b: {dsn: 'postgres://db1/?sslmode=disable'}\n  c: {host: localhost, sslmode: disable}\n  d: {host: db1}\n")
	if len(c.Warnings) != 2 || c.Warnings[0].Code != "weak-tls" {
		t.Errorf("warnings = %v; want one each for a and b", c.Warnings)
	}
}

func TestShowKeepsSecretsAndSaysOrigins(t *testing.T) {
	c, _ := loaded(t, `version: 1
llm: {provider: gemini, key: swordfish}
history: {dsn: 'postgres://h:swordfish@h.example.com/x'}
targets:
  ci:
    dsn: host=db1 user=u password=swordfish
    password_ttl: 5m
    labels: {owner: "a: #b", x: '*'}
  two: {host: localhost, password: swordfish, databases: {include: ['*_x', "a'b"]}}
`, "PGVIGIL_LOG_LEVEL=warn")
	var b strings.Builder
	if err := c.Show(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"  key: REDACTED  # pgvigil.yaml:2\n",
		"    dsn: REDACTED  # host=db1 user=u sslmode=verify-full  # pgvigil.yaml:6\n",
		"  level: warn  # environment PGVIGIL_LOG_LEVEL\n",
		"  memory: 512MB  # default\n",
		"      every: 1m  # inherited from schedule.every\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("Show lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "swordfish") {
		t.Errorf("Show shows a secret:\n%s", b.String())
	}
	again, err := text(strings.ReplaceAll(b.String(), "dsn: REDACTED", "dsn: host=x"))
	if err != nil {
		t.Fatalf("Load does not read what Show wrote: %v\n%s", err, b.String())
	}
	if diff := cmp.Diff(c.Targets["two"].Databases, again.Targets["two"].Databases); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(c.Targets["ci"].Labels, again.Targets["ci"].Labels); diff != "" {
		t.Error(diff)
	}
}

func TestTheSchemaKnowsWhatLoadKnows(t *testing.T) {
	b, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	root().each(func(k *key) {
		if k.name != "*" && !strings.Contains(string(b), `"`+k.name+`"`) {
			t.Errorf("the schema lacks %s", k.path)
		}
	})
}

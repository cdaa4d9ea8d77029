package config

import (
	"errors"
	"strings"
	"testing"

	"github.com/pgvigil/pgvigil"
)

// problemCases are configurations that are wrong. Each problem wanted is
// "line|part of the text|part of the advice".
type problemCases map[string]struct {
	yaml string
	want []string
}

// check holds what is said of each against what is wanted, and that no secret
// is shown.
func (cases problemCases) check(t *testing.T) {
	t.Helper()
	for name, tt := range cases {
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

func TestAnUnknownKeyIsSaidWithTheOneThatWasMeant(t *testing.T) {
	problemCases{
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
	}.check(t)
}

func TestAFileOfTheWrongFormIsRefused(t *testing.T) {
	problemCases{
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
		"an anchor":                 {minimal + "log: &l {level: info}\n", []string{"5|anchors|single quotes"}},
		"a merge key":               {minimal + "  two:\n    <<: {host: x}\n    host: localhost\n", []string{"6|unknown key targets.two.<<|"}},
		"a password that is a star": {minimal + "    password: *swordfish\n", []string{"5|a value begins with *|single quotes"}},
		"a password with a tag":     {minimal + "    password: !swordfish x\n", []string{"5|tags (!) are not supported|single quotes"}},
		"a value where keys belong": {minimal + "log: info\n", []string{"5|log holds keys, not a value|indent"}},
		"a list where a value is":   {minimal + "log: {level: [info]}\n", []string{"5|log.level is one value|one line"}},
		"a value where a list is":   {minimal + "    password_command: aws\n", []string{"5|targets.ci.password_command is a list|[one, two]"}},
		"a list of lists":           {minimal + "    password_command: [[aws]]\n", []string{"5|list of single values|[one, two]"}},
		"a flag that is no flag":    {minimal + "server: {allow_remote: yes}\n", []string{"5|\"yes\" is neither true nor false|true or false"}},
		"a key that is no word":     {minimal + "[a]: b\n", []string{"5|a key is not a word|key: value"}},
		"a size without a unit":     {minimal + "history: {memory: 512}\n", []string{"5|size \"512\" has no unit|512MB"}},
	}.check(t)
}

func TestATargetThatContradictsItselfIsRefused(t *testing.T) {
	problemCases{
		"a target's name":          {"version: 1\ntargets:\n  a b:\n    host: x\n", []string{"3|target name \"a b\" is not allowed|letters"}},
		"a label's name":           {minimal + "    labels: {app.io/x: y}\n", []string{"5|label name \"app.io/x\" is not allowed|Prometheus"}},
		"a target without a place": {"version: 1\ntargets:\n  ci:\n    user: x\n", []string{"4|targets.ci: it says neither dsn nor host|host"}},
		"a place said twice":       {minimal + "    dsn: host=x\n", []string{"4|targets.ci.host: given beside dsn|keep one"}},
		"a secret said twice":      {minimal + "    password: a\n    password_file: b\n", []string{"6|targets.ci.password_file: given beside targets.ci.password|keep one"}},
		"a password said twice":    {"version: 1\ntargets:\n  ci:\n    dsn: postgres://u:swordfish@localhost/\n    password_env: B\n", []string{"4|the password is given twice|connection string"}},
		"a port out of range":      {minimal + "    port: 70000\n", []string{"5|70000 is not a port|65535"}},
		"a URL for a host":         {"version: 1\ntargets:\n  ci:\n    host: postgres://u:swordfish@h\n", []string{"4|targets.ci.host: this is not a host name|dsn"}},
		"a service":                {"version: 1\ntargets:\n  ci:\n    dsn: service=x\n", []string{"4|pgvigil reads no service files|host"}},
		"a broken dsn":             {"version: 1\ntargets:\n  ci:\n    dsn: \"host='a password=swordfish\"\n", []string{"4|targets.ci.dsn: the connection string cannot be read|quotes"}},
		"another database":         {"version: 1\ntargets:\n  ci:\n    dsn: mysql://u:swordfish@h/d\n", []string{"4|URL of another kind|postgres://"}},
		"a bad pattern":            {minimal + "    databases: {include: ['[a']}\n", []string{"5|targets.ci.databases.include: \"[a\" is not a pattern|close every ["}},
		"a bad cron expression":    {minimal + "    schedule: {cron: '* * *'}\n", []string{"5|is not a cron expression|five fields"}},
		"a cron zone that panics":  {minimal + "    schedule: {cron: 'TZ=0'}\n", []string{"5|time zone alone|five fields"}},
		"cron and every":           {minimal + "    schedule: {cron: '* * * * *', every: 1m}\n", []string{"5|schedule.cron: given beside every|keep one"}},
	}.check(t)
}

func TestASectionThatContradictsItselfIsRefused(t *testing.T) {
	problemCases{
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
		"a scratch DSN from nowhere": {minimal + "scratch: {dsn: service=x}\n", []string{"5|scratch.dsn: the connection string names a service|host"}},
	}.check(t)
}

// Package config reads pgvigil's configuration: one YAML file, overridden by
// the environment, overridden by flags. The Config struct is its only source:
// the keys, their documentation, the JSON schema, the reference in
// docs/configuration.md and the starter file are all made from its tags.
//
// A key is the path of YAML names joined by dots ("targets.ci.host"). Unknown
// keys are errors. All problems of a configuration are reported at once, each
// with its place and its remedy, and none of them shows a secret.
package config

import (
	"maps"
	"slices"

	"github.com/pgvigil/pgvigil"
)

// Version is the version of the configuration format that this program writes.
const Version = 1

// The tags: doc says what the key is (units and the meaning of the default
// included), default is the text that holds when nothing is given, enum lists
// the words allowed, example is shown in the reference, and starter is the
// value with which the key stands uncommented in the file of config init.

// Config is a whole configuration, checked.
type Config struct {
	Version  int               `yaml:"version" doc:"Version of this file's format. Required in a file. An older version is migrated when it is read; a newer one is refused." starter:"1"`
	Targets  map[string]Target `yaml:"targets" doc:"The servers to watch, by name. The name stands in every alert and report: letters, digits, - and _." starter:"ci"`
	Schedule Schedule          `yaml:"schedule" doc:"When passes are made, unless a target says otherwise."`
	Timeouts Timeouts          `yaml:"timeouts" doc:"What bounds pgvigil's work on a server, unless a target says otherwise. Nobody waits for pgvigil longer than this."`
	Bloat    Bloat             `yaml:"bloat" doc:"What measuring bloat by pgstattuple may cost a server. Only what the estimate suspects is measured, the worst first, and again only after it changed much."`
	History  History           `yaml:"history" doc:"Where the history is kept: a DuckDB file, or a Postgres database."`
	Server   Server            `yaml:"server" doc:"Where the service listens. Its Unix socket is always there; TCP is off unless listen is set."`
	LLM      LLM               `yaml:"llm" doc:"The language model that drafts beside the rules. What it drafts is verified like anything else; without it, prose is written from the facts."`
	Scratch  Scratch           `yaml:"scratch" doc:"A scratch database in which proposals are proved with real indexes where the target has no HypoPG."`
	Log      Log               `yaml:"log" doc:"What the service writes to standard error."`

	// Warnings are doubts about this configuration that do not stop it.
	Warnings []pgvigil.Warning `yaml:"-"`

	origins   map[string]Origin
	passwords *passwords
}

// Target is one server to watch.
type Target struct {
	DSN             pgvigil.Secret `yaml:"dsn" doc:"Connection string or URL as libpq takes it. Instead of host, port, user and database. Service files are not supported." example:"postgres://pgvigil@db1.example.com/postgres"`
	DSNFile         string         `yaml:"dsn_file" doc:"File that holds the connection string; read before each connection." example:"/run/secrets/ci_dsn"`
	DSNEnv          string         `yaml:"dsn_env" doc:"Name of the environment variable that holds the connection string." example:"CI_DATABASE_URL"`
	Host            string         `yaml:"host" doc:"Host name, address, or directory of the Unix socket." example:"db1.example.com" starter:"localhost"`
	Port            int            `yaml:"port" doc:"Port, 1 to 65535. 5432 if none is given." example:"5432"`
	User            string         `yaml:"user" doc:"Role to connect as; it needs pg_monitor, and pg_read_all_data for bloat and for verifying proposals. It never needs the right to write." example:"pgvigil" starter:"pgvigil"`
	Database        string         `yaml:"database" doc:"Database to connect to first; statements, settings and waits are read from there. postgres if none is given." example:"postgres"`
	SSLMode         string         `yaml:"sslmode" doc:"How TLS is used. Without it: verify-full, except over loopback and Unix sockets, where libpq's default (prefer) holds. The same applies to a dsn that names no sslmode." enum:"disable,allow,prefer,require,verify-ca,verify-full" example:"verify-full"`
	SSLRootCert     string         `yaml:"sslrootcert" doc:"File of the certificate authorities to trust. Without it, the system's." example:"/etc/ssl/rds.pem"`
	Password        pgvigil.Secret `yaml:"password" doc:"Password, in the open. Better: password_file, password_env or password_command. Without any of them, PGPASSWORD and ~/.pgpass hold as in libpq."`
	PasswordFile    string         `yaml:"password_file" doc:"File that holds the password; read before each connection, so that it may rotate." example:"/run/secrets/ci_password"`
	PasswordEnv     string         `yaml:"password_env" doc:"Name of the environment variable that holds the password." example:"CI_DB_PASSWORD"`
	PasswordCommand []string       `yaml:"password_command" doc:"Program and arguments that print the password, for tokens of a cloud. It runs without a shell, is stopped after 15s, and may print 16kB." example:"[aws, rds, generate-db-auth-token, --hostname, db1, --port, '5432', --username, pgvigil]"`
	PasswordTTL     Duration       `yaml:"password_ttl" doc:"How long the output of password_command is used before it runs again." default:"10m"`

	ServerLog string            `yaml:"log" doc:"Path of the server's own log as this machine sees it, or a shell pattern of its files (rotated ones included). Read are plans of auto_explain, deadlocks, cancelled statements, temporary files and slow vacuums, from text (behind log_line_prefix, in English), CSV (.csv) or JSON (.json). Without it, no log is read." example:"/var/log/postgresql/postgresql-15-main.log*"`
	Databases Databases         `yaml:"databases" doc:"Which databases of the server to look into."`
	Schedule  Schedule          `yaml:"schedule" doc:"When passes over this target are made; what is missing here is taken from schedule at the top." inherit:"schedule"`
	Timeouts  Timeouts          `yaml:"timeouts" doc:"Bounds for this target; what is missing here is taken from timeouts at the top." inherit:"timeouts"`
	Labels    map[string]string `yaml:"labels" doc:"Labels that travel with every alert, named as in Prometheus. owner routes alerts." example:"{owner: ci-platform, env: production}"`
}

// Databases selects databases by pattern.
type Databases struct {
	Include []string `yaml:"include" doc:"Shell patterns (*, ?, [a-z]) of databases to look into. Without any: all that allow connections, templates aside." example:"[gitlabhq_*]"`
	Exclude []string `yaml:"exclude" doc:"Shell patterns of databases to leave out; they win over include." example:"['*_test']"`
}

// Schedule says when passes are made: every period, or by a cron expression.
type Schedule struct {
	Every  Duration `yaml:"every" doc:"Time between passes, at least 1s. Instead of cron." default:"60s"`
	Cron   string   `yaml:"cron" doc:"Cron expression of five fields, in UTC unless it begins with CRON_TZ=Zone and a space. Instead of every." example:"'*/5 * * * *'"`
	Jitter Duration `yaml:"jitter" doc:"Each target is delayed by a fixed part of this, so that targets do not all start at once. Without it, at most a tenth of every where that is shorter than 5s." default:"5s"`
	Sample Duration `yaml:"sample" doc:"Time between two samples of who waits for what, at least 100ms; 0s takes none. A second connection is held open for it. Where a sample takes the server long, fewer are taken: at most a hundredth of its time, over a minute." default:"1s"`
}

// Timeouts bound what pgvigil does on a server.
type Timeouts struct {
	Connect   Duration `yaml:"connect" doc:"Until a connection is usable." default:"5s"`
	Statement Duration `yaml:"statement" doc:"statement_timeout of every statement that pgvigil sends." default:"10s"`
	Lock      Duration `yaml:"lock" doc:"lock_timeout of every statement that pgvigil sends." default:"100ms"`
	Pass      Duration `yaml:"pass" doc:"A whole pass over a target." default:"45s"`
}

// Bloat bounds what measuring bloat costs a server.
type Bloat struct {
	PassBytes Size     `yaml:"pass_bytes" doc:"What one pass may read, and so the largest table or index that is measured. 0 measures nothing." default:"1GB"`
	DayBytes  Size     `yaml:"day_bytes" doc:"What may be read in any 24 hours." default:"32GB"`
	DayTime   Duration `yaml:"day_time" doc:"How long measuring may take in any 24 hours; one relation takes at most 2s, those of one pass 5s." default:"2m"`
}

// History says where the history is kept.
type History struct {
	Path      string         `yaml:"path" doc:"File of the embedded history (DuckDB). Relative to the working directory." default:"pgvigil.duckdb" starter:"pgvigil.duckdb"`
	DSN       pgvigil.Secret `yaml:"dsn" doc:"Connection string of a Postgres database that holds the history. Instead of path."`
	DSNFile   string         `yaml:"dsn_file" doc:"File that holds that connection string." example:"/run/secrets/history_dsn"`
	DSNEnv    string         `yaml:"dsn_env" doc:"Name of the environment variable that holds that connection string." example:"HISTORY_URL"`
	Retention Duration       `yaml:"retention" doc:"How long intervals are kept." default:"90d"`
	Memory    Size           `yaml:"memory" doc:"Memory that the embedded history may use, at least 64MB." default:"512MB"`
}

// Server says where the service listens.
type Server struct {
	Socket      string   `yaml:"socket" doc:"Unix socket of the service. Without it: beside the history file, its name with .sock added; pgvigil.sock in the working directory if the history is in Postgres." example:"/run/pgvigil/pgvigil.sock"`
	Listen      string   `yaml:"listen" doc:"Address for HTTP over TCP. Without it, TCP is off. There is no authentication yet, so only loopback is accepted unless allow_remote is set." example:"127.0.0.1:8432"`
	AllowRemote bool     `yaml:"allow_remote" doc:"Accept an address in listen that other machines can reach. Put a proxy that authenticates in front." default:"false"`
	Hosts       []string `yaml:"hosts" doc:"Further host names under which the service is reached over TCP. A request under another name is refused, which keeps web pages from rebinding their name to it." example:"[pgvigil.example.com]"`
}

// LLM says which model drafts.
type LLM struct {
	Provider string         `yaml:"provider" doc:"none or gemini." enum:"none,gemini" default:"none"`
	Model    string         `yaml:"model" doc:"Name of the model." default:"gemini-2.5-flash"`
	Key      pgvigil.Secret `yaml:"key" doc:"Key of the provider's API, in the open. Better: key_file or key_env."`
	KeyFile  string         `yaml:"key_file" doc:"File that holds the key." example:"/run/secrets/gemini_key"`
	KeyEnv   string         `yaml:"key_env" doc:"Name of the environment variable that holds the key." example:"GEMINI_API_KEY"`
	Endpoint string         `yaml:"endpoint" doc:"Address of the API. Without it, the provider's own. https, except on loopback." example:"https://gateway.example.com"`
	Timeout  Duration       `yaml:"timeout" doc:"Deadline of one question." default:"30s"`
}

// Scratch is a database in which proposals may create things.
type Scratch struct {
	DSN     pgvigil.Secret `yaml:"dsn" doc:"Connection string of a database whose role may create schemas. Never a database that anybody needs."`
	DSNFile string         `yaml:"dsn_file" doc:"File that holds that connection string." example:"/run/secrets/scratch_dsn"`
	DSNEnv  string         `yaml:"dsn_env" doc:"Name of the environment variable that holds that connection string." example:"SCRATCH_URL"`
}

// Log says what the service logs.
type Log struct {
	Level  string `yaml:"level" doc:"Least important level that is logged." enum:"debug,info,warn,error" default:"info"`
	Format string `yaml:"format" doc:"text for people, json for machines." enum:"text,json" default:"text"`
}

// TargetNames returns the names of all targets, sorted.
func (c *Config) TargetNames() []string { return slices.Sorted(maps.Keys(c.Targets)) }

// Spec returns the schedule as robfig/cron takes it: the cron expression, or
// "@every 1m0s".
func (s Schedule) Spec() string {
	if s.Cron != "" {
		return s.Cron
	}
	return "@every " + s.Every.Std().String()
}

// Root returns the timeouts as the collector takes them.
func (t Timeouts) Root() pgvigil.Timeouts {
	return pgvigil.Timeouts{
		Connect:   t.Connect.Std(),
		Statement: t.Statement.Std(),
		Lock:      t.Lock.Std(),
		Pass:      t.Pass.Std(),
	}
}

package config

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// Load reads the configuration: defaults, then the file at path (none if path
// is empty), then the environment ("NAME=value", as os.Environ has it), then
// flags (texts by key, "history.path"); the later wins. It does no I/O beyond
// reading the file: secrets in files and commands are fetched by Resolve.
//
// What is wrong with the content comes back as Problems, all at once.
func Load(path string, environ []string, flags map[string]string) (*Config, error) {
	var content []byte
	if path != "" {
		var err error
		if content, err = readFile(path); err != nil {
			return nil, err
		}
	}
	in := input{path: path, content: content, environ: environ, flags: flags}
	return in.load(versions{Version, migrations})
}

// input is what a configuration is made from.
type input struct {
	path    string // "" no file
	content []byte
	environ []string
	flags   map[string]string
}

func (in input) load(v versions) (*Config, error) {
	problems := &problemList{}
	base, err := defaults()
	if err != nil {
		return nil, err
	}
	file := newLayer()
	cfg := &Config{Version: v.current, passwords: newPasswords(in.environ)}
	if in.path != "" {
		file = in.readFileLayer(v, problems, cfg)
	}
	flags := readFlags(in.flags, problems)
	named, err := stack(file, flags)
	if err != nil {
		return nil, err
	}
	env := readEnv(in.environ, named.targets(), problems)
	all, err := stack(base, file, env, flags)
	if err != nil {
		return nil, err
	}
	all.settle()
	all.place()
	if err := all.fill(); err != nil {
		return nil, err
	}
	for path, value := range all.values {
		assign(reflect.ValueOf(cfg).Elem(), strings.Split(path, "."), reflect.ValueOf(value))
	}
	cfg.origins = all.origins
	cfg.fitJitter()
	cfg.check(problems)
	if err := problems.err(); err != nil {
		return nil, err
	}
	return cfg, nil
}

// fitJitter shortens a jitter that nobody wrote beside the period that it is
// too long for.
func (c *Config) fitJitter() {
	fit := func(section string, s Schedule) Schedule {
		o := c.origins[section+".jitter"]
		written := o != Origin{} && o.Source != "default" && !strings.HasPrefix(o.Source, "inherited")
		if s.Cron == "" && !written && s.Jitter >= s.Every {
			s.Jitter = s.Every / 10
		}
		return s
	}
	c.Schedule = fit("schedule", c.Schedule)
	for name, t := range c.Targets {
		t.Schedule = fit("targets."+name+".schedule", t.Schedule)
		c.Targets[name] = t
	}
}

func (in input) readFileLayer(v versions, problems *problemList, cfg *Config) layer {
	f := &fileReader{path: in.path, layer: newLayer(), problems: problems}
	tree := f.parse(in.content)
	if tree == nil {
		return f.layer
	}
	had, ok := v.migrate(f, tree)
	if !ok {
		return f.layer
	}
	if had < v.current {
		cfg.Warnings = append(cfg.Warnings, pgvigil.Warning{
			Code: "old-config",
			Text: fmt.Sprintf("%s is of version %d and was read as version %d", in.path, had, v.current),
		})
	}
	f.section(tree, root(), "")
	return f.layer
}

// settle leaves of the ways to say one thing those of the highest source: a
// variable with a password file replaces the password in the file, a flag with
// a history file replaces the database there. Two ways in one source stay, and
// are reported.
func (l layer) settle() {
	l.oneOf("schedule", "every", "cron")
	l.oneOf("history", "path", "dsn", "dsn_file", "dsn_env")
	l.oneOf("llm", "key", "key_file", "key_env")
	l.oneOf("scratch", "dsn", "dsn_file", "dsn_env")
	for _, name := range l.targets() {
		target := "targets." + name
		l.oneOf(target+".schedule", "every", "cron")
		l.oneOf(target, "host", "dsn", "dsn_file", "dsn_env")
		l.oneOf(target, "password", "password_file", "password_env", "password_command")
	}
}

// oneOf drops the keys of a section that a higher source says in another way.
func (l layer) oneOf(section string, names ...string) {
	highest := ofDefault
	for _, name := range names {
		highest = max(highest, l.origins[join(section, name)].rank)
	}
	for _, name := range names {
		if path := join(section, name); l.origins[path].rank < highest {
			delete(l.values, path)
			delete(l.origins, path)
		}
	}
}

// place puts the socket beside the history.
func (l layer) place() {
	if _, given := l.values["server.socket"]; given {
		return
	}
	socket := "pgvigil.sock"
	if path, ok := l.values["history.path"].(string); ok && path != "" {
		socket = path + ".sock"
	}
	l.set("server.socket", socket, Origin{Source: "default"})
}

// Origin says where the value of a key came from.
func (c *Config) Origin(path string) Origin { return c.origins[path] }

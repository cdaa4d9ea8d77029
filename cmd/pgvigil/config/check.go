package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
)

// checker looks for values that contradict each other.
type checker struct {
	*Config
	problems *problemList
}

// bad reports a problem at the place of a key, or of its nearest neighbour.
func (c checker) bad(key, text, advice string) {
	c.problems.add(c.place(key), key+": "+text, advice)
}

func (c checker) badErr(key string, err error) { c.problems.addErr(c.place(key), key, err) }

func (c checker) place(key string) (at Origin) {
	if o, ok := c.origins[key]; ok {
		return o
	}
	for k, o := range c.origins {
		if strings.HasPrefix(k, key) && o.Line > 0 && (at.Line == 0 || o.Line < at.Line) {
			at = o
		}
	}
	return at
}

func (c checker) warn(code, text, remedy string) {
	c.Warnings = append(c.Warnings, pgvigil.Warning{Code: code, Text: text, Remedy: remedy})
}

// check reports what contradicts itself, without any I/O.
func (c *Config) check(problems *problemList) {
	k := checker{c, problems}
	for _, name := range c.TargetNames() {
		k.target("targets."+name, c.Targets[name])
	}
	k.schedule("schedule", c.Schedule)
	k.timeouts("timeouts", c.Timeouts)
	k.bloat()
	k.history()
	k.server()
	k.llm()
	k.once(c.Scratch.source())
	k.dsn("scratch.dsn", c.Scratch.DSN)
}

// once reports a secret that is given in more than one way.
func (c checker) once(s source) {
	if keys := s.given(); len(keys) > 1 {
		c.bad(keys[1], "given beside "+keys[0], "keep one of "+strings.Join(keys, " and "))
	}
}

func (c checker) target(key string, t Target) {
	dsnKeys := t.dsnSource(key).given()
	c.once(t.dsnSource(key))
	c.once(t.passwordSource(key))
	switch {
	case len(dsnKeys) == 0 && t.Host == "":
		c.bad(key, "it says neither dsn nor host", "give it a host, or a dsn")
	case len(dsnKeys) > 0:
		c.noFields(key, t)
	}
	c.targetDSN(key+".dsn", t)
	if strings.Contains(t.Host, "://") || strings.ContainsAny(t.Host, "=@ ") && !strings.HasPrefix(t.Host, "/") {
		c.bad(key+".host", "this is not a host name", "write a connection string under dsn instead")
	}
	if _, given := c.origins[key+".port"]; given && (t.Port < 1 || t.Port > 65535) {
		c.bad(key+".port", fmt.Sprintf("%d is not a port", t.Port), "write one from 1 to 65535")
	}
	c.patterns(key+".databases.include", t.Databases.Include)
	c.patterns(key+".databases.exclude", t.Databases.Exclude)
	c.schedule(key+".schedule", t.Schedule)
	c.timeouts(key+".timeouts", t.Timeouts)
}

// noFields reports fields that a connection string already says.
func (c checker) noFields(key string, t Target) {
	for name, given := range map[string]bool{"host": t.Host != "", "port": t.Port != 0, "user": t.User != "", "database": t.Database != ""} {
		if given {
			c.bad(key+"."+name, "given beside dsn, which says it too", "keep one of them")
		}
	}
}

func (c checker) targetDSN(key string, t Target) {
	d := t.info()
	if t.DSN != "" {
		var err error
		if d, err = conninfo.Parse(t.DSN); err == nil {
			err = t.agrees(d)
		}
		if err != nil {
			c.badErr(key, err)
			return
		}
	}
	mode := cmp.Or(t.SSLMode, d.Mode(c.passwords.getenv)) // agrees: the string and the field do not both say it
	if mode != "" && mode != "verify-full" && mode != "verify-ca" && !d.Local(c.passwords.getenv) {
		c.warn("weak-tls", fmt.Sprintf("%s: sslmode=%s lets anybody on the way pose as the server", strings.TrimSuffix(key, ".dsn"), clip(mode)), "use verify-full with sslrootcert")
	}
}

func (c checker) dsn(key string, text pgvigil.Secret) {
	if text == "" {
		return
	}
	if _, err := conninfo.Parse(text); err != nil {
		c.badErr(key, err)
	}
}

func (c checker) patterns(key string, list []string) {
	for _, p := range list {
		if _, err := path.Match(p, ""); err != nil || p == "" {
			c.bad(key, fmt.Sprintf("%q is not a pattern", clip(p)), "use *, ? and [a-z]; close every [")
		}
	}
}

func (c checker) schedule(key string, s Schedule) {
	if s.Sample != 0 && s.Sample < Duration(100*time.Millisecond) && !c.inherited(key+".sample") {
		c.bad(key+".sample", fmt.Sprintf("%s is too short", s.Sample), "write at least 100ms, or 0s for no samples")
	}
	if c.inherited(key+".every") && c.inherited(key+".cron") && c.inherited(key+".jitter") {
		return // reported where it is written
	}
	_, every := c.origins[key+".every"]
	switch {
	case s.Cron != "" && every:
		c.bad(key+".cron", "given beside every", "keep one of them")
	case s.Cron != "":
		if err := checkCron(s.Cron); err != nil {
			c.badErr(key+".cron", err)
		}
	case s.Every < Duration(time.Second):
		c.bad(key+".every", fmt.Sprintf("%s is too short", s.Every), "write at least 1s")
	case s.Jitter >= s.Every:
		c.bad(key+".jitter", fmt.Sprintf("%s is not shorter than the time between passes, %s", s.Jitter, s.Every), "write a fraction of it")
	}
}

// inherited says that a target does not give the key itself.
func (c checker) inherited(key string) bool {
	return strings.HasPrefix(key, "targets.") && (c.origins[key] == Origin{} || strings.HasPrefix(c.origins[key].Source, "inherited"))
}

// checkCron parses a cron expression. The library panics on a time zone that
// no space follows, so that is looked for first.
func checkCron(spec string) error {
	advice := "write five fields, for example */5 * * * *"
	if zone := strings.HasPrefix(spec, "TZ=") || strings.HasPrefix(spec, "CRON_TZ="); zone && !strings.Contains(strings.TrimSpace(spec), " ") {
		return hint("a time zone alone is not a schedule", advice)
	}
	if strings.HasPrefix(spec, "@every") {
		return hint("@every is written as the key every", "write every: 60s")
	}
	if _, err := cron.ParseStandard(spec); err != nil {
		return hint(fmt.Sprintf("%q is not a cron expression: %s", clip(spec), clip(err.Error())), advice)
	}
	return nil
}

func (c checker) timeouts(key string, t Timeouts) {
	for name, d := range map[string]Duration{"connect": t.Connect, "statement": t.Statement, "lock": t.Lock, "pass": t.Pass} {
		switch {
		case c.inherited(key + "." + name):
		case d < Duration(time.Millisecond):
			c.bad(key+"."+name, fmt.Sprintf("%s is too short", d), "write at least 1ms: without a bound somebody could have to wait for pgvigil")
		case d > Duration(24*time.Hour):
			c.bad(key+"."+name, fmt.Sprintf("%s is too long", d), "write at most 1d")
		}
	}
}

func (c checker) bloat() {
	b := c.Bloat
	if b.PassBytes > 0 && b.DayBytes < b.PassBytes {
		c.bad("bloat.day_bytes", fmt.Sprintf("%s is less than the %s of one pass", b.DayBytes, b.PassBytes), "write at least "+b.PassBytes.String()+", or a smaller bloat.pass_bytes")
	}
	if b.PassBytes > 0 && b.DayTime < Duration(time.Second) {
		c.bad("bloat.day_time", fmt.Sprintf("%s is too short", b.DayTime), "write at least 1s, or bloat.pass_bytes: 0 to measure nothing")
	}
}

func (c checker) history() {
	c.once(c.History.source())
	c.dsn("history.dsn", c.History.DSN)
	if dsn := c.History.source().given(); c.History.Path != "" && len(dsn) > 0 {
		c.bad("history.path", "given beside "+dsn[0], "keep one of them")
	}
	if c.History.Retention < Duration(24*time.Hour) {
		c.bad("history.retention", fmt.Sprintf("%s is too short for a baseline", c.History.Retention), "write at least 1d")
	}
	if c.History.Memory < 64<<20 {
		c.bad("history.memory", fmt.Sprintf("%s is too little", c.History.Memory), "write at least 64MB")
	}
}

func (c checker) server() {
	if c.Server.Listen == "" {
		return
	}
	host, port, err := net.SplitHostPort(c.Server.Listen)
	if err != nil || port == "" {
		c.bad("server.listen", fmt.Sprintf("%q is not an address with a port", clip(c.Server.Listen)), "write for example 127.0.0.1:8432")
		return
	}
	if !loopback(host) && !c.Server.AllowRemote {
		c.bad("server.listen", "other machines can reach this address, and there is no authentication yet", "listen on 127.0.0.1, or set server.allow_remote and put a proxy that authenticates in front")
	}
}

func loopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.Unmap().IsLoopback()
}

func (c checker) llm() {
	c.once(c.LLM.source())
	if c.LLM.Provider != "none" && len(c.LLM.source().given()) == 0 {
		c.bad("llm.provider", fmt.Sprintf("%s needs a key", c.LLM.Provider), "set llm.key_file or llm.key_env")
	}
	if c.LLM.Timeout < Duration(time.Second) {
		c.bad("llm.timeout", fmt.Sprintf("%s is too short", c.LLM.Timeout), "write at least 1s")
	}
	if c.LLM.Endpoint == "" {
		return
	}
	u, err := url.Parse(c.LLM.Endpoint)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http"):
		c.bad("llm.endpoint", "this is not the address of an API", "write for example https://gateway.example.com")
	case u.User != nil:
		c.bad("llm.endpoint", "the address holds a user or password", "give the key by llm.key_file or llm.key_env")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		c.bad("llm.endpoint", "the key would cross the network unencrypted", "use https")
	}
}

// Check looks at what the configuration points to: files that hold secrets,
// variables, commands, certificates, the place of the history. It connects to
// nothing and runs nothing.
func (c *Config) Check(ctx context.Context) error {
	k := checker{c, &problemList{}}
	for _, name := range c.TargetNames() {
		k.reachable(ctx, name)
	}
	for _, s := range []source{c.History.source(), c.LLM.source(), c.Scratch.source()} {
		k.fetchable(ctx, s)
	}
	if c.History.Path != "" && len(c.History.source().given()) == 0 {
		dir := filepath.Dir(c.History.Path)
		if err := syscall.Access(dir, 2 /* W_OK */); err != nil {
			k.bad("history.path", fmt.Sprintf("write to %s: %v", dir, err), "make the directory, writable for the user of pgvigil")
		}
	}
	return k.problems.err()
}

func (c checker) fetchable(ctx context.Context, s source) {
	if len(s.command) > 0 {
		if _, err := exec.LookPath(s.command[0]); err != nil {
			c.bad(s.key+"_command", "its program is not there, or may not be run", "give the whole path of the program")
		}
		return
	}
	if _, err := c.passwords.fetch(ctx, s); err != nil {
		key := s.given()[0]
		c.problems.add(c.place(key), err.Error(), pgvigil.Advice(err))
	}
}

// readableLog looks whether the files of a log are there and may be read.
func (c checker) readableLog(key, pattern string) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		c.bad(key, fmt.Sprintf("%q is no pattern of a path", clip(pattern)), "write it like /var/log/postgresql/postgresql-*.log")
		return
	}
	for _, path := range paths {
		f, err := os.Open(path)
		if err == nil {
			_ = f.Close() // nothing was written
			return
		}
		if errors.Is(err, fs.ErrPermission) {
			c.bad(key, "pgvigil may not read "+path, "add pgvigil's user to the group of the files (log_file_mode = 0640), or give it the right by setfacl")
			return
		}
	}
	c.bad(key, "no file is there that can be read", "give the path as this machine sees it; SHOW log_directory and SHOW data_directory tell where the server writes")
}

func (c checker) reachable(ctx context.Context, name string) {
	key, t := "targets."+name, c.Targets[name]
	before := len(c.problems.list)
	c.fetchable(ctx, t.dsnSource(key))
	c.fetchable(ctx, t.passwordSource(key))
	if t.SSLRootCert != "" {
		if _, err := os.Stat(t.SSLRootCert); err != nil {
			c.bad(key+".sslrootcert", errors.Unwrap(err).Error(), "give the path of a readable file of certificates")
		}
	}
	if t.ServerLog != "" {
		c.readableLog(key+".log", t.ServerLog)
	}
	if len(c.problems.list) > before {
		return
	}
	t.PasswordCommand = nil
	d, err := c.connection(ctx, name, t)
	if err != nil {
		c.problems.add(c.place(key), err.Error(), pgvigil.Advice(err))
		return
	}
	if err := conninfo.Check(d.Text()); err != nil {
		c.badErr(key, err)
	}
}

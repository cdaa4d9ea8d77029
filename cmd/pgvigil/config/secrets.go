package config

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Bounds of what a secret may be and take.
const (
	maxSecret      = 16 << 10
	commandTimeout = 15 * time.Second
)

// source is where a secret comes from; at most one of its fields is set.
type source struct {
	key     string // of the value itself, "llm.key"
	value   pgvigil.Secret
	file    string
	env     string
	command []string
	ttl     Duration // of the command's output
}

// given counts the fields that are set and names their keys.
func (s source) given() (keys []string) {
	if s.value != "" {
		keys = append(keys, s.key)
	}
	if s.file != "" {
		keys = append(keys, s.key+"_file")
	}
	if s.env != "" {
		keys = append(keys, s.key+"_env")
	}
	if len(s.command) > 0 {
		keys = append(keys, s.key+"_command")
	}
	return keys
}

// passwords fetches secrets and keeps the output of commands for a while.
type passwords struct {
	environ []string
	now     func() time.Time
	timeout time.Duration

	mu   sync.Mutex
	kept map[string]*token
}

// token is the kept output of one command.
type token struct {
	mu    sync.Mutex // held while the command runs: it runs once for all who wait
	value pgvigil.Secret
	until time.Time
}

func newPasswords(environ []string) *passwords {
	return &passwords{environ: environ, now: time.Now, timeout: commandTimeout, kept: map[string]*token{}}
}

// fetch returns the secret, "" if the source names none.
func (p *passwords) fetch(ctx context.Context, s source) (pgvigil.Secret, error) {
	switch {
	case s.value != "":
		return s.value, nil
	case s.file != "":
		return readSecret(s)
	case s.env != "":
		v := p.getenv(s.env)
		if v == "" {
			return "", hint(fmt.Sprintf("%s_env: the environment variable %s is not set", s.key, clip(s.env)), "set it for the process of pgvigil")
		}
		return pgvigil.Secret(v), nil
	case len(s.command) > 0:
		return p.token(ctx, s)
	}
	return "", nil
}

func (p *passwords) getenv(name string) (value string) {
	for _, kv := range p.environ {
		if n, v, ok := strings.Cut(kv, "="); ok && n == name {
			value = v
		}
	}
	return value
}

func readSecret(s source) (pgvigil.Secret, error) {
	f, err := os.Open(s.file)
	if err != nil {
		return "", &pgvigil.Hint{Err: fmt.Errorf("%s_file: %w", s.key, err), Advice: "make the file readable for the user of pgvigil"}
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("%s_file: %w", s.key, err)
	}
	v := strings.TrimRight(string(b), "\r\n")
	if v == "" || len(b) > maxSecret {
		return "", hint(fmt.Sprintf("%s_file: %s is empty or larger than 16kB", s.key, s.file), "write nothing but the secret into it")
	}
	return pgvigil.Secret(v), nil
}

// token returns the kept output of a command, or runs it.
func (p *passwords) token(ctx context.Context, s source) (pgvigil.Secret, error) {
	p.mu.Lock()
	t := p.kept[s.key]
	if t == nil {
		t = &token{}
		p.kept[s.key] = t
	}
	p.mu.Unlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.value != "" && p.now().Before(t.until) {
		return t.value, nil
	}
	asked := p.now()
	v, err := p.run(ctx, s)
	if err != nil {
		return "", err
	}
	t.value, t.until = v, asked.Add(s.ttl.Std())
	return v, nil
}

// run runs the command of a source, in a process group of its own that a
// deadline ends as a whole.
func (p *passwords) run(ctx context.Context, s source) (pgvigil.Secret, error) {
	name := s.key + "_command"
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.command[0], s.command[1:]...)
	cmd.Env = p.environ
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	out, diag := &capped{}, &capped{}
	cmd.Stdout, cmd.Stderr = out, diag
	err := cmd.Run()
	secret := strings.TrimSpace(out.String())
	switch {
	case ctx.Err() != nil:
		return "", hint(fmt.Sprintf("%s: no answer within %s", name, Duration(p.timeout)), "run the command by hand as the user of pgvigil; it must not ask for anything")
	case err != nil:
		return "", &pgvigil.Hint{
			Err:    fmt.Errorf("%s: %w%s", name, startError(err), diagnosis(diag.String(), secret)),
			Advice: "run the command by hand as the user of pgvigil",
		}
	case out.over || secret == "":
		return "", hint(name+": it printed nothing, or more than 16kB", "let the command print the password and nothing else")
	}
	return pgvigil.Secret(secret), nil
}

// startError keeps the program's name and arguments, which may hold a secret,
// out of the message.
func startError(err error) error {
	var e *exec.Error
	var path *os.PathError
	switch {
	case errors.As(err, &e):
		return e.Err
	case errors.As(err, &path):
		return path.Err
	}
	return err
}

// diagnosis is the last line that a command wrote to standard error, without
// what it printed as the secret.
func diagnosis(stderr, secret string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	last := lines[len(lines)-1]
	if secret != "" {
		last = strings.ReplaceAll(last, secret, pgvigil.Redacted)
	}
	if last == "" {
		return ""
	}
	return ": " + clip(last)
}

// capped keeps the first maxSecret bytes written to it. The buffer is not
// embedded: its ReadFrom would take in everything.
type capped struct {
	kept bytes.Buffer
	over bool
}

func (c *capped) String() string { return c.kept.String() }

func (c *capped) Write(b []byte) (int, error) {
	room := maxSecret - c.kept.Len()
	c.over = c.over || len(b) > room
	c.kept.Write(b[:min(room, len(b))])
	return len(b), nil
}

package config

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/conninfo"
)

// Resolve returns a target with its password fetched, ready to connect to. Its
// connection string asks for verify-full unless told otherwise or on this
// machine. Call it before each pass: files are read anew and a command's
// output is renewed when its time is over.
func (c *Config) Resolve(ctx context.Context, name string) (pgvigil.Target, error) {
	t, ok := c.Targets[name]
	if !ok {
		return pgvigil.Target{}, hint(fmt.Sprintf("there is no target %s", clip(name)), didYouMean(nearest(name, c.TargetNames())))
	}
	d, err := c.connection(ctx, name, t)
	if err != nil {
		return pgvigil.Target{}, err
	}
	return pgvigil.Target{
		Name:             name,
		DSN:              d.Text(),
		Databases:        slices.Clone(t.Databases.Include),
		ExcludeDatabases: slices.Clone(t.Databases.Exclude),
		Labels:           maps.Clone(t.Labels),
		Log:              t.ServerLog,
		Timeouts:         t.Timeouts.Root(),
	}, nil
}

// ResolveAll is Resolve for all targets, sorted by name. A target that cannot
// be resolved is left out and part of the error.
func (c *Config) ResolveAll(ctx context.Context) ([]pgvigil.Target, error) {
	var targets []pgvigil.Target
	var errs []error
	for _, name := range c.TargetNames() {
		t, err := c.Resolve(ctx, name)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		targets = append(targets, t)
	}
	return targets, errors.Join(errs...)
}

func (c *Config) connection(ctx context.Context, name string, t Target) (conninfo.Info, error) {
	path := "targets." + name
	text, err := c.passwords.fetch(ctx, t.dsnSource(path))
	if err != nil {
		return conninfo.Info{}, err
	}
	d := t.info()
	if text != "" {
		if d, err = conninfo.Parse(text); err == nil {
			d, err = t.complete(d)
		}
		if err != nil {
			return conninfo.Info{}, &pgvigil.Hint{Err: fmt.Errorf("%s.dsn: %w", path, err), Advice: pgvigil.Advice(err)}
		}
	}
	password, err := c.passwords.fetch(ctx, t.passwordSource(path))
	if err != nil {
		return conninfo.Info{}, err
	}
	if password != "" {
		d = d.With("password", password.Reveal())
	}
	return d.Secured(c.passwords.getenv), nil
}

// complete adds what a target says beside its connection string.
func (t Target) complete(d conninfo.Info) (conninfo.Info, error) {
	if err := t.agrees(d); err != nil {
		return d, err
	}
	if t.SSLMode != "" {
		d = d.With("sslmode", t.SSLMode)
	}
	if t.SSLRootCert != "" {
		d = d.With("sslrootcert", t.SSLRootCert)
	}
	return d, nil
}

// agrees says what a target gives twice, in its connection string and beside.
func (t Target) agrees(d conninfo.Info) error {
	switch {
	case d.Param("sslmode") != "" && t.SSLMode != "":
		return hint("sslmode is given twice, in the connection string and beside it", "keep one of them")
	case d.Param("sslrootcert") != "" && t.SSLRootCert != "":
		return hint("sslrootcert is given twice, in the connection string and beside it", "keep one of them")
	case d.Param("password") != "" && len(t.passwordSource("password").given()) > 0:
		return hint("the password is given twice, in the connection string and beside it", "take it out of the connection string")
	}
	return nil
}

// info makes a connection string of a target's fields.
func (t Target) info() conninfo.Info {
	return conninfo.Of(
		"host", t.Host,
		"port", strconv.Itoa(cmp.Or(t.Port, 5432)),
		"user", t.User,
		"dbname", cmp.Or(t.Database, "postgres"),
		"sslmode", t.SSLMode,
		"sslrootcert", t.SSLRootCert,
	)
}

func (t Target) dsnSource(path string) source {
	return source{key: path + ".dsn", value: t.DSN, file: t.DSNFile, env: t.DSNEnv}
}

func (t Target) passwordSource(path string) source {
	return source{
		key: path + ".password", value: t.Password, file: t.PasswordFile, env: t.PasswordEnv,
		command: t.PasswordCommand, ttl: t.PasswordTTL,
	}
}

func (h History) source() source {
	return source{key: "history.dsn", value: h.DSN, file: h.DSNFile, env: h.DSNEnv}
}

func (l LLM) source() source {
	return source{key: "llm.key", value: l.Key, file: l.KeyFile, env: l.KeyEnv}
}

func (s Scratch) source() source {
	return source{key: "scratch.dsn", value: s.DSN, file: s.DSNFile, env: s.DSNEnv}
}

// HistoryDSN returns the connection string of a history in Postgres, "" when
// the history is the file History.Path.
func (c *Config) HistoryDSN(ctx context.Context) (pgvigil.Secret, error) {
	return c.ownDSN(ctx, c.History.source())
}

// ScratchDSN returns the connection string of the scratch database, "" for none.
func (c *Config) ScratchDSN(ctx context.Context) (pgvigil.Secret, error) {
	return c.ownDSN(ctx, c.Scratch.source())
}

// LLMKey returns the key of the model's API, "" for none.
func (c *Config) LLMKey(ctx context.Context) (pgvigil.Secret, error) {
	return c.passwords.fetch(ctx, c.LLM.source())
}

func (c *Config) ownDSN(ctx context.Context, s source) (pgvigil.Secret, error) {
	text, err := c.passwords.fetch(ctx, s)
	if err != nil || text == "" {
		return "", err
	}
	d, err := conninfo.Parse(text)
	if err != nil {
		return "", &pgvigil.Hint{Err: fmt.Errorf("%s: %w", s.key, err), Advice: pgvigil.Advice(err)}
	}
	return d.Secured(c.passwords.getenv).Text(), nil
}

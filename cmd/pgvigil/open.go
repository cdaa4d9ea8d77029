package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"

	"github.com/spf13/cobra"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/cmd/pgvigil/config"
	"github.com/pgvigil/pgvigil/collector"
	"github.com/pgvigil/pgvigil/internal/server"
	"github.com/pgvigil/pgvigil/internal/server/client"
	"github.com/pgvigil/pgvigil/internal/store"
	"github.com/pgvigil/pgvigil/internal/store/duckdb"
	"github.com/pgvigil/pgvigil/internal/store/postgres"
)

// access is how a command gets at the history: through a running service, or
// by opening it. The command cannot tell which.
type access struct {
	config  string
	history string
	server  string
}

// defaultConfigs are looked for where --config and PGVIGIL_CONFIG name none.
var defaultConfigs = []string{"pgvigil.yaml", "/etc/pgvigil/pgvigil.yaml"}

func (ac *access) flags(cmd *cobra.Command) {
	ac.configFlag(cmd)
	cmd.PersistentFlags().StringVar(&ac.history, "history", "", "file of the history (overrides history.path of the configuration)")
	cmd.PersistentFlags().StringVar(&ac.server, "server", os.Getenv("PGVIGIL_SERVER"), "socket or URL of a running service, instead of a history")
}

func (ac *access) configFlag(cmd *cobra.Command) {
	cmd.PersistentFlags().StringVar(&ac.config, "config", os.Getenv("PGVIGIL_CONFIG"), "configuration file; without it pgvigil.yaml, here or in /etc/pgvigil")
}

// load reads the configuration; keys are set as by flags.
func (ac *access) load(keys map[string]string) (*config.Config, error) {
	all := map[string]string{}
	maps.Copy(all, keys)
	if ac.history != "" {
		all["history.path"] = ac.history
	}
	path := ac.config
	if path == "" {
		for _, p := range defaultConfigs {
			if _, err := os.Stat(p); err == nil {
				path = p
				break
			}
		}
	}
	cfg, err := config.Load(path, os.Environ(), all)
	if err != nil {
		return nil, err
	}
	return cfg, nil
}

// need says what a command needs of the history.
type need int

const (
	existing need = iota // it must be there
	created              // it may be made
)

// open returns the operations on the history and what closes it.
func (ac *access) open(ctx context.Context, u *ui, n need) (server.App, func() error, error) {
	if ac.server != "" {
		c, err := client.Dial(ctx, ac.server)
		if err != nil {
			return nil, nil, err
		}
		return c, func() error { c.Close(); return nil }, nil
	}
	cfg, err := ac.load(nil)
	if err != nil {
		return nil, nil, err
	}
	return openConfigured(ctx, u, cfg, n)
}

func openConfigured(ctx context.Context, u *ui, cfg *config.Config, n need) (server.App, func() error, error) {
	c, err := client.Dial(ctx, socketOf(cfg))
	if err == nil {
		return c, func() error { c.Close(); return nil }, nil
	}
	if !errors.Is(err, client.ErrNoService) {
		return nil, nil, err
	}
	return openLocal(ctx, u, cfg, n)
}

func openLocal(ctx context.Context, u *ui, cfg *config.Config, n need) (*app, func() error, error) {
	h, err := openHistory(ctx, cfg, n)
	if err != nil {
		return nil, nil, err
	}
	log := newLog(u, cfg)
	return newApp(cfg, newWatcher(h, log, watchOptions{bloat: bloatBudget(cfg)}), log), h.Close, nil
}

// bloatBudget is what measuring bloat may cost by the configuration.
func bloatBudget(cfg *config.Config) collector.BloatBudget {
	if cfg.Bloat.PassBytes == 0 {
		return unmeasured
	}
	return collector.BloatBudget{PassBytes: cfg.Bloat.PassBytes.Bytes(), DayBytes: cfg.Bloat.DayBytes.Bytes(), DayTime: cfg.Bloat.DayTime.Std()}
}

// openHistory opens the history that the configuration names.
func openHistory(ctx context.Context, cfg *config.Config, n need) (store.History, error) {
	dsn, err := cfg.HistoryDSN(ctx)
	if err != nil {
		return nil, err
	}
	if dsn != "" {
		return postgres.Open(ctx, dsn, postgres.Options{Options: store.Options{Keep: cfg.History.Retention.Std()}})
	}
	path := cfg.History.Path
	if n == existing {
		if err := begun(path); err != nil {
			return nil, err
		}
	}
	return duckdb.Open(ctx, path, duckdb.Options{
		Options: store.Options{Keep: cfg.History.Retention.Std()}, Memory: cfg.History.Memory.Bytes(),
	})
}

// begun refuses a history file that is not there, or empty.
func begun(path string) error {
	st, err := os.Stat(path)
	why := ""
	switch {
	case errors.Is(err, fs.ErrNotExist):
		why = "there is no file " + path
	case err == nil && st.Mode().IsRegular() && st.Size() == 0:
		why = path + " is empty"
	default:
		return nil // what else is wrong, opening it will tell
	}
	return &pgvigil.Hint{
		Err:    errors.New("open the history: " + why),
		Advice: `name it with --history, or begin one with "pgvigil collect" or "pgvigil serve"`,
	}
}

// socketOf is where the service of a configuration listens.
func socketOf(cfg *config.Config) string {
	if cfg.Server.Socket != "" {
		return cfg.Server.Socket
	}
	return server.SocketPath(cfg.History.Path)
}

func newLog(u *ui, cfg *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // checked with the configuration
	o := &slog.HandlerOptions{Level: level}
	if cfg.Log.Format == "json" {
		return slog.New(slog.NewJSONHandler(u.err, o))
	}
	return slog.New(slog.NewTextHandler(u.err, o))
}

func quietLog() *slog.Logger { return slog.New(slog.DiscardHandler) }

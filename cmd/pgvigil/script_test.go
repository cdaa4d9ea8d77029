package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pgvigil/pgvigil/fixtures"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

// stopping ends the shared servers after the tests, before the process exits.
type stopping struct{ m *testing.M }

func (s stopping) Run() int {
	defer pgtest.Stop()
	return s.m.Run()
}

func TestMain(m *testing.M) {
	testscript.Main(stopping{m}, map[string]func(){"pgvigil": func() { os.Exit(run()) }})
}

// TestScripts is the specification of the command line: each file of
// testdata/script is a session of a user. $PG is an empty database of a server
// with pg_stat_statements ($PG_NOTHING: as a role without rights), $PG_BARE one of
// a server without ($PG_LOCKED: as a role that needs a password), $PG_WORLD has a
// small CI world; each as libpq takes it. $PG_HISTORY is an empty database for a
// history. pgvigil.yaml names $PG as its target ci, world.yaml $PG_WORLD.
func TestScripts(t *testing.T) {
	plain := pgtest.Server(t, 15)
	bare := pgtest.Own(t, 18, pgserver.Options{
		Settings: map[string]string{"shared_preload_libraries": ""}, HBA: "local all locked scram-sha-256\nlocal all all trust\n",
	})
	pgtest.Exec(t, bare.DSN("postgres"), "CREATE ROLE locked LOGIN PASSWORD 'right'")
	pgtest.Exec(t, plain.DSN("postgres"), "CREATE ROLE nothing LOGIN; CREATE ROLE sleeper")
	world := pgtest.Database(t, plain)
	if err := fixtures.Load(context.Background(), world, fixtures.World{Scale: 0.01, Seed: 1}, func(string) {}); err != nil {
		t.Fatal(err)
	}
	pgtest.Exec(t, world, "CREATE EXTENSION hypopg; CREATE EXTENSION pg_stat_statements")
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	testscript.Run(t, testscript.Params{
		Files: append(scripts, readmeScript(t)),
		Cmds:  scriptCommands,
		Setup: func(env *testscript.Env) error {
			store := pgtest.Database(env.T().(testing.TB), plain)
			fresh, without := pgtest.Database(env.T().(testing.TB), plain), pgtest.Database(env.T().(testing.TB), bare)
			pgtest.Exec(env.T().(testing.TB), fresh, "CREATE EXTENSION pg_stat_statements")
			// Servers of the demo run as another user when the tests run as root.
			scratch := filepath.Join(env.WorkDir, "tmp")
			if err := errors.Join(os.Chmod(filepath.Dir(env.WorkDir), 0o755), os.Chmod(env.WorkDir, 0o755), os.MkdirAll(scratch, 0o777), os.Chmod(scratch, 0o777)); err != nil {
				return err
			}
			env.Setenv("TMPDIR", scratch)
			pgtest.Exec(env.T().(testing.TB), without, "CREATE EXTENSION pg_stat_statements") // and not preloaded
			env.Setenv("PG", fresh)
			env.Setenv("PG_TCP", plain.TCPDSN(strings.Trim(fresh[strings.LastIndex(fresh, "=")+1:], "'")))
			env.Setenv("PG_BARE", without)
			env.Setenv("PG_LOCKED", strings.Replace(without, "user=postgres", "user=locked", 1))
			env.Setenv("PG_HISTORY", store)
			env.Setenv("PG_WORLD_NOTHING", strings.Replace(world, "user=postgres", "user=nothing", 1))
			env.Setenv("PG_NOTHING", strings.Replace(fresh, "user=postgres", "user=nothing", 1))
			env.Setenv("PG_WORLD", world)
			env.Setenv("PG_SOCKET", plain.Dir)
			env.Setenv("PG_PORT", fmt.Sprint(plain.Port))
			env.Setenv("PGVIGIL_PG_BIN", os.Getenv("PGVIGIL_PG_BIN"))
			return errors.Join(
				os.WriteFile(filepath.Join(env.WorkDir, "pgvigil.yaml"), []byte(configFor(fresh, "history.duckdb")), 0o644),
				os.WriteFile(filepath.Join(env.WorkDir, "world.yaml"), []byte(configFor(world, "world.duckdb")), 0o644),
			)
		},
	})
}

// configFor names a database as the only target, with a history beside.
func configFor(dsn, history string) string {
	name := strings.Trim(dsn[strings.LastIndex(dsn, "=")+1:], "'")
	return fmt.Sprintf(`version: 1
history:
  path: %s
targets:
  ci:
    dsn: %q
    databases:
      include: [%q]
    schedule:
      every: 1s
      jitter: 0s
    labels: {owner: ci-platform}
log:
  level: warn
`, history, dsn, name)
}

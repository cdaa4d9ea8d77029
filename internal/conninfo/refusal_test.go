package conninfo

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/pgvigil/pgvigil"
	"github.com/pgvigil/pgvigil/internal/pgserver"
	"github.com/pgvigil/pgvigil/internal/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }

// connect tries a connection string and returns why it did not work.
func connect(dsn string) error {
	config, err := Read("ci", pgvigil.Secret(dsn))
	if err != nil {
		return err
	}
	ctx := context.Background()
	conn, err := Connect(ctx, "ci", config, 2*time.Second)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

type refusalCase struct{ dsn, want, advice string }

func (c refusalCase) check(t *testing.T) {
	t.Helper()
	err := connect(c.dsn)
	if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(pgvigil.Advice(err), c.advice) {
		t.Errorf("%v (%s); want %q and %q", err, pgvigil.Advice(err), c.want, c.advice)
	}
	if err != nil && strings.ContainsAny(err.Error(), "\n") {
		t.Errorf("%q is more than a line", err)
	}
}

func TestRefusalsOfTheServerSayWhatToDo(t *testing.T) {
	pgtest.Ends(t, func(t *testing.T, shared *pgserver.Server) {
		s := refusing(t, shared.Install.Major)
		as := func(user, database string) string {
			return strings.Replace(s.DSN(database), "user=postgres", "user="+user, 1)
		}
		tcp := fmt.Sprintf("host=127.0.0.1 port=%d dbname=postgres", s.Port)
		tests := map[string]refusalCase{
			"wrong password":           {as("ci", "postgres") + " password=wrong", "refused the password of user ci", "check user and password"},
			"no password":              {as("ci", "postgres"), "asks for the password of user ci, and none is given", "password_file"},
			"unknown database":         {s.DSN("nowhere"), "database nowhere does not exist", "name an existing database"},
			"no database named":        {fmt.Sprintf("host=%s port=%d user=tiny", s.Dir, s.Port), "database tiny): the DSN names no database", "dbname=postgres"},
			"unknown user":             {as("nobody", "postgres"), "role nobody does not exist", `CREATE ROLE "nobody" LOGIN`},
			"a role without login":     {as("sleeper", "postgres"), "role sleeper may not log in", `ALTER ROLE "sleeper" LOGIN`},
			"no line in pg_hba.conf":   {tcp + " user=tiny sslmode=disable", "refused the user", "pg_hba.conf"},
			"no right":                 {as("tiny", "closed"), "permission denied", `GRANT CONNECT ON DATABASE "closed" TO "tiny"`},
			"the role's limit":         {as("full", "postgres"), "role full has used up its connection limit", "ALTER ROLE"},
			"the database's limit":     {as("tiny", "narrow"), "database narrow has used up its connection limit", "CONNECTION LIMIT"},
			"no TLS":                   {tcp + " user=postgres sslmode=verify-full", "does not speak TLS", "sslmode=disable"},
			"a word that is none":      {as("tiny", "postgres") + " usr=x", "usr", "take that word out"},
			"nobody listens":           {"host=127.0.0.1 port=1 user=x dbname=x sslmode=disable", "nothing listens there", "check host and port"},
			"no socket":                {"host=/nonexistent user=x dbname=x", "no such socket", "check the directory"},
			"unknown host":             {"host=no-such-host.invalid user=x dbname=x", "is not known", "check the host"},
			"neither of libpq's forms": {"what", "cannot be read", "write host="},
		}
		for name, tt := range tests {
			t.Run(name, tt.check)
		}
		for range 3 { // all but those reserved
			pgtest.Connect(t, s.DSN("postgres"))
		}
		t.Run("used up", refusalCase{as("tiny", "postgres"), "the server has no connection left (max_connections)", "close idle sessions"}.check)
	})
}

// refusing starts a server that has a reason to refuse anybody.
func refusing(t *testing.T, major int) *pgserver.Server {
	t.Helper()
	hba := "local all ci scram-sha-256\nlocal all all trust\nhost all postgres 127.0.0.1/32 trust\n"
	s := pgtest.Own(t, major, pgserver.Options{TCP: true, HBA: hba, Settings: map[string]string{
		"max_connections": "4", "superuser_reserved_connections": "1", "max_wal_senders": "0",
	}})
	pgtest.Exec(t, s.DSN("postgres"), `
		CREATE ROLE ci LOGIN PASSWORD 'right';
		CREATE ROLE tiny LOGIN;
		CREATE ROLE sleeper;
		CREATE ROLE full LOGIN CONNECTION LIMIT 0`)
	for _, one := range []string{"CREATE DATABASE closed", "REVOKE CONNECT ON DATABASE closed FROM public", "CREATE DATABASE narrow CONNECTION LIMIT 0"} {
		pgtest.Exec(t, s.DSN("postgres"), one)
	}
	return s
}

func TestASilentServerIsNotWaitedFor(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	refusalCase{
		fmt.Sprintf("host=127.0.0.1 port=%d user=x dbname=x sslmode=disable", silent.Addr().(*net.TCPAddr).Port),
		"no answer in time", "raise the connect timeout",
	}.check(t)
}

func TestServicesAreRefusedInWords(t *testing.T) {
	for _, dsn := range []string{"service=ci", "postgres:///x?service=ci", "host=localhost servicefile=/tmp/x"} {
		refusalCase{dsn, "pgvigil reads no service files", "write host, port, user and dbname"}.check(t)
	}
	t.Setenv("PGSERVICE", "ci")
	t.Setenv("PGSERVICEFILE", "/nonexistent")
	refusalCase{"host=localhost dbname=x", "PGSERVICE names a service that cannot be read", "unset PGSERVICE"}.check(t)
}

package conninfo

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgvigil/pgvigil"
)

// refusal is why a connection could not be made, said in one sentence. It
// unwraps to the cause, but never prints what the driver says: that may quote
// the DSN.
type refusal struct {
	text  string
	cause error
}

func (r *refusal) Error() string { return r.text }

func (r *refusal) Unwrap() error { return r.cause }

// reason is a cause in words, with the remedy.
type reason struct{ text, advice string }

// unreadable explains a connection string that the driver does not take. Its
// error is dropped: it holds the string.
func unreadable(err error) error {
	said := innermost(err).Error()
	for _, known := range faults {
		if strings.Contains(said, known.part) {
			return hint(known.text, known.advice)
		}
	}
	return hint("it is neither a connection URL nor a list of key=value pairs",
		"write it like postgres://user@host:5432/database or host=... port=... user=... dbname=...")
}

// faults are what the driver's innermost error is searched for.
var faults = []struct {
	part string
	reason
}{
	{"sslmode is invalid", reason{"its sslmode is unknown", "use sslmode=disable, require, verify-ca or verify-full"}},
	{"unable to read CA", reason{"the file of sslrootcert cannot be read", "give the path of a readable PEM file"}},
	{"CA certificates", reason{"the file of sslrootcert holds no certificate", "give the path of a PEM file"}},
	{"service", reason{"PGSERVICE names a service that cannot be read", "unset PGSERVICE, and write host, port, user and dbname into the DSN"}},
	{"port", reason{"its port is not a number from 1 to 65535", "encode the characters :, /, ? and @ of a password in a URL as %3A, %2F, %3F and %40"}},
}

func innermost(err error) error {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err
		}
		err = inner
	}
}

// Explain says why connecting did not work, and what to do: "connect to ci
// (db1:5432, database ci): nothing listens there".
func Explain(whose string, config *pgx.ConnConfig, err error) error {
	r := diagnose(config, err)
	refused := &refusal{
		text:  fmt.Sprintf("connect to %s (%s, database %s): %s", whose, address(config), database(config), r.text),
		cause: err,
	}
	if r.advice == "" {
		return refused
	}
	return &pgvigil.Hint{Err: refused, Advice: r.advice}
}

// database is the one that the server takes: without a name, the user's.
func database(config *pgx.ConnConfig) string { return cmp.Or(config.Database, config.User) }

func address(config *pgx.ConnConfig) string {
	network, addr := pgconn.NetworkAddress(config.Host, config.Port)
	if network == "unix" {
		return "socket " + addr
	}
	return addr
}

// ErrPooler says that a pooler between swallowed the settings of a session.
var ErrPooler = errors.New("a connection pooler between drops the session's settings")

func diagnose(config *pgx.ConnConfig, err error) reason {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return serverRefused(config, pg)
	}
	if errors.Is(err, ErrPooler) {
		return reason{ErrPooler.Error(), "give the address of Postgres itself, not of the pooler"}
	}
	if r, ok := tlsRefused(err); ok {
		return r
	}
	return networkRefused(config, err)
}

// serverRefused explains what the server itself said.
func serverRefused(config *pgx.ConnConfig, err *pgconn.PgError) reason {
	switch err.Code {
	case "28P01":
		return passwordRefused(config)
	case "28000":
		return userRefused(config, err)
	case "53300":
		return full(config, err)
	case "3D000":
		return noDatabase(config)
	case "57P03":
		return reason{"the server does not accept connections yet: " + err.Message, "wait until it is up"}
	case "57P01", "57P02":
		return reason{"the server is shutting down", "wait until it is up again"}
	case "42704":
		return reason{err.Message, "take that word out of the DSN: it is neither libpq's nor the name of a setting"}
	case "42501":
		return reason{err.Message, fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s", quoted(database(config)), quoted(config.User))}
	}
	if strings.Contains(err.Message, "unsupported startup parameter") {
		return reason{"a connection pooler between refuses the session's settings", "give the address of Postgres itself, not of the pooler"}
	}
	return reason{text: err.Message}
}

func quoted(name string) string { return pgx.Identifier{name}.Sanitize() }

func passwordRefused(config *pgx.ConnConfig) reason {
	if config.Password == "" {
		return reason{
			fmt.Sprintf("the server asks for the password of user %s, and none is given", config.User),
			"set password_file, password_env or password_command of the target; for --dsn, PGPASSWORD or ~/.pgpass",
		}
	}
	return reason{fmt.Sprintf("the server refused the password of user %s", config.User), "check user and password"}
}

func noDatabase(config *pgx.ConnConfig) reason {
	if config.Database == "" {
		return reason{
			fmt.Sprintf("the DSN names no database, and there is none of the user's name, %s", config.User),
			"add the database to the DSN: dbname=postgres, or postgres://.../postgres",
		}
	}
	return reason{fmt.Sprintf("database %s does not exist", config.Database), "name an existing database in the DSN"}
}

// userRefused tells the reasons of one code apart. Routines are never
// translated, messages may be.
func userRefused(config *pgx.ConnConfig, err *pgconn.PgError) reason {
	text := "the server refused the user: " + err.Message
	switch {
	case err.Routine == "ClientAuthentication":
		advice := "add a line for this user, database and address to the server's pg_hba.conf, then SELECT pg_reload_conf()"
		if strings.Contains(err.Message, "no encryption") || strings.Contains(err.Message, "SSL off") {
			advice += "; if a hostssl line is there, add sslmode=verify-full to the DSN"
		}
		return reason{text, advice}
	case strings.Contains(err.Message, "not permitted to log in"):
		return reason{fmt.Sprintf("role %s may not log in", config.User), fmt.Sprintf("ALTER ROLE %s LOGIN", quoted(config.User))}
	case strings.Contains(err.Message, "does not exist"):
		return reason{fmt.Sprintf("role %s does not exist", config.User), fmt.Sprintf("CREATE ROLE %s LOGIN, or name another user", quoted(config.User))}
	}
	return reason{text, "check the user and the server's pg_hba.conf"}
}

// full tells apart what is used up: the server, a role or a database.
func full(config *pgx.ConnConfig, err *pgconn.PgError) reason {
	switch err.Routine {
	case "InitializeSessionUserId":
		return reason{
			fmt.Sprintf("role %s has used up its connection limit", config.User),
			fmt.Sprintf("ALTER ROLE %s CONNECTION LIMIT 5: a pass needs two", quoted(config.User)),
		}
	case "CheckMyDatabase":
		return reason{
			fmt.Sprintf("database %s has used up its connection limit", database(config)),
			"close idle sessions in it, or raise its CONNECTION LIMIT",
		}
	}
	return reason{
		"the server has no connection left (max_connections)",
		"close idle sessions, raise max_connections, or on PostgreSQL 16 and newer GRANT pg_use_reserved_connections TO " + quoted(config.User),
	}
}

// tlsRefused explains what went wrong with encryption.
func tlsRefused(err error) (reason, bool) {
	var unknown x509.UnknownAuthorityError
	var hostname x509.HostnameError
	var verify *tls.CertificateVerificationError
	switch {
	case strings.Contains(err.Error(), "server refused TLS connection"):
		return reason{"the server does not speak TLS", "turn ssl on in the server, or, in a network that you trust, add sslmode=disable to the DSN"}, true
	case errors.As(err, &unknown):
		return reason{"the server's certificate is signed by an unknown authority", "add sslrootcert=FILE with its authority to the DSN"}, true
	case errors.As(err, &hostname):
		return reason{"the server's certificate is for another name", "use the name that the certificate has, or add sslmode=verify-ca to the DSN"}, true
	case errors.As(err, &verify):
		return reason{"the server's certificate is not valid", "renew it, or add sslrootcert=FILE with its authority to the DSN"}, true
	}
	return reason{}, false
}

// networkRefused explains why no server answered.
func networkRefused(config *pgx.ConnConfig, err error) reason {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return reason{text: "it was cancelled"}
	case errors.As(err, &dns):
		return reason{fmt.Sprintf("host %s is not known", config.Host), "check the host of the DSN"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return reason{"nothing listens there", "check host and port, and that the server runs and listens on that address"}
	case errors.Is(err, syscall.ENOENT):
		return reason{"there is no such socket", "check the directory and port, and that the server runs"}
	case errors.Is(err, syscall.EACCES):
		return reason{"the socket may not be opened", "check the rights on its directory"}
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return reason{"the host cannot be reached", "check host, routes and firewall"}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return reason{"no answer in time", "check host and firewall, or raise the connect timeout"}
	}
	return reason{text: "the connection broke before it was usable"}
}

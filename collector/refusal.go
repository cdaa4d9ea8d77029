package collector

import (
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

// badDSN explains a DSN that cannot be read. The driver's error is dropped: it
// holds the DSN.
func badDSN(t pgvigil.Target, err error) error {
	r := reason{
		"it is neither a connection URL nor a list of key=value pairs",
		"write it like postgres://user@host:5432/database or host=... port=... user=... dbname=...",
	}
	said := innermost(err).Error()
	for _, known := range dsnFaults {
		if strings.Contains(said, known.part) {
			r = known.reason
			break
		}
	}
	return &pgvigil.Hint{Err: fmt.Errorf("read the DSN of %s: %s", t.Name, r.text), Advice: r.advice}
}

// dsnFaults are what the driver's innermost error is searched for.
var dsnFaults = []struct {
	part string
	reason
}{
	{"sslmode is invalid", reason{"its sslmode is unknown", "use sslmode=disable, require, verify-ca or verify-full"}},
	{"unable to read CA", reason{"the file of sslrootcert cannot be read", "give the path of a readable PEM file"}},
	{"CA certificates", reason{"the file of sslrootcert holds no certificate", "give the path of a PEM file"}},
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

// explain says why connecting to a target did not work, and what to do.
func explain(t pgvigil.Target, config *pgx.ConnConfig, err error) error {
	r := diagnose(config, err)
	refused := &refusal{
		text:  fmt.Sprintf("connect to %s (%s, database %s): %s", t.Name, address(config), config.Database, r.text),
		cause: err,
	}
	if r.advice == "" {
		return refused
	}
	return &pgvigil.Hint{Err: refused, Advice: r.advice}
}

func address(config *pgx.ConnConfig) string {
	network, addr := pgconn.NetworkAddress(config.Host, config.Port)
	if network == "unix" {
		return "socket " + addr
	}
	return addr
}

func diagnose(config *pgx.ConnConfig, err error) reason {
	if pg := new(pgconn.PgError); errors.As(err, &pg) {
		return serverRefused(config, pg)
	}
	if errors.Is(err, errPooler) {
		return reason{errPooler.Error(), "give the address of Postgres itself, not of the pooler"}
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
		return reason{fmt.Sprintf("the server refused the password of user %s", config.User), "check user and password of the target"}
	case "28000":
		return reason{"the server refused the user: " + err.Message, "check the user and the server's pg_hba.conf"}
	case "3D000":
		return reason{fmt.Sprintf("database %s does not exist", config.Database), "name an existing database in the DSN"}
	case "57P03":
		return reason{"the server does not accept connections yet: " + err.Message, "wait until it is up"}
	case "57P01", "57P02":
		return reason{"the server is shutting down", "wait until it is up again"}
	case "53300":
		return reason{"the server has no connection left", "raise max_connections, close idle sessions, or on PostgreSQL 16 and newer grant pg_use_reserved_connections to the role"}
	case "42501":
		return reason{err.Message, fmt.Sprintf("GRANT CONNECT ON DATABASE %s TO %s",
			pgx.Identifier{config.Database}.Sanitize(), pgx.Identifier{config.User}.Sanitize())}
	}
	if strings.Contains(err.Message, "unsupported startup parameter") {
		return reason{"a connection pooler between refuses the session's settings", "give the address of Postgres itself, not of the pooler"}
	}
	return reason{text: err.Message}
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

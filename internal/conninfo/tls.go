package conninfo

import (
	"net/netip"
	"strings"

	"github.com/jackc/pgx/v5"
)

// The rule of TLS, the only place of it: what leads off this machine verifies
// the server's certificate and name, unless the connection string or PGSSLMODE
// says otherwise. On this machine libpq's default (prefer) holds.

// verifyFull is the mode that the rule asks for.
const verifyFull = "verify-full"

// Mode returns how TLS is used by the rule; "" is libpq's default. getenv is
// the environment.
func (i Info) Mode(getenv func(string) string) string {
	for _, told := range []string{i.params["sslmode"], getenv("PGSSLMODE")} {
		if told != "" {
			return told
		}
	}
	if i.Local(getenv) {
		return ""
	}
	return verifyFull
}

// Secured returns the string with verify-full in it where the rule asks for it.
func (i Info) Secured(getenv func(string) string) Info {
	if i.params["sslmode"] == "" && i.Mode(getenv) == verifyFull {
		return i.With("sslmode", verifyFull)
	}
	return i
}

// Local says that every host is this machine: a Unix socket or loopback. A
// string without a host leads where PGHOST says.
func (i Info) Local(getenv func(string) string) bool {
	hosts := i.params["host"]
	if addr := i.params["hostaddr"]; addr != "" {
		hosts = addr
	}
	if hosts == "" {
		hosts = getenv("PGHOST")
	}
	for h := range strings.SplitSeq(hosts, ",") {
		if !localHost(h) {
			return false
		}
	}
	return true
}

// localHost says that a host is a socket directory, empty (the default socket
// directory) or loopback.
func localHost(h string) bool {
	if h == "" || strings.HasPrefix(h, "/") || strings.HasPrefix(h, "@") || strings.EqualFold(h, "localhost") {
		return true
	}
	ip, err := netip.ParseAddr(h)
	return err == nil && ip.Unmap().IsLoopback()
}

// verifies says that the driver will keep the rule on every way that it may
// try: it reads connection strings by itself, and files and variables beside.
func verifies(config *pgx.ConnConfig) bool {
	unsafe := !localHost(config.Host) && (config.TLSConfig == nil || config.TLSConfig.InsecureSkipVerify)
	for _, f := range config.Fallbacks {
		unsafe = unsafe || !localHost(f.Host) && (f.TLSConfig == nil || f.TLSConfig.InsecureSkipVerify)
	}
	return !unsafe
}

// Package collector makes one pass over one target: it reads the cumulative
// counters, sizes, catalog, activity and settings of a server and its databases
// into a pgvigil.Snapshot, and it runs such passes on a schedule.
//
// Three rules hold everywhere. Nobody waits for us: every connection is
// read-only and has timeouts, and what would wait behind a lock is left out,
// with a warning. Nobody's text is trusted: search_path is pg_catalog, and texts
// are normalised before they leave the package. A read is complete or dropped:
// no part of pg_stat_statements is ever handed on.
//
// The SQL is in queries/*.sql, one statement a file, each with a first line that
// says what it returns.
package collector

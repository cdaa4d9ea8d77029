// Package serverlog reads the log that a Postgres server writes, as text behind
// log_line_prefix, as CSV or as JSON, and follows it through its rotation.
//
// What stands in a log is anybody's text. Reading is bounded: a record that is
// too long is cut, one that is broken is skipped and counted, and none is an
// error. Records hold constants of statements: they must be masked before they
// are kept.
package serverlog

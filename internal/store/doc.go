// Package store keeps the history: what passes found, as intervals by
// statement, and what was concluded from it (alerts, proposals). History is
// what it can do, in the words of the project; SQL is the one implementation,
// over database/sql; its subpackages duckdb (one file, the default) and
// postgres (plain tables on a server) supply connections, schema and bulk
// writes. Package storetest is the contract that both pass.
//
// What is kept:
//
//   - Intervals by statement. The fingerprint is a label in a table of its own
//     with the version of the algorithm that made it, joined when history is
//     read; so a late text, or a better algorithm (Relabel), loses no baseline.
//   - The last snapshot of each server, packed, rewritten in the transaction
//     that records the next: a restart, or one-shot passes, go on where the last
//     pass ended. It is a blob, not a table of counters: nobody queries it, it is
//     read and written whole, and 5,000 statements are one row instead of 5,000
//     dead ones a pass.
//   - Nested things (alerts, proposals, sessions, queries) as gob, with the
//     columns that filters need beside it: they hold NaN, which JSON cannot.
//   - NaN is NULL, so that SQL sums agree with Counters.Add. Infinities are
//     refused. Times are UTC to the microsecond.
//
// The migrator is our own (migrate.go, under 60 lines): goose has no dialect
// for DuckDB, and a goose Store for it is as long as all that is needed here,
// namely numbered files applied in order, each in a transaction, and a refusal
// of a schema newer than the program.
package store

// Package duckdb keeps the history in one DuckDB file. It is the only package
// that imports DuckDB, and none of its types leaves it.
//
// One process at a time may have the file open; a second one gets ErrLocked.
// What DuckDB could do beyond its file is switched off and locked: it loads and
// installs no extension, reads and writes no other file, and uses a bounded
// amount of memory and threads. After a full disk DuckDB's handle is dead, for
// reads as well; the next operation opens the file anew and is tried again.
package duckdb

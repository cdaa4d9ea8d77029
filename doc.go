// Package pgvigil holds the words of the project as types: what is watched
// (targets, servers, databases), what a pass reads (snapshots), what it means
// (intervals, series, baselines), what went wrong (regressions, incidents,
// alerts, events) and what to do about it (proposals, evidence, outcomes).
//
// It imports the standard library only and does no I/O. Every other package
// speaks in these types, so that data can flow one way:
//
//	collector -> history -> analyzer -> advisor -> reports
//
// Units are in the names or in the types: a planner Cost is never a
// millisecond, Bytes are never blocks. Times are UTC.
package pgvigil

// Package advisor turns regressions and workload into proposals: indexes whose
// worth a planner has confirmed, repairs of invalid indexes, and partitioning
// plans for tables that ask for it.
//
// Rules draft, a model may draft beside them, a what-if judge decides. Code
// renders all DDL from typed parts. A model or a judge that fails makes a
// proposal poorer, with the reason said, and never an error.
package advisor

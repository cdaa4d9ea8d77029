// Package plan reads the plans that EXPLAIN and auto_explain write, as JSON or
// as text, and turns them into what pgvigil keeps: a hash of the shape, and a
// text without constants in which the partitions of one table are one node.
package plan

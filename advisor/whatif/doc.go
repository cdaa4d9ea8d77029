// Package whatif asks a real planner what a statement would cost if an index
// were there. Two judges answer: HypoPG, with hypothetical indexes on the
// watched server itself, which writes nothing; and Scratch, with real indexes
// on a scratch database that holds the same schema and data.
//
// Foreign text is planned with care: one statement, in a read-only transaction
// that is always rolled back, never executed, and only if every function that
// planning could run belongs to a role that is trusted.
package whatif

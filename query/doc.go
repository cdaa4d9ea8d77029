// Package query turns SQL text into what pgvigil keeps of it: a fingerprint, a
// normal form without constants, comments and secrets, the tables, predicates
// and order it names, and the tags in its comments. It also splits scripts and
// tells an index advisor what a statement asks of its tables.
//
// Nothing here fails on foreign text, and nothing here can be killed by it:
// text is cut into tokens in Go first, and only what is short and shallow
// enough goes to the C parser (see internal/fence for the numbers).
//
// # Fingerprints
//
// A fingerprint is a hash over the parse tree with what varies between members
// of a family left out: constants and parameters, lengths of IN lists, arrays,
// VALUES rows and of OR chains of one shape; aliases, and qualifiers where a
// query level has one table only; partitions, which count as their parent;
// names of savepoints, cursors and prepared statements; numbers in names of
// temporary tables; values of SET and of options. Text that the grammar of
// PostgreSQL 16 does not take is hashed by its tokens, aliases included.
//
// # Secrets
//
// The normal form shows no constant at all, whatever the statement: strings of
// every kind, numbers, function bodies, option values. Two results show
// constants that look harmless, and only those: Condition.Constants (see
// harmless), which the advisor asks for and nothing keeps, and Tags. Text that has no end (cut in a
// string by track_activity_query_size) shows its verb, its tables and a hash,
// and so does text that does not parse, unless a server has accepted it (see
// Options.Accepted). It is presumed that standard_conforming_strings is on.
//
// Mask does the same for free text (errors, lines of a log), MaskExpression for
// expressions of plans.
package query

// Package foreign says whether SQL that somebody else wrote may be planned, and
// what its names mean. Both collector and advisor stand on it.
//
// Planning runs code: immutable functions of constants while expressions are
// folded, stable ones while selectivities are estimated, behind operators,
// casts, views, policies, check constraints, index expressions, partition keys
// and statistics as well, with the rights of the connection and even in a
// read-only transaction. So all that a text could mean by its names, in
// whatever schema, is looked up before, with what stands behind it. A single
// function of an owner who is not trusted is enough to refuse the text.
//
// Trusted are superusers, the roles that the caller names, and the compiled
// functions of extensions. Bodies of trusted functions in SQL or PL/pgSQL are
// searched like the text itself. What a function builds at run time from data
// cannot be seen.
package foreign

// Package index drafts indexes for statements and finds the few that are worth
// having: candidates come from what the statements ask of each table, a
// what-if judge says what each would save, and a search keeps the best by
// table, for all statements together, with a true size and the price that
// writes pay.
package index

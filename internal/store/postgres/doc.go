// Package postgres keeps the history in plain tables of a Postgres database,
// in a schema of their own, pgvigil. Several processes may use one history;
// writers take turns by an advisory lock.
package postgres

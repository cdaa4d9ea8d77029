// Package pgserver finds, starts and stops Postgres servers of our own: for
// the demo, for scratch databases that prove a proposal, for twins and for
// tests. A server lives in a temporary directory, listens on a Unix socket
// (and on loopback when asked), never runs as root, and is gone with its
// directory after Stop, or when the process that started it dies.
package pgserver

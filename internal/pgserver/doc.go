// Package pgserver finds, starts and stops Postgres servers of our own: for
// the demo, for scratch databases that prove a proposal, for twins and for
// tests. A server lives in a temporary directory, listens on a Unix socket
// (and on loopback when asked), and never runs as root. Stop ends it and removes
// the directory, which no other user may enter. When the process that started
// it dies without Stop, the kernel stops the server, and the directory stays.
package pgserver

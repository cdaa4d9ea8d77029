// Package conninfo is the connection string: read in both of libpq's forms,
// secured by the one rule of TLS, and turned into a connection, or into a
// sentence that says why there is none and what to do. No error shows any part
// of a connection string's password.
package conninfo

// Package outlook says what of a server will break, and when: numbers that run
// out, what holds back vacuum or keeps WAL, what is overdue. It is no stage but
// a leaf of rules over what the history holds; reports, the service and the
// analyzer's evidence stand on it.
//
// A rule takes rates from the window that it is given. What cannot be measured
// is unknown, never a guess.
package outlook

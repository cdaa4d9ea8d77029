// Package analyzer turns the history into alerts: which queries got slower,
// since when, by how much, why, and what it costs.
//
// Whether a series moved is decided in package change, by numbers alone. This
// package feeds it pass by pass, adds the incidents that only activity shows
// (lock queues, statements that time out or never end, connections near the
// limit), names causes from the evidence in the history, and keeps the life of
// each alert.
package analyzer

package store

import "errors"

// What can be wrong with a history. Each is wrapped in a pgvigil.Hint with the
// remedy, and leaves the history as it was.
var (
	// ErrLocked: another process owns the file.
	ErrLocked = errors.New("another pgvigil owns the history")
	// ErrDamaged: the file is a history, and part of it is lost.
	ErrDamaged = errors.New("the history is damaged")
	// ErrNotHistory: the file is of another program.
	ErrNotHistory = errors.New("not a pgvigil history")
	// ErrNewer: a later pgvigil wrote it.
	ErrNewer = errors.New("the history was written by a newer pgvigil")
	// ErrUnwritable: it cannot be created or written.
	ErrUnwritable = errors.New("the history cannot be written")
	// ErrOlder: a snapshot older than the last one recorded of its server.
	ErrOlder = errors.New("the snapshot is older than the last one recorded")
	// ErrNotFound: there is no alert or proposal of that id.
	ErrNotFound = errors.New("not in the history")
)

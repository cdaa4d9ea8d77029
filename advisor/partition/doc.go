// Package partition says which tables ask to be partitioned, by what key, and
// how to get there while the application works on.
//
// A table asks when it is big and either much of it is deleted by age, or most
// of the queries carry one and the same column. The plan makes the old table
// the first partition, so that no row moves; nothing of it is ever run by
// pgvigil.
package partition

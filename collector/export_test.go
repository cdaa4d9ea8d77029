package collector

// StatementsSQL is the query of all entries, for benchmarks.
func StatementsSQL(schema, version string) string {
	sql, _ := extension{Schema: schema, Version: version}.statementsSQL()
	return sql
}

// ReadsSinceFull is how many reads of a target's statements rest on the last
// one in full.
func ReadsSinceFull(c *Collector, target string) int { return c.memory(target).entries.reads }

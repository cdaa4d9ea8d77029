package collector

// StatementsSQL is the query of all entries, for benchmarks.
func StatementsSQL(schema, version string) string {
	sql, _ := extension{Schema: schema, Version: version}.statementsSQL()
	return sql
}

package whatif

import "regexp"

// Normalized texts put $n where the grammar wants a constant; repair writes
// the same in a form that can be prepared.
var (
	typedConstant = regexp.MustCompile(`(?i)\b(interval|date|timestamptz|timestamp|time)\s+(\$\d+)`)
	extractField  = regexp.MustCompile(`(?i)\bextract\s*\(\s*\$\d+\s+from\b`)
	listComment   = regexp.MustCompile(`\s*/\*, \.\.\. \*/`)
)

func repair(sql string) string {
	sql = typedConstant.ReplaceAllString(sql, "$2::$1")
	sql = extractField.ReplaceAllString(sql, "extract(epoch from")
	return listComment.ReplaceAllString(sql, "")
}

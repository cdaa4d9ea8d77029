package outlook

import (
	"fmt"
	"math"
	"strings"

	"github.com/pgvigil/pgvigil"
)

// span writes seconds as people say them: "3 days".
func span(seconds float64) string {
	units := []struct {
		size      float64
		one, many string
	}{{365 * day, "year", "years"}, {day, "day", "days"}, {hour, "hour", "hours"}, {60, "minute", "minutes"}, {1, "second", "seconds"}}
	for _, u := range units {
		if n := seconds / u.size; n >= 1.5 || u.size == 1 {
			return fmt.Sprintf("%.0f %s", n, plural(math.Round(n), u.one, u.many))
		}
	}
	return ""
}

func plural(n float64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// count writes a number with its thousands apart.
func count[N int | int64 | float64](n N) string {
	s := fmt.Sprintf("%.0f", math.Abs(float64(n)))
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	if n < 0 {
		return "-" + s
	}
	return s
}

// size writes bytes in binary units.
func size(b pgvigil.Bytes) string {
	v, units := float64(b), []string{"B", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; v >= 999.5 && i < len(units)-1; i++ {
		v /= 1024
	}
	return fmt.Sprintf("%.3g %s", v, units[i])
}

// percent writes a share.
func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }

// quoted writes a name as SQL takes it: schema and name apart at the first dot.
func quoted(schema, name string) string { return ident(schema) + "." + ident(name) }

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

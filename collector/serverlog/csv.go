package serverlog

import (
	"regexp"
	"strconv"
	"strings"
)

// The columns of csvlog that are read. Source: PostgreSQL manual, "Using
// CSV-Format Log Output"; 14 and newer have 26.
const (
	csvTime = iota
	csvUser
	csvDatabase
	csvPID
	csvSeverity  = 11
	csvState     = 12
	csvMessage   = 13
	csvDetail    = 14
	csvContext   = 18
	csvStatement = 19
	csvApp       = 22
	csvQueryID   = 25
	csvColumns   = 26
)

// csvStart is how a record begins.
var csvStart = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}\.[0-9]{3} [^,"\n]{1,20},`)

// maxLost bounds what is read again after records without an end, in bytes.
const maxLost = 64 << 20

func (p *Parser) csv(piece string, last bool) (out Parsed) {
	lost := 0
	for out.Used < len(piece) {
		rest := piece[out.Used:]
		if !csvStart.MatchString(rest) {
			end := strings.IndexByte(rest, '\n')
			if end < 0 && !last {
				return out
			}
			out.Broken++
			out.Used += lineEnd(rest, end)
			continue
		}
		columns, n, whole := csvRecord(rest)
		switch {
		case whole && len(columns) >= csvColumns:
			out.Records = append(out.Records, p.csvFields(columns))
		case !whole && !last:
			return out
		default:
			// Broken, or without an end: it may have swallowed others, so that the
			// search goes on in its second line.
			out.Broken++
			n = lineEnd(rest, strings.IndexByte(rest, '\n'))
			if lost += len(rest); lost > maxLost {
				n = len(rest)
			}
		}
		out.Used += n
	}
	return out
}

// lineEnd is how long a line is that ends at i, all of it without an end.
func lineEnd(s string, i int) int {
	if i < 0 {
		return len(s)
	}
	return i + 1
}

// maxColumns is more than any version writes.
const maxColumns = 40

// csvRecord cuts the record at the beginning of s into its columns; whole is
// false if s ends before it does.
func csvRecord(s string) (columns []string, n int, whole bool) {
	for i := 0; ; {
		value, next, ok := csvColumn(s, i)
		if !ok {
			return nil, 0, false
		}
		if len(columns) < maxColumns {
			columns = append(columns, value)
		}
		if s[next] == '\n' {
			return columns, next + 1, true
		}
		i = next + 1
	}
}

// csvColumn returns the column at i and where the comma or line's end behind it
// stands.
func csvColumn(s string, i int) (value string, next int, ok bool) {
	if i >= len(s) {
		return "", 0, false
	}
	if s[i] != '"' {
		end := strings.IndexAny(s[i:], ",\n")
		if end < 0 {
			return "", 0, false
		}
		return strings.TrimSuffix(s[i:i+end], "\r"), i + end, true
	}
	for j := i + 1; ; {
		quote := strings.IndexByte(s[j:], '"')
		if quote < 0 || j+quote+1 >= len(s) {
			return "", 0, false
		}
		j += quote + 1
		switch s[j] {
		case '"':
			j++
		case ',', '\n':
			return strings.ReplaceAll(s[i+1:j-1], `""`, `"`), j, true
		case '\r':
			if j+1 < len(s) && s[j+1] == '\n' {
				return strings.ReplaceAll(s[i+1:j-1], `""`, `"`), j + 1, true
			}
		}
	}
}

func (p *Parser) csvFields(c []string) Record {
	r := Record{
		Time: p.when(c[csvTime]), User: clip(c[csvUser]), Database: clip(c[csvDatabase]), App: clip(c[csvApp]),
		Severity: clip(c[csvSeverity]), State: clip(c[csvState]), Message: clip(c[csvMessage]), Detail: clip(c[csvDetail]),
		Context: clip(c[csvContext]), Statement: clip(c[csvStatement]),
	}
	r.PID, _ = strconv.Atoi(c[csvPID]) // 0 for what is none
	r.QueryID, _ = strconv.ParseInt(c[csvQueryID], 10, 64)
	return r
}

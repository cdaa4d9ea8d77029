// Package wire is the JSON form of the project's words, in one place: what the
// API sends, and what commands print with --format json.
//
//   - A field is named by its json tag, else by its Go name in snake case:
//     ExtraMSPerHour is extra_ms_per_hour.
//   - NaN, which means unknown, is null; the infinities are "Infinity" and
//     "-Infinity".
//   - Times are UTC in RFC 3339; the zero time is null.
//   - Types with a text form (fingerprints) and 64-bit unsigned integers
//     (system identifiers) are strings, since JSON numbers lose their low bits.
//   - A Secret is REDACTED. An empty list is [], an empty mapping {}.
package wire

import (
	"reflect"
	"strings"
	"unicode"
)

// Field is one field of a struct as it stands in JSON.
type Field struct {
	Name  string
	Index []int
	Type  reflect.Type
}

// Fields returns the fields of a struct type, those of embedded structs
// included.
func Fields(t reflect.Type) []Field {
	var fields []Field
	for _, f := range reflect.VisibleFields(t) {
		if !f.IsExported() || f.Anonymous {
			continue
		}
		tag, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch tag {
		case "-":
			continue
		case "":
			tag = Snake(f.Name)
		}
		fields = append(fields, Field{tag, f.Index, f.Type})
	}
	return fields
}

// Snake returns a Go name in snake case, an acronym as one word.
func Snake(name string) string {
	var b strings.Builder
	runes := []rune(name)
	for i, r := range runes {
		if i > 0 && unicode.IsUpper(r) {
			afterLower := !unicode.IsUpper(runes[i-1])
			beforeLower := i+1 < len(runes) && unicode.IsLower(runes[i+1])
			if afterLower || beforeLower {
				b.WriteByte('_')
			}
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

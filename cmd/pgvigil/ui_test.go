package main

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode"

	"github.com/pgvigil/pgvigil"
)

func TestForeignTextIsHarmlessInATerminal(t *testing.T) {
	hostile := map[string]string{
		"escape sequences":        "SELECT '\x1b]0;owned\x07\x1b[2J\x1b[31m'",
		"line ends":               "SELECT 1\r\nALERT 7 open\nhint: run rm",
		"eight-bit controls":      "SELECT '\u009b31m'",
		"bidirectional overrides": "SELECT '\u202e\u2066abc'",
		"invalid UTF-8":           "SELECT '\xff\xfe\xc3'",
		"a megabyte":              "SELECT '" + strings.Repeat("x", 1<<20) + "'",
		"an operator chain":       "SELECT 1" + strings.Repeat("+1", 1<<19),
	}
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			a := pgvigil.Alert{ID: 1, Query: pgvigil.Query{Text: text}, Target: text, Database: text}
			a.Verdict.Events = []pgvigil.Event{{Object: text}}
			a.Verdict.Rule = text
			printAlert(&ui{out: &out, err: &out}, a)
			for i, line := range strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n") {
				if bad := strings.IndexFunc(line, func(r rune) bool {
					return unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar
				}); bad >= 0 {
					t.Errorf("line %d has %q", i+1, line[bad:min(len(line), bad+8)])
				}
				if strings.HasPrefix(line, "ALERT") || strings.HasPrefix(line, "hint:") {
					t.Errorf("line %d is the foreign text's: %q", i+1, line)
				}
				if len(line) > 3000 {
					t.Errorf("line %d is %d bytes long", i+1, len(line))
				}
			}
		})
	}
}

func TestExitCodes(t *testing.T) {
	tests := map[string]struct {
		err  error
		code int
		says string
	}{
		"done":                    {nil, 0, ""},
		"a judge found something": {fmt.Errorf("wrapped: %w", errFound), 1, ""},
		"an error with advice":    {&pgvigil.Hint{Err: errors.New("open x: no"), Advice: "close it"}, 2, "pgvigil: open x: no\nhint: close it\n"},
		"an error without":        {errors.New("open x: no"), 2, "pgvigil: open x: no\n"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var says bytes.Buffer
			u := &ui{err: &says}
			if code := u.exit(tt.err); code != tt.code || says.String() != tt.says {
				t.Errorf("exit(%v) = %d saying %q; want %d saying %q", tt.err, code, says.String(), tt.code, tt.says)
			}
		})
	}
}

package config

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pgvigil/pgvigil"
)

func TestParseDuration(t *testing.T) {
	tests := map[string]struct {
		want time.Duration
		err  string // part of the error and its advice
	}{
		"15s":                    {15 * time.Second, ""},
		"1h30m":                  {90 * time.Minute, ""},
		"2d":                     {48 * time.Hour, ""},
		"1w":                     {168 * time.Hour, ""},
		"1.5h":                   {90 * time.Minute, ""},
		"250ms":                  {250 * time.Millisecond, ""},
		"3µs":                    {3 * time.Microsecond, ""},
		" 5s ":                   {5 * time.Second, ""},
		"0":                      {0, ""},
		"60":                     {0, "60s"},
		"-5s":                    {0, "is not a duration"},
		"5 s":                    {0, "15s, 1h30m, 2d or 1w"},
		"1y":                     {0, "is not a duration"},
		"":                       {0, "is not a duration"},
		"1e9s":                   {0, "is not a duration"},
		"300000w":                {0, "is too long"},
		strings.Repeat("1s", 99): {0, "is not a duration"},
		"5s\x1b[31m":             {0, "5s?[31m"},
	}
	for in, tt := range tests {
		t.Run(in, func(t *testing.T) {
			got, err := ParseDuration(in)
			said := ""
			if err != nil {
				said = err.Error() + " " + pgvigil.Advice(err)
			}
			if got.Std() != tt.want || (err != nil) != (tt.err != "") || !strings.Contains(said, tt.err) {
				t.Errorf("ParseDuration(%q) = %v, %s; want %v, %q", in, got, said, tt.want, tt.err)
			}
		})
	}
}

func TestParseSize(t *testing.T) {
	tests := map[string]struct {
		want int64
		err  string
	}{
		"500MB":     {500 << 20, ""},
		"2GB":       {2 << 30, ""},
		"2 gib":     {2 << 30, ""},
		"1.5kB":     {1536, ""},
		"8192B":     {8192, ""},
		"1TB":       {1 << 40, ""},
		"0":         {0, ""},
		"512":       {0, "512MB"},
		"5PB":       {0, "is not a size"},
		"-1MB":      {0, "is not a size"},
		"MB":        {0, "is not a size"},
		"9000000TB": {0, "too large"},
	}
	for in, tt := range tests {
		t.Run(in, func(t *testing.T) {
			got, err := ParseSize(in)
			said := ""
			if err != nil {
				said = err.Error() + " " + pgvigil.Advice(err)
			}
			if int64(got) != tt.want || (err != nil) != (tt.err != "") || !strings.Contains(said, tt.err) {
				t.Errorf("ParseSize(%q) = %d, %s; want %d, %q", in, got, said, tt.want, tt.err)
			}
		})
	}
}

func TestUnitsAreReadAsTheyAreWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := Duration(rapid.Int64Range(0, math.MaxInt64).Draw(t, "duration"))
		if got, err := ParseDuration(d.String()); err != nil || got != d {
			t.Errorf("ParseDuration(%q) = %d, %v; want %d", d.String(), got, err, d)
		}
		s := Size(rapid.Int64Range(0, math.MaxInt64).Draw(t, "size"))
		if got, err := ParseSize(s.String()); err != nil || got != s {
			t.Errorf("ParseSize(%q) = %d, %v; want %d", s.String(), got, err, s)
		}
	})
}

package config

import (
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"
	"time"

	"github.com/pgvigil/pgvigil"
)

// Duration is a length of time, not negative, written with its units: "15s",
// "1h30m", "2d", "1w". A day is 24 hours. It is a pflag.Value.
type Duration time.Duration

// Std returns the duration as the standard library has it.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// durationUnits are the units from the largest to the smallest.
var durationUnits = []struct {
	name string
	size time.Duration
}{
	{"w", 7 * 24 * time.Hour},
	{"d", 24 * time.Hour},
	{"h", time.Hour},
	{"m", time.Minute},
	{"s", time.Second},
	{"ms", time.Millisecond},
	{"us", time.Microsecond},
	{"ns", 1},
}

// String writes the duration so that ParseDuration reads it: "1d12h".
func (d Duration) String() string {
	if d <= 0 {
		return "0s"
	}
	var b strings.Builder
	rest := time.Duration(d)
	for _, u := range durationUnits {
		if u.name == "w" && rest%u.size != 0 {
			continue // 90d reads better than 12w6d
		}
		if n := rest / u.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, u.name)
			rest -= n * u.size
		}
	}
	return b.String()
}

var (
	durationShape = regexp.MustCompile(`^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$`)
	durationPart  = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ns|us|µs|ms|s|m|h|d|w)`)
	bareNumber    = regexp.MustCompile(`^[0-9]+(\.[0-9]+)?$`)
)

// ParseDuration reads a duration with units. Its error carries advice.
func ParseDuration(text string) (Duration, error) {
	s := strings.TrimSpace(text)
	switch {
	case s == "0":
		return 0, nil
	case bareNumber.MatchString(s):
		return 0, hint(fmt.Sprintf("duration %q has no unit", clip(s)), "write a unit, for example "+clip(s)+"s (units: ms, s, m, h, d, w)")
	case len(s) > 64 || !durationShape.MatchString(s):
		return 0, hint(fmt.Sprintf("%q is not a duration", clip(s)), "write for example 15s, 1h30m, 2d or 1w")
	}
	total := new(big.Rat)
	for _, part := range durationPart.FindAllStringSubmatch(s, -1) {
		n, ok := new(big.Rat).SetString(part[1])
		if !ok {
			return 0, fmt.Errorf("%q is not a duration", clip(s))
		}
		total.Add(total, n.Mul(n, big.NewRat(int64(unitSize(part[2])), 1)))
	}
	v, ok := wholeInt64(total)
	if !ok {
		return 0, hint(fmt.Sprintf("duration %q is too long", clip(s)), "write one shorter than 290 years")
	}
	return Duration(v), nil
}

func unitSize(name string) time.Duration {
	for _, u := range durationUnits {
		if u.name == name {
			return u.size
		}
	}
	return time.Microsecond // µs
}

// wholeInt64 cuts r to a whole number; false if it does not fit.
func wholeInt64(r *big.Rat) (int64, bool) {
	q := new(big.Int).Quo(r.Num(), r.Denom())
	return q.Int64(), q.IsInt64()
}

// UnmarshalText reads what String wrote.
func (d *Duration) UnmarshalText(b []byte) error {
	v, err := ParseDuration(string(b))
	if err == nil {
		*d = v
	}
	return err
}

// MarshalText writes the duration with units.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Set is UnmarshalText for flags.
func (d *Duration) Set(s string) error { return d.UnmarshalText([]byte(s)) }

// Type names the kind of value in a flag's help.
func (d *Duration) Type() string { return "duration" }

// Size is a number of bytes, not negative, written with its unit as Postgres
// does: "500MB" is 500 × 1024 × 1024. It is a pflag.Value.
type Size pgvigil.Bytes

// Bytes returns the size in bytes.
func (s Size) Bytes() pgvigil.Bytes { return pgvigil.Bytes(s) }

var sizeUnits = []struct {
	name string
	size int64
}{{"TB", 1 << 40}, {"GB", 1 << 30}, {"MB", 1 << 20}, {"kB", 1 << 10}, {"B", 1}}

// String writes the size in the largest unit that divides it: "512MB".
func (s Size) String() string {
	for _, u := range sizeUnits {
		if int64(s) >= u.size && int64(s)%u.size == 0 {
			return fmt.Sprintf("%d%s", int64(s)/u.size, u.name)
		}
	}
	return "0B"
}

var sizeShape = regexp.MustCompile(`^([0-9]{1,20}(?:\.[0-9]{1,20})?)\s*(?i:([kmgt]?)i?b)$`)

// ParseSize reads a size with its unit. Its error carries advice.
func ParseSize(text string) (Size, error) {
	s := strings.TrimSpace(text)
	if s == "0" {
		return 0, nil
	}
	if bareNumber.MatchString(s) {
		return 0, hint(fmt.Sprintf("size %q has no unit", clip(s)), "write a unit, for example "+clip(s)+"MB (units: B, kB, MB, GB, TB)")
	}
	m := sizeShape.FindStringSubmatch(s)
	if m == nil {
		return 0, hint(fmt.Sprintf("%q is not a size", clip(s)), "write for example 500MB or 2GB")
	}
	n, ok := new(big.Rat).SetString(m[1])
	if !ok {
		return 0, fmt.Errorf("%q is not a size", clip(s))
	}
	power := strings.Index(" kmgt", strings.ToLower(m[2] + " ")[:1])
	n.Mul(n, big.NewRat(int64(math.Pow(1024, float64(power))), 1))
	v, ok := wholeInt64(n)
	if !ok {
		return 0, hint(fmt.Sprintf("size %q is too large", clip(s)), "write one below 8 million TB")
	}
	return Size(v), nil
}

// UnmarshalText reads what String wrote.
func (s *Size) UnmarshalText(b []byte) error {
	v, err := ParseSize(string(b))
	if err == nil {
		*s = v
	}
	return err
}

// MarshalText writes the size with its unit.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Set is UnmarshalText for flags.
func (s *Size) Set(text string) error { return s.UnmarshalText([]byte(text)) }

// Type names the kind of value in a flag's help.
func (s *Size) Type() string { return "size" }

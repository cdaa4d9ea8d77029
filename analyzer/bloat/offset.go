package bloat

import "math"

// offset is where the next value of an average row begins: at bytes on
// average, of which only the remainder rest modulo mod is certain. So padding
// is exact after values of fixed width and an average after others.
type offset struct {
	at   float64
	rest int
	mod  int
}

// add puts a column behind what is there.
func (o *offset) add(c Column) {
	present := 1 - c.NullFrac
	if present <= 0 {
		return
	}
	before := *o
	o.align(alignment(c), present)
	o.at += present * c.Width
	if c.Len > 0 {
		o.rest = (o.rest + c.Len) % o.mod
	} else {
		o.rest, o.mod = 0, 1
	}
	if present < 1 { // some rows are as before it
		o.forget(before)
	}
}

// align pads to a multiple of a in the given share of rows.
func (o *offset) align(a int, share float64) {
	pad, n := 0, 0
	for r := o.rest; r < max(a, o.mod); r += o.mod {
		pad += (a - r%a) % a
		n++
	}
	o.at += share * float64(pad) / float64(n)
	if a >= o.mod {
		o.rest, o.mod = 0, a
	} else {
		o.rest = (o.rest + (a-o.rest%a)%a) % o.mod
	}
}

// forget keeps of the certainty only what also holds for other.
func (o *offset) forget(other offset) {
	m := gcd(gcd(o.mod, other.mod), abs(o.rest-other.rest))
	o.rest, o.mod = o.rest%m, m
}

// alignment of a column in bytes: values with a one-byte length word have none.
func alignment(c Column) int {
	if c.Len < 0 && c.Width < 127 {
		return 1
	}
	switch c.Align {
	case "d":
		return 8
	case "i":
		return 4
	case "s":
		return 2
	}
	return 1
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func abs(n int) int { return int(math.Abs(float64(n))) }

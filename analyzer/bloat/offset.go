package bloat

// offset is where the next value of an average row begins: at bytes on average,
// with the chance of each remainder modulo 8, which decides about padding.
// Columns are taken as null independently of each other.
type offset struct {
	at   float64
	rest [maxAlign]float64
}

// start is the offset of the first value, behind an aligned header.
func start() offset { return offset{rest: [maxAlign]float64{0: 1}} }

// add puts a column behind what is there.
func (o *offset) add(c Column) {
	with := *o
	with.align(alignment(c))
	with.at += c.Width
	if c.Len > 0 {
		with.shift(c.Len)
	} else {
		with.rest = [maxAlign]float64{}
		for i := range with.rest {
			with.rest[i] = 1.0 / maxAlign
		}
	}
	o.at = c.NullFrac*o.at + (1-c.NullFrac)*with.at
	for i := range o.rest {
		o.rest[i] = c.NullFrac*o.rest[i] + (1-c.NullFrac)*with.rest[i]
	}
}

// align pads to a multiple of to bytes.
func (o *offset) align(to int) {
	var rest [maxAlign]float64
	for r, chance := range o.rest {
		pad := (to - r%to) % to
		o.at += chance * float64(pad)
		rest[(r+pad)%maxAlign] += chance
	}
	o.rest = rest
}

func (o *offset) shift(by int) {
	var rest [maxAlign]float64
	for r, chance := range o.rest {
		rest[(r+by)%maxAlign] += chance
	}
	o.rest = rest
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

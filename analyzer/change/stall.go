package change

// Fleet is what the detectors of several servers learn together: how long a
// slowdown lasts that ends by itself. It is not safe for concurrent use.
type Fleet struct {
	ended [maxStall + 1]int // excursions by their length in passes
	total int               // of at least minStall
	known float64
}

// The bounds of what is counted, and of what may be learned.
const (
	maxStall     = 96
	minStall     = 3
	enoughStalls = 60
)

// NewFleet returns a fleet that has seen nothing.
func NewFleet() *Fleet { return &Fleet{} }

// excursionEnded counts one slowdown of n passes.
func (f *Fleet) excursionEnded(n int) {
	if n < minStall {
		return
	}
	f.ended[min(n, maxStall)]++
	f.total++
	f.known = 0
}

// StallLength returns how many passes of slowdown one stall may explain: past
// the last age at which more than 35 % of the slowdowns still running ended
// within four passes. It is initial until the fleet has seen enough.
func (f *Fleet) StallLength(initial float64) float64 {
	if f.total < enoughStalls {
		return initial
	}
	if f.known == 0 {
		f.known = clip(1.15*f.lastEnding()+1.5, 6, 24)
	}
	return f.known
}

func (f *Fleet) lastEnding() float64 {
	age, running := 0, f.total
	for a := minStall; a < maxStall-4; a++ {
		soon := 0
		for j := a; j < a+4; j++ {
			soon += f.ended[j]
		}
		if running*100 < f.total*6 || running == 0 {
			break
		}
		if soon*100 > running*35 {
			age = a
		}
		running -= f.ended[a]
	}
	return float64(age)
}

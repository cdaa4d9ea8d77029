package change

import (
	"cmp"
	"math"
	"slices"
)

// number is what the robust statistics take.
type number interface{ ~float32 | ~float64 }

// median returns the median of v, which it reorders; 0 of nothing.
func median[T number](v []T) T { return quantile(v, 0.5) }

// quantile returns the q-quantile of v (nearest rank; the mean of the middle
// two for the median of an even number), which it reorders; 0 of nothing.
func quantile[T number](v []T, q float64) T {
	n := len(v)
	if n == 0 {
		return 0
	}
	k := min(n-1, int(q*float64(n)))
	hi := nth(v, k)
	if q == 0.5 && n%2 == 0 {
		return (hi + slices.Max(v[:k])) / 2
	}
	return hi
}

// nth moves the k-th smallest of v to v[k], smaller ones before it, and
// returns it (Hoare's selection).
func nth[T number](v []T, k int) T {
	lo, hi := 0, len(v)-1
	for hi-lo > 12 {
		p := pivot(v[lo], v[(lo+hi)/2], v[hi])
		i, j := lo, hi
		for i <= j {
			for v[i] < p {
				i++
			}
			for v[j] > p {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return v[k]
		}
	}
	insertion(v[lo : hi+1])
	return v[k]
}

func pivot[T number](a, b, c T) T { return max(min(a, b), min(max(a, b), c)) }

func insertion[T number](v []T) {
	for i := 1; i < len(v); i++ {
		for j := i; j > 0 && v[j] < v[j-1]; j-- {
			v[j], v[j-1] = v[j-1], v[j]
		}
	}
}

// spread returns 1.48 times the median absolute deviation of v from centre,
// the standard deviation if v is normal. It overwrites v.
func spread[T number](v []T, centre T) T {
	for i, x := range v {
		v[i] = T(math.Abs(float64(x - centre)))
	}
	return 1.4826 * median(v)
}

// weighted is one value with its weight.
type weighted struct{ v, w float64 }

// weightedMedian sorts s and returns its median by weight; 0 of nothing.
func weightedMedian(s []weighted) float64 {
	slices.SortFunc(s, func(a, b weighted) int { return cmp.Compare(a.v, b.v) })
	var total float64
	for _, x := range s {
		total += x.w
	}
	var sum float64
	for _, x := range s {
		if sum += x.w; sum >= total/2 {
			return x.v
		}
	}
	return 0
}

func clip(x, lo, hi float64) float64 { return max(lo, min(hi, x)) }

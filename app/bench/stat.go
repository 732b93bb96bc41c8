package bench

import (
	"math"
	"slices"
	"time"
)

// median returns the middle of a list, 0 of none.
func median(list []float64) float64 {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	if n := len(s); n%2 == 0 {
		return (s[n/2-1] + s[n/2]) / 2
	}
	return s[len(s)/2]
}

// quantile returns what the share q of a list is not above, 0 of none.
func quantile(list []time.Duration, q float64) time.Duration {
	if len(list) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(list))
	return s[min(max(int(math.Ceil(q*float64(len(s))))-1, 0), len(s)-1)]
}

// spread returns how far a list lies apart, as a share of its median.
func spread(list []float64) float64 {
	m := median(list)
	if m == 0 {
		return 0
	}
	return (slices.Max(list) - slices.Min(list)) / m
}

// ratios divides the members of two lists of one length.
func ratios(mine, top []float64) []float64 {
	out := make([]float64, 0, len(mine))
	for i := range mine {
		if top[i] > 0 {
			out = append(out, mine[i]/top[i])
		}
	}
	return out
}

package series

import "slices"

// Rebucket gives a histogram other buckets. What was counted goes where it is known to belong: those up to a bound stay up
// to it as long as there is that bound, and count for the next one otherwise.
func (s *Store) Rebucket(of *Series, bounds []float64) error {
	grown := len(bounds) - len(of.bounds)
	if s.size+grown > s.limit && grown > 0 {
		return ErrFull
	}
	counts, at := make([]float64, len(bounds)+1), 0
	for i, n := range of.counts {
		for at < len(bounds) && (i == len(of.bounds) || bounds[at] < of.bounds[i]) {
			at++
		}
		counts[at] += n
	}
	of.bounds, of.counts = slices.Clone(bounds), counts
	s.size += grown
	return nil
}

package exposition

import (
	"sync/atomic"
	"time"
)

// Bounds are the upper ends of every histogram's buckets, so that those of all ambassadors can be added up.
var Bounds = [...]time.Duration{
	250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond,
	10 * time.Millisecond, 25 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2500 * time.Millisecond, 10 * time.Second,
}

// Histogram counts durations. Many may add to it at once.
type Histogram struct {
	buckets [len(Bounds) + 1]atomic.Int64 // not cumulative; the last one is beyond all bounds
	sum     atomic.Int64                  // nanoseconds
}

// Observe counts a duration.
func (h *Histogram) Observe(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.buckets[i].Add(1)
	h.sum.Add(int64(d))
}

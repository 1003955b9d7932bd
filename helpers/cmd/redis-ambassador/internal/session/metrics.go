package session

import (
	"sync/atomic"
	"time"
)

// Class is a command's, for metrics.
type Class uint8

// The classes: reads that are sent where the policy says; writes; what else the primary gets.
const (
	Read Class = iota
	Write
	Pinned
)

// Classes are their names.
var Classes = [...]string{Read: "read", Write: "write", Pinned: "pinned"}

// Metrics are an upstream's, counted from the start of the process.
type Metrics struct {
	Commands       [len(Classes)]atomic.Int64
	Durations      [len(Classes)]Histogram
	Errors         atomic.Int64 // replies of servers that are errors
	Unavailable    atomic.Int64 // commands that got an error, as there was no server for them
	Repeated       atomic.Int64 // reads that were asked of another server, as a replica was lost
	Broken         atomic.Int64 // clients that lost their connection because a server's was lost
	Slow           atomic.Int64 // clients that were cut off as they left too much unread
	ProtocolErrors atomic.Int64 // clients that sent what isn't RESP
	Clients        atomic.Int64 // now connected
}

// counts are the commands of a batch, so that many cost few atomic operations.
type counts [len(Classes)]int64

func (m *Metrics) add(c *counts) {
	for class, n := range c {
		if n > 0 {
			m.Commands[class].Add(n)
		}
	}
	*c = counts{}
}

// Bounds are the upper ends of a histogram's buckets.
var Bounds = [...]time.Duration{
	250 * time.Microsecond, 500 * time.Microsecond, time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond,
	25 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond, 2500 * time.Millisecond,
}

// Histogram counts durations.
type Histogram struct {
	Buckets [len(Bounds) + 1]atomic.Int64 // not cumulative; the last one is beyond all bounds
	Sum     atomic.Int64                  // nanoseconds
}

func (h *Histogram) observe(d time.Duration) {
	i := 0
	for i < len(Bounds) && d > Bounds[i] {
		i++
	}
	h.Buckets[i].Add(1)
	h.Sum.Add(int64(d))
}

package session

import (
	"sync/atomic"

	"podpatterns.dev/helpers/internal/exposition"
)

// Class is a command's, for metrics.
type Class uint8

// The classes: reads that are sent where the policy says; writes; what may be answered late on purpose; what else the
// primary gets.
const (
	Read Class = iota
	Write
	Blocking
	Pinned
)

// Classes are their names.
var Classes = [...]string{Read: "read", Write: "write", Blocking: "blocking", Pinned: "pinned"}

// Metrics are an upstream's, counted from the start of the process.
type Metrics struct {
	Commands       [len(Classes)]atomic.Int64
	Durations      [len(Classes)]exposition.Histogram
	Errors         Errors
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

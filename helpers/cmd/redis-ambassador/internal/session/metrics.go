package session

import "sync/atomic"

// Metrics are an upstream's, counted from the start of the process.
type Metrics struct {
	Reads, Writes, Pinned atomic.Int64 // commands: reads sent by the read policy; writes; what else the primary gets
	Unavailable           atomic.Int64 // commands that got an error, as there was no server for them
	Repeated              atomic.Int64 // reads that were asked of another server, as a replica was lost
	Broken                atomic.Int64 // clients that lost their connection because a server's was lost
	Slow                  atomic.Int64 // clients that were cut off as they left too much unread
	ProtocolErrors        atomic.Int64 // clients that sent what isn't RESP
	Clients               atomic.Int64 // now connected
}

// counts are those of a batch, so that many commands cost few atomic operations.
type counts struct{ reads, writes, pinned int64 }

func (m *Metrics) add(c *counts) {
	if c.reads > 0 {
		m.Reads.Add(c.reads)
	}
	if c.writes > 0 {
		m.Writes.Add(c.writes)
	}
	if c.pinned > 0 {
		m.Pinned.Add(c.pinned)
	}
	*c = counts{}
}

package topology

import "time"

var epoch = time.Now()

// Clock is the time that CaughtUp speaks of.
func Clock() int64 { return int64(time.Since(epoch)) }

// CaughtUp is a time of Clock: what the primary had acknowledged then, the replica has. 0 while nothing is known.
func (s *Server) CaughtUp() int64 { return s.caughtUp.Load() }

// Sample makes the monitor find out soon how far the replicas have got. It may be called all the time.
func (m *Monitor) Sample() {
	snapshot := m.Snapshot()
	if snapshot.Primary == nil {
		return
	}
	snapshot.Primary.Check()
	for _, replica := range snapshot.Replicas {
		replica.Check()
	}
}

// noteCaughtUp draws the conclusion from where the primary was when it was asked, and where a replica is: it has all that was
// acknowledged before the primary was asked and was no further.
func (s *Server) noteCaughtUp(samples *history, o observation) {
	reached, known := samples.reached(o.offset)
	if samples.id != o.id || !known { // another history has other offsets
		s.caughtUp.Store(0)
		return
	}
	s.caughtUp.Store(int64(reached.Sub(epoch)))
}

// reached is when the primary was last known to have no more than the offset.
func (h *history) reached(offset int64) (at time.Time, known bool) {
	for i := len(h.points) - 1; i >= 0; i-- {
		if h.points[i].offset <= offset {
			return h.points[i].at, true
		}
	}
	return time.Time{}, false
}

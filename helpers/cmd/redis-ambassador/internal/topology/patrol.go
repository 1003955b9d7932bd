package topology

import (
	"context"
	"time"
)

// A replica that owes answers and says nothing is left long before it is given up: what was asked of it is asked of
// another server. All in all that takes less than 200 ms.
const (
	patrolEvery = 20 * time.Millisecond
	// silentFor is how long a server may say nothing to those who wait before it is checked.
	silentFor = 60 * time.Millisecond
	// silentCheck is how long it may then say nothing to anybody.
	silentCheck = 80 * time.Millisecond
)

// silence is what the patrol knows of a replica.
type silence struct {
	heard   uint64    // when the silence began
	since   time.Time // nobody waited, or it was heard
	checked time.Time // zero: not yet
}

// patrol looks for replicas that have fallen silent, until ctx ends.
func (m *Monitor) patrol(ctx context.Context) {
	ticker := time.NewTicker(patrolEvery)
	defer ticker.Stop()
	silent := map[*Server]silence{}
	for last := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Now()
		starved := now.Sub(last) > 2*patrolEvery // then it may be us who haven't listened
		last = now
		replicas := m.Snapshot().Replicas
		for server := range silent {
			if starved || !server.isOneOf(replicas) {
				delete(silent, server)
			}
		}
		for _, server := range replicas {
			if !server.owes() {
				delete(silent, server)
				continue
			}
			s, known := silent[server]
			if heard := server.heard.Load(); !known || s.heard != heard {
				s = silence{heard: heard, since: now}
			}
			switch {
			case s.checked.IsZero() && now.Sub(s.since) >= silentFor:
				s.checked = now
				server.Check()
			case !s.checked.IsZero() && now.Sub(s.checked) >= silentCheck:
				m.fellSilent(server)
			}
			silent[server] = s
		}
	}
}

// fellSilent leaves a replica, if there is another server to ask, until it answers a check.
func (m *Monitor) fellSilent(server *Server) {
	m.mu.Lock()
	defer m.mu.Unlock()
	snapshot := m.snapshot.Load()
	primary := m.settings.PrimaryReads && snapshot.Primary != nil
	if server.silent || !primary && len(snapshot.Replicas) < 2 {
		return
	}
	m.log.Warn("a replica has fallen silent: others are asked until it answers again", "server", server.Addr)
	server.silent = true
	m.judge()
	for _, c := range server.list(true) {
		c.Leave()
	}
}

func (s *Server) isOneOf(servers []*Server) bool {
	for _, other := range servers {
		if s == other {
			return true
		}
	}
	return false
}

// Heard notes that something has come from the server.
func (s *Server) Heard() { s.heard.Add(1) }

// owes tells whether somebody waits for an answer.
func (s *Server) owes() bool {
	for _, c := range s.list(true) {
		if c.Owes() {
			return true
		}
	}
	return false
}

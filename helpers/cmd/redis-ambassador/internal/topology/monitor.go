// Package topology knows which server is the primary and which replicas are fit for reads, and follows changes.
package topology

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/routing"
)

// Settings are a monitor's; they may change while it runs.
type Settings struct {
	Endpoints []string
	Access    Access
	// SentinelMaster is the name under which Sentinels know the servers; then Endpoints are the Sentinels.
	SentinelMaster string
	SentinelAccess Access
	// MonitorUser and MonitorPassword log in the checks; without a password they log in as Access says.
	MonitorUser, MonitorPassword string
	// PrimaryReads: where no replica answers, reads go to the primary.
	PrimaryReads bool
	Interval     time.Duration // between two checks of a server
	Threshold    int           // failed checks in a row after which a server is given up
	MaxLag       time.Duration // 0: replicas may lag as they like
}

// Snapshot is the knowledge of one moment. It never changes.
type Snapshot struct {
	Primary  *Server // nil: none
	Replicas []*Server
	// Since is when the primary became known, or was lost.
	Since time.Time
	// Why the primary is this one, or there is none.
	Reason string
	// Next is closed when another snapshot has taken this one's place.
	Next  <-chan struct{}
	close func()
}

// Monitor watches the servers of an upstream.
type Monitor struct {
	log      *slog.Logger
	snapshot atomic.Pointer[Snapshot]
	commands atomic.Pointer[routing.Table]

	mu       sync.Mutex
	settings Settings
	servers  map[string]*Server
	appoint  string // the primary's address as Sentinel has it
	epoch    int64  // of that decision
	history  history
	samples  history // the same, to tell who has caught up
	changes  int
	last     *Server // the last primary that was known
	lastID   string  // the history of writes that it had
	ctx      context.Context
	sentinel context.CancelFunc
}

// New starts to watch, until ctx ends.
func New(ctx context.Context, s Settings, log *slog.Logger) *Monitor {
	m := &Monitor{log: log, servers: map[string]*Server{}, ctx: ctx}
	m.history.apart, m.samples.apart = lagPrecision, time.Millisecond
	m.publish(nil, nil, "no server has been asked yet")
	m.Configure(s)
	go m.patrol(ctx)
	return m
}

// Snapshot is the newest one.
func (m *Monitor) Snapshot() *Snapshot { return m.snapshot.Load() }

// Commands knows the servers' commands, nil while none could be asked.
func (m *Monitor) Commands() *routing.Table { return m.commands.Load() }

// Changes counts how often another server has become the primary. known tells whether there has been one at all.
func (m *Monitor) Changes() (count int, known bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changes, m.last != nil
}

// Access returns the present way to reach the servers.
func (m *Monitor) Access() Access {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.settings.Access
}

// Configure changes the settings. Servers that stay are not disturbed.
func (m *Monitor) Configure(s Settings) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.settings = s
	if m.sentinel != nil {
		m.sentinel()
		m.sentinel = nil
	}
	if s.SentinelMaster == "" {
		m.appoint, m.epoch = "", 0
		m.keep(s.Endpoints)
	} else {
		ctx, cancel := context.WithCancel(m.ctx)
		m.sentinel = cancel
		go m.askSentinels(ctx, s)
	}
	for _, server := range m.servers {
		server.Check()
	}
	m.judge()
}

// keep watches exactly these servers. The lock is held.
func (m *Monitor) keep(addrs []string) {
	for addr, server := range m.servers {
		if !slices.Contains(addrs, addr) {
			server.stop()
			delete(m.servers, addr)
			time.AfterFunc(retireAfter, server.CloseConnections)
		}
	}
	for _, addr := range addrs {
		if m.servers[addr] == nil {
			ctx, cancel := context.WithCancel(m.ctx)
			server := newServer(addr, cancel)
			m.servers[addr] = server
			go m.watch(ctx, server)
		}
	}
}

// retireAfter bounds the time in which a connection to a server that is no longer the primary may still bring answers.
const retireAfter = time.Second

// judge draws the conclusions from what is seen. The lock is held.
func (m *Monitor) judge() {
	now := time.Now()
	old := m.snapshot.Load()
	seen := make(map[*Server]observation, len(m.servers))
	for _, server := range m.servers {
		seen[server] = server.seen
	}
	primary, found, reason := m.choose(seen)
	if !found {
		primary = nil
		reason += m.refusals()
	} else {
		m.history.add(seen[primary].id, seen[primary].offset, seen[primary].at)
		m.samples.add(seen[primary].id, seen[primary].offset, seen[primary].at)
		m.lastID = seen[primary].id
		for server, o := range seen {
			server.seen.passed = server != primary && (o.passed || o.role == Primary)
		}
	}
	var replicas []*Server
	for server, o := range seen {
		if o.role == Replica && found {
			server.noteCaughtUp(&m.samples, o)
		}
		if server != primary && m.fit(server, o, seen[primary], found, now) {
			replicas = append(replicas, server)
		}
	}
	slices.SortFunc(replicas, func(a, b *Server) int { return strings.Compare(a.Addr, b.Addr) })
	if primary == old.Primary && reason == old.Reason && slices.Equal(replicas, old.Replicas) {
		return
	}
	m.publish(primary, replicas, reason)
}

// choose is elect, unless a Sentinel has decided.
func (m *Monitor) choose(seen map[*Server]observation) (*Server, bool, string) {
	if m.settings.SentinelMaster == "" {
		// The first that answers isn't chosen only for being the first.
		for server := range seen {
			if m.last == nil && !server.asked {
				return nil, false, "not every server has been asked yet"
			}
		}
		return elect(seen, m.last, m.lastID)
	}
	server := m.servers[m.appoint]
	if server == nil {
		return nil, false, "no Sentinel has named the primary yet"
	}
	if !seen[server].isPrimary() {
		return nil, false, "the server that Sentinel names, " + m.appoint + ", doesn't say that it is the primary"
	}
	return server, true, "Sentinel names it, and it says so"
}

// refusals are the servers' own words why they can't be watched.
func (m *Monitor) refusals() string {
	var words []string
	for _, server := range m.servers {
		if server.refusal != "" {
			words = append(words, "; "+server.Addr+": "+server.refusal)
		}
	}
	slices.Sort(words)
	return strings.Join(words, "")
}

// otherwise is the role of a server that may not tell it: of the only one, and of those that Sentinels name.
func (m *Monitor) otherwise(server *Server) Role {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.settings.SentinelMaster != "" && server.Addr == m.appoint:
		return Primary
	case m.settings.SentinelMaster != "":
		return Replica
	case len(m.servers) == 1:
		return Primary
	}
	return ""
}

// fit tells whether a replica may answer reads.
func (m *Monitor) fit(server *Server, o, primary observation, found bool, now time.Time) bool {
	server.lag = 0
	if o.role != Replica || !o.serves || server.silent {
		return false
	}
	if !found {
		return true // it may still answer what it knows
	}
	if !o.follows(primary) {
		return false
	}
	server.lag = m.history.lag(o.offset, now)
	return m.settings.MaxLag == 0 || server.lag <= m.settings.MaxLag
}

func (m *Monitor) publish(primary *Server, replicas []*Server, reason string) {
	next := make(chan struct{})
	s := &Snapshot{Primary: primary, Replicas: replicas, Since: time.Now(), Reason: reason, Next: next, close: func() { close(next) }}
	old := m.snapshot.Load()
	if old != nil && old.Primary == primary {
		s.Since = old.Since
	}
	m.snapshot.Store(s)
	if old == nil {
		return
	}
	old.close()
	if old.Primary != primary || old.Reason != reason {
		if primary != nil {
			m.log.Info("the primary is known", "server", primary.Addr, "because", reason)
		} else {
			m.log.Warn("there is no primary", "because", reason)
		}
	}
	if primary != nil && primary != m.last {
		if m.last != nil {
			m.changes++
		}
		m.last = primary
	}
	if old.Primary != nil && old.Primary != primary {
		// What waits for the old one waits in vain, unless it comes back.
		time.AfterFunc(retireAfter, func() {
			if m.Snapshot().Primary != old.Primary {
				old.Primary.ClosePrimaryConnections()
			}
		})
	}
}

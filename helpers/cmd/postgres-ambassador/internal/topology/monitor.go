// Package topology knows which server is the primary and which are replicas, by asking all of them.
package topology

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"podpatterns.dev/helpers/internal/names"
)

// Settings say where the servers are, and how to log in there.
type Settings struct {
	Endpoints                []string
	Database, User, Password string
	TLS                      *tls.Config // without a ServerName, the endpoint's host is it
	Interval                 time.Duration
	Threshold                int
}

// tlsFor returns how to speak TLS with a server; nil for not at all.
func (s *Settings) tlsFor(target Target) *tls.Config {
	if s.TLS == nil || s.TLS.ServerName != "" {
		return s.TLS
	}
	host, _, _ := net.SplitHostPort(target.Endpoint)
	named := s.TLS.Clone()
	named.ServerName = strings.TrimSuffix(host, ".")
	return named
}

// Monitor asks the servers of one upstream.
type Monitor struct {
	ctx      context.Context
	log      *slog.Logger
	names    *names.Follower
	settings atomic.Pointer[Settings]
	reread   chan struct{}

	mu        sync.Mutex
	probers   map[netip.AddrPort]*prober
	used      inUse
	primary   *Server
	reason    string
	failovers int
	had       bool
	changed   chan struct{} // closed with the next change
}

// New makes a monitor that works until ctx ends.
func New(ctx context.Context, settings Settings, follower *names.Follower, log *slog.Logger) *Monitor {
	m := &Monitor{
		ctx: ctx, log: log, names: follower, reread: make(chan struct{}, 1), probers: map[netip.AddrPort]*prober{},
		reason: "not asked yet", changed: make(chan struct{}),
	}
	m.settings.Store(&settings)
	go m.run()
	return m
}

// Configure exchanges the settings.
func (m *Monitor) Configure(settings Settings) {
	m.settings.Store(&settings)
	select {
	case m.reread <- struct{}{}:
	default:
	}
}

// run asks the servers that the names stand for.
func (m *Monitor) run() {
	for {
		m.follow()
		select {
		case <-m.ctx.Done():
			return
		case <-m.reread:
		case <-m.names.Changed():
		}
	}
}

func (m *Monitor) follow() {
	endpoints := m.settings.Load().Endpoints
	var hosts []string
	for _, endpoint := range endpoints {
		if host, _, err := net.SplitHostPort(endpoint); err == nil && !isAddress(host) && !slices.Contains(hosts, host) {
			hosts = append(hosts, host)
		}
	}
	m.names.Follow(m.ctx, hosts)
	wanted := map[netip.AddrPort]Target{}
	for _, endpoint := range endpoints {
		for _, target := range m.targets(endpoint) {
			if _, known := wanted[target.Address]; !known {
				wanted[target.Address] = target
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for address, p := range m.probers {
		if wanted[address] != p.target {
			p.stop()
			delete(m.probers, address)
		}
	}
	for address, target := range wanted {
		if m.probers[address] == nil {
			ctx, stop := context.WithCancel(m.ctx)
			p := &prober{target: target, monitor: m, stop: stop, problem: "not asked yet"}
			m.probers[address] = p
			go p.run(ctx)
		}
	}
	if m.used.address.IsValid() && m.probers[m.used.address] == nil {
		m.used = inUse{}
	}
	m.judge()
}

// targets returns where the servers of an endpoint are.
func (m *Monitor) targets(endpoint string) []Target {
	host, port, err := net.SplitHostPort(endpoint)
	number, errPort := strconv.ParseUint(port, 10, 16)
	if err != nil || errPort != nil {
		return nil
	}
	addresses := m.names.Addresses(host)
	if address, err := netip.ParseAddr(host); err == nil {
		addresses = []netip.Addr{address}
	}
	var found []Target
	for _, address := range addresses {
		found = append(found, Target{netip.AddrPortFrom(address, uint16(number)), endpoint})
	}
	return found
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

// tell takes in what a prober found, and reports whether the server's role has changed.
func (m *Monitor) tell(p *prober, settings *Settings, finding Finding, err error) (turned bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.probers[p.target.Address] != p {
		return false
	}
	if err != nil {
		p.failures++
		if p.found && p.failures < settings.Threshold {
			return false
		}
		if why := err.Error(); p.problem != why {
			p.problem = why
			m.log.Warn("a server can't be used", "server", p.target.String(), "error", why)
		}
		p.found = false
		m.judge()
		return false
	}
	turned = p.found && p.finding.Role != finding.Role
	if !p.found || turned {
		m.log.Info("a server answers", "server", p.target.String(), "role", finding.Role)
	}
	p.failures, p.found, p.problem, p.finding = 0, true, "", finding
	m.judge()
	return turned
}

// judge chooses the primary anew.
func (m *Monitor) judge() {
	primary, reason := choose(m.servers(), m.used)
	if primary != nil {
		if m.used.address != primary.Address {
			if m.had {
				m.failovers++
			}
			m.log.Info("a server is the primary", "server", primary.String())
		}
		m.used = inUse{primary.Address, primary.System, primary.Timeline}
		m.had = true
	} else if m.reason != reason {
		m.log.Warn("there is no primary", "reason", reason)
	}
	m.primary, m.reason = primary, reason
	close(m.changed)
	m.changed = make(chan struct{})
}

// servers returns those that are known, in order.
func (m *Monitor) servers() []Server {
	var all []Server
	for _, p := range m.probers {
		all = append(all, Server{p.target, p.finding, p.problem})
	}
	slices.SortFunc(all, func(a, b Server) int { return a.Address.Compare(b.Address) })
	return all
}

// Snapshot is what is known at a moment.
type Snapshot struct {
	Primary  *Server
	Replicas []Server // those that can be used
	Servers  []Server
	Reason   string // why there is no primary
	// HadPrimary tells that there was one once.
	HadPrimary bool
	Failovers  int
	Changed    <-chan struct{} // closed when it may be out of date
}

// Snapshot returns what is known now.
func (m *Monitor) Snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Snapshot{Primary: m.primary, Servers: m.servers(), Reason: m.reason, HadPrimary: m.had, Failovers: m.failovers, Changed: m.changed}
	for _, server := range s.Servers {
		if server.Problem == "" && server.Role == Replica {
			s.Replicas = append(s.Replicas, server)
		}
	}
	return s
}

// TLS returns how to speak TLS with a server at present; nil for not at all.
func (m *Monitor) TLS(target Target) *tls.Config { return m.settings.Load().tlsFor(target) }

// NoReplica returns why there is no replica.
func (s Snapshot) NoReplica() string {
	var problems []string
	for _, server := range s.Servers {
		if server.Problem != "" {
			problems = append(problems, fmt.Sprintf("%s: %s", server, server.Problem))
		} else if server.Role == Primary {
			problems = append(problems, server.String()+" is a primary")
		}
	}
	if len(problems) == 0 {
		return "no address"
	}
	return strings.Join(problems, "; ")
}

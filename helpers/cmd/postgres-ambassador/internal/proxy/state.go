package proxy

import (
	"cmp"
	"context"
	"net/netip"
	"slices"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgbouncer"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/relay"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
)

// State is what is going on.
type State struct {
	Hash string
	// Refused is why the newest configuration isn't in effect; empty when it is.
	Refused string
	// StartHealthy says that the application starts once the required upstreams have had a primary.
	StartHealthy bool
	Upstreams    []Upstream
}

// Upstream is one that is served.
type Upstream struct {
	Name     string
	Optional bool
	topology.Snapshot
	Ports []Port
}

// Port is one of an upstream.
type Port struct {
	Name        string
	Policy      relay.Policy
	Connections map[netip.AddrPort]int
	Metrics     *relay.Metrics
	Pools       []pgbouncer.Pool
}

// Health returns what is going on, but for the pools.
func (p *Proxy) Health() State {
	state, _ := p.state()
	return state
}

// State returns what is going on now.
func (p *Proxy) State(ctx context.Context) State {
	state, ports := p.state()
	for i := range state.Upstreams {
		for j := range state.Upstreams[i].Ports {
			one := &state.Upstreams[i].Ports[j]
			one.Pools, _ = ports[one.Name].pools(ctx) // without an answer there is nothing to tell
		}
	}
	return state
}

func (p *Proxy) state() (State, map[string]*port) {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := State{Hash: p.hash, Refused: p.refused, StartHealthy: p.startHealthy}
	ports := map[string]*port{}
	for name, u := range p.upstreams {
		one := Upstream{Name: name, Optional: u.optional, Snapshot: u.monitor.Snapshot()}
		for _, port := range u.ports {
			ports[port.name] = port
			one.Ports = append(one.Ports, Port{Name: port.name, Policy: port.relay.Policy(), Connections: port.relay.Connections(), Metrics: &port.relay.Metrics})
		}
		slices.SortFunc(one.Ports, func(a, b Port) int { return cmp.Compare(a.Name, b.Name) })
		state.Upstreams = append(state.Upstreams, one)
	}
	slices.SortFunc(state.Upstreams, func(a, b Upstream) int { return cmp.Compare(a.Name, b.Name) })
	return state, ports
}

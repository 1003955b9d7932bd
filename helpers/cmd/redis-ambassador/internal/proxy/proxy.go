// Package proxy serves what the configuration says, and goes on serving while it changes.
package proxy

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/session"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// Proxy is all upstreams.
type Proxy struct {
	log *slog.Logger
	ctx context.Context

	mu        sync.Mutex
	upstreams map[string]*upstream
	// Of the configuration in effect.
	hash         string
	startHealthy bool
	refused      string
}

// New makes a proxy whose monitors run until ctx ends.
func New(ctx context.Context, log *slog.Logger) *Proxy {
	return &Proxy{log: log, ctx: ctx, upstreams: map[string]*upstream{}}
}

// Apply makes the configuration the one in effect, as a whole or not at all.
func (p *Proxy) Apply(c config.Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	listeners, err := p.listen(c.Upstreams)
	if err != nil {
		p.refused = err.Error()
		return err
	}
	kept := map[string]*upstream{}
	for _, wanted := range c.Upstreams {
		u := p.upstreams[wanted.Name]
		if u == nil {
			u = newUpstream(p.ctx, wanted, p.log)
		}
		u.configure(wanted, listeners[wanted.Name])
		kept[wanted.Name] = u
	}
	for name, u := range p.upstreams {
		if kept[name] == nil {
			go u.drain(removedFor)
		}
	}
	p.upstreams, p.hash, p.startHealthy, p.refused = kept, c.Hash, c.StartHealthy, ""
	return nil
}

// removedFor bounds the time in which the clients of an upstream that was removed finish what is under way.
const removedFor = 10 * time.Second

// listen opens the addresses that aren't open yet.
func (p *Proxy) listen(wanted []config.Upstream) (map[string][]net.Listener, error) {
	opened := map[string][]net.Listener{}
	listening := net.ListenConfig{KeepAliveConfig: topology.KeepAlive}
	for _, w := range wanted {
		if u := p.upstreams[w.Name]; u != nil && slices.Equal(u.addresses, w.Listen) {
			continue
		}
		for _, address := range w.Listen {
			l, err := listening.Listen(p.ctx, "tcp", address)
			if err != nil {
				for _, listeners := range opened {
					closeAll(listeners)
				}
				return nil, fmt.Errorf("%s: %w", w.Field, err)
			}
			opened[w.Name] = append(opened[w.Name], l)
		}
	}
	return opened, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// Refuse notes why the newest configuration isn't in effect.
func (p *Proxy) Refuse(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = why.Error()
}

// Drain stops taking clients and ends sessions as they finish what is under way; those that don't in time are cut.
func (p *Proxy) Drain(timeout time.Duration) {
	var all sync.WaitGroup
	p.mu.Lock()
	for _, u := range p.upstreams {
		all.Go(func() { u.drain(timeout) })
	}
	p.mu.Unlock()
	all.Wait()
}

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
	*session.Shared
	Optional bool
}

// State returns what is going on now.
func (p *Proxy) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := State{Hash: p.hash, Refused: p.refused, StartHealthy: p.startHealthy}
	for _, u := range p.upstreams {
		s.Upstreams = append(s.Upstreams, Upstream{&u.shared, u.optional})
	}
	slices.SortFunc(s.Upstreams, func(a, b Upstream) int { return strings.Compare(a.Name, b.Name) })
	return s
}

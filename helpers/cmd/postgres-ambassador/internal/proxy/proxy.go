// Package proxy serves what the configuration says, and goes on serving while it changes.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/names"
)

const (
	// drainTime is the most that clients get to end by themselves, of the 30 s that Kubernetes gives by default.
	drainTime = 20 * time.Second
	// quietTime is for how long clients are silent when nobody uses them.
	quietTime   = 3 * time.Second
	quietPeriod = 250 * time.Millisecond
)

// Programs are what a proxy runs and where.
type Programs struct {
	PgBouncer string
	Run       string // a directory of its own
	Search    names.Search
	Ask       names.Ask
}

// Proxy is all upstreams.
type Proxy struct {
	ctx      context.Context
	programs Programs
	log      *slog.Logger
	ended    chan error

	mu           sync.Mutex
	upstreams    map[string]*upstream
	hash         string // of the configuration in effect
	startHealthy bool
	refused      string
}

// upstream is one that is served.
type upstream struct {
	stop     context.CancelFunc
	monitor  *topology.Monitor
	optional bool
	ports    map[string]*port
}

// New makes a proxy that works until ctx ends.
func New(ctx context.Context, programs Programs, log *slog.Logger) *Proxy {
	return &Proxy{ctx: ctx, programs: programs, log: log, ended: make(chan error, 1), upstreams: map[string]*upstream{}}
}

// Ended gets the reason when a PgBouncer has ended by itself.
func (p *Proxy) Ended() <-chan error { return p.ended }

// Apply makes the configuration the one in effect. After an error the former one goes on.
func (p *Proxy) Apply(c config.Config) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.apply(c); err != nil {
		p.refused = err.Error()
		return err
	}
	return nil
}

func (p *Proxy) apply(c config.Config) error {
	next := map[string]*upstream{}
	var begun []*port
	for _, wanted := range c.Upstreams {
		u := p.upstreams[wanted.Name]
		if u == nil {
			u = p.newUpstream(wanted)
		}
		next[wanted.Name] = u
		for _, w := range wanted.Ports {
			if u.ports[w.Name] != nil {
				continue
			}
			one, err := p.startPort(u.monitor, w)
			if err != nil {
				p.drop(begun, next)
				return fmt.Errorf("%s.%s: %w", wanted.Field, w.Field, err)
			}
			u.ports[w.Name] = one
			begun = append(begun, one)
		}
	}
	var failed []error
	for _, wanted := range c.Upstreams {
		failed = append(failed, p.configure(next[wanted.Name], wanted))
	}
	if err := errors.Join(failed...); err != nil {
		return err
	}
	for name, u := range p.upstreams {
		if next[name] == nil {
			u.end()
		}
	}
	p.upstreams, p.hash, p.startHealthy, p.refused = next, c.Hash, c.StartHealthy, ""
	return nil
}

// drop ends what was begun for a configuration that is refused.
func (p *Proxy) drop(begun []*port, next map[string]*upstream) {
	for name, u := range next {
		for of, one := range u.ports {
			if slices.Contains(begun, one) {
				one.stop()
				delete(u.ports, of)
			}
		}
		if p.upstreams[name] == nil {
			u.end()
		}
	}
}

func (p *Proxy) newUpstream(c config.Upstream) *upstream {
	ctx, stop := context.WithCancel(p.ctx)
	log := p.log.With("upstream", c.Name)
	follower := names.NewFollower(p.programs.Search, p.programs.Ask, log)
	return &upstream{stop: stop, monitor: topology.New(ctx, c.Servers, follower, log), ports: map[string]*port{}}
}

func (p *Proxy) configure(u *upstream, c config.Upstream) error {
	if tls := c.Servers.TLS; tls != nil && tls.InsecureSkipVerify {
		p.log.Warn("tls.insecureSkipVerify: any server is believed; leave it out in production", "upstream", c.Name)
	}
	u.monitor.Configure(c.Servers)
	u.optional = c.Optional
	kept := map[string]bool{}
	var failed []error
	for _, wanted := range c.Ports {
		kept[wanted.Name] = true
		failed = append(failed, u.ports[wanted.Name].configure(p.ctx, wanted))
	}
	for name, one := range u.ports {
		if !kept[name] {
			one.stop()
			delete(u.ports, name)
		}
	}
	return errors.Join(failed...)
}

func (u *upstream) end() {
	for _, one := range u.ports {
		one.stop()
	}
	u.stop()
}

// Refuse notes why the newest configuration isn't in effect.
func (p *Proxy) Refuse(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refused = why.Error()
}

// Drain waits until clients are gone or silent, or drainTime is over. With the Pod, it is after the application, and nobody
// is there.
func (p *Proxy) Drain() {
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	p.awaitQuiet(ctx)
}

// Stop ends all processes, with the connections that there are.
func (p *Proxy) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, u := range p.upstreams {
		u.end()
	}
}

// awaitQuiet returns when no client is in use.
func (p *Proxy) awaitQuiet(ctx context.Context) {
	before, since := "", time.Now()
	for {
		clients, carried := p.activity(ctx)
		if carried != before {
			before, since = carried, time.Now()
		}
		if clients == 0 || time.Since(since) >= quietTime {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(quietPeriod):
		}
	}
}

// activity returns how many clients there are, and how much they have carried.
func (p *Proxy) activity(ctx context.Context) (clients float64, carried string) {
	var text strings.Builder
	for _, u := range p.State(ctx).Upstreams {
		for _, one := range u.Ports {
			for _, pool := range one.Pools {
				clients += pool.ActiveClients + pool.WaitingClients
				fmt.Fprintln(&text, one.Name, pool.Database, pool.Received, pool.Sent)
			}
		}
	}
	return clients, text.String()
}

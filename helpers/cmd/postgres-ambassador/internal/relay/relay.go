// Package relay gives PgBouncer one server that is always there: behind it, each connection gets the server that is right
// at that moment, by TLS where that is wanted.
//
// PgBouncer itself would need a reload for each change of servers, could not be told to leave one at once, and knows one
// name only for a server's address and its certificate.
package relay

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/wire"
)

const (
	// awaitTime is how long a connection waits for a server to be there, as in a failover.
	awaitTime = 10 * time.Second
	dialTime  = 4 * time.Second
	// firstTime bounds what comes from PgBouncer, which is never slow.
	firstTime = 5 * time.Second
)

// Policy says which servers connections get.
type Policy string

// The policies.
const (
	Primary       Policy = "Primary"
	PreferReplica Policy = "PreferReplica"
	Replica       Policy = "Replica"
)

// Targets returns the servers that are right for new connections; without any, why there are none.
func (p Policy) Targets(s topology.Snapshot) (targets []topology.Target, why string) {
	if p != Primary {
		for _, server := range s.Replicas {
			targets = append(targets, server.Target)
		}
		if len(targets) > 0 {
			return targets, ""
		}
		if p == Replica {
			return nil, "no replica: " + s.NoReplica()
		}
	}
	if s.Primary == nil {
		return nil, "no primary: " + s.Reason
	}
	return []topology.Target{s.Primary.Target}, ""
}

// Relay takes connections at one socket.
type Relay struct {
	Metrics Metrics

	monitor *topology.Monitor
	log     *slog.Logger
	ctx     context.Context

	mu     sync.Mutex
	policy Policy
	conns  map[*conn]struct{}
}

// conn is one connection with both its ends.
type conn struct {
	target         topology.Target
	client, server net.Conn
}

func (c *conn) close() {
	c.client.Close()
	c.server.Close()
}

// Start takes connections at listener until ctx ends.
func Start(ctx context.Context, listener net.Listener, monitor *topology.Monitor, policy Policy, log *slog.Logger) *Relay {
	r := &Relay{monitor: monitor, log: log, ctx: ctx, policy: policy, conns: map[*conn]struct{}{}}
	context.AfterFunc(ctx, func() { listener.Close() })
	go r.leave()
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go r.serve(client)
		}
	}()
	return r
}

// SetPolicy exchanges the policy.
func (r *Relay) SetPolicy(policy Policy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.policy = policy
}

// Policy returns the present one.
func (r *Relay) Policy() Policy {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.policy
}

// Connections returns how many there are to each server.
func (r *Relay) Connections() map[netip.AddrPort]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	count := map[netip.AddrPort]int{}
	for c := range r.conns {
		count[c.target.Address]++
	}
	return count
}

// leave closes connections for writes when another server is the primary.
func (r *Relay) leave() {
	for {
		s := r.monitor.Snapshot()
		if r.Policy() == Primary && s.Primary != nil {
			for _, c := range r.where(func(c *conn) bool { return c.target.Address != s.Primary.Address }) {
				c.close()
			}
		}
		select {
		case <-r.ctx.Done():
			for _, c := range r.where(func(*conn) bool { return true }) {
				c.close()
			}
			return
		case <-s.Changed:
		}
	}
}

func (r *Relay) where(holds func(*conn) bool) []*conn {
	r.mu.Lock()
	defer r.mu.Unlock()
	var found []*conn
	for c := range r.conns {
		if holds(c) {
			found = append(found, c)
		}
	}
	return found
}

func (r *Relay) serve(client net.Conn) {
	defer client.Close()
	_ = client.SetDeadline(time.Now().Add(firstTime))
	first, err := wire.ReadFirst(client)
	if err != nil {
		return
	}
	_ = client.SetDeadline(time.Time{})
	if first.Cancel {
		r.cancel(first.Bytes)
		return
	}
	server, target, err := r.connect()
	if err != nil {
		_, _ = client.Write(wire.Refusal(err.Error()))
		return
	}
	c := &conn{target, client, server}
	r.mu.Lock()
	r.conns[c] = struct{}{}
	r.mu.Unlock()
	defer func() {
		c.close()
		r.mu.Lock()
		delete(r.conns, c)
		r.mu.Unlock()
	}()
	// The primary may have become another one since.
	if targets, _ := r.Policy().Targets(r.monitor.Snapshot()); len(targets) > 0 && !slices.Contains(targets, target) {
		return
	}
	if _, err := server.Write(first.Bytes); err != nil {
		return
	}
	t := &turns{metrics: &r.Metrics}
	go func() {
		forward(server, client, func([]byte) { t.asked() })
		c.close()
	}()
	forward(client, server, t.answered)
}

// connect waits for a server that is right, and connects with it.
func (r *Relay) connect() (net.Conn, topology.Target, error) {
	enough := time.After(awaitTime)
	for {
		s := r.monitor.Snapshot()
		targets, why := r.Policy().Targets(s)
		if len(targets) > 0 {
			return r.dial(targets)
		}
		select {
		case <-s.Changed:
		case <-enough:
			r.Metrics.Errors[unavailable].Add(1)
			return nil, topology.Target{}, fmt.Errorf("%s", why)
		case <-r.ctx.Done():
			return nil, topology.Target{}, r.ctx.Err()
		}
	}
}

// dial connects with the server that has the fewest connections; with the next one, where that fails.
func (r *Relay) dial(targets []topology.Target) (net.Conn, topology.Target, error) {
	count := r.Connections()
	slices.SortStableFunc(targets, func(a, b topology.Target) int { return cmp.Compare(count[a.Address], count[b.Address]) })
	ctx, cancel := context.WithTimeout(r.ctx, dialTime)
	defer cancel()
	var failed error
	for _, target := range targets {
		begun := time.Now()
		server, err := wire.Dial(ctx, target.Address.String(), r.monitor.TLS(target))
		if err == nil {
			r.Metrics.Connected.Observe(time.Since(begun))
			return server, target, nil
		}
		r.Metrics.Errors[classOf(err)].Add(1)
		failed = fmt.Errorf("%s: %w", target, err)
		r.log.Warn("a connection has failed", "error", failed)
	}
	return nil, topology.Target{}, failed
}

// cancel passes a request on to the servers that have connections: only the right one knows its secret.
func (r *Relay) cancel(request []byte) {
	ctx, cancel := context.WithTimeout(r.ctx, dialTime)
	defer cancel()
	var servers []topology.Target
	for _, c := range r.where(func(*conn) bool { return true }) {
		if !slices.Contains(servers, c.target) {
			servers = append(servers, c.target)
		}
	}
	for _, target := range servers {
		server, err := wire.Dial(ctx, target.Address.String(), r.monitor.TLS(target))
		if err != nil {
			continue
		}
		if _, err := server.Write(request); err == nil {
			_ = server.SetReadDeadline(time.Now().Add(dialTime))
			_, _ = io.Copy(io.Discard, server) // it closes when it is done
		}
		server.Close()
	}
}

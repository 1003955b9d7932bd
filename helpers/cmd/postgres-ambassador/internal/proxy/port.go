package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgbouncer"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/relay"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
)

// port is one that applications connect with: a PgBouncer, and a relay as its server.
type port struct {
	name    string
	end     context.CancelFunc
	relay   *relay.Relay
	bouncer *pgbouncer.Process
}

func (p *Proxy) startPort(monitor *topology.Monitor, c config.Port) (*port, error) {
	directory := filepath.Join(p.programs.Run, c.Name)
	server := filepath.Join(directory, "server")
	if err := os.RemoveAll(directory); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(server, 0o700); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", pgbouncer.Socket(server))
	if err != nil {
		return nil, err
	}
	ctx, end := context.WithCancel(p.ctx)
	log := p.log.With("port", c.Name)
	one := &port{name: c.Name, end: end, relay: relay.Start(ctx, listener, monitor, c.Policy, log)}
	one.bouncer, err = pgbouncer.Start(ctx, p.programs.PgBouncer, directory, server, c.Bouncer)
	if err != nil {
		end()
		return nil, err
	}
	go p.watch(ctx, one)
	if c.Policy != relay.Primary {
		go one.spread(ctx, monitor, log)
	}
	return one, nil
}

// watch tells when PgBouncer ends by itself.
func (p *Proxy) watch(ctx context.Context, one *port) {
	select {
	case <-ctx.Done():
	case <-one.bouncer.Done:
		if ctx.Err() == nil {
			select {
			case p.ended <- fmt.Errorf("pgbouncer of %s has ended: %w", one.name, one.bouncer.Err):
			default:
			}
		}
	}
}

// spread has pooled connections made anew, as their clients are done with them, when other servers are right for reads.
func (one *port) spread(ctx context.Context, monitor *topology.Monitor, log *slog.Logger) {
	var before []topology.Target
	for {
		s := monitor.Snapshot()
		targets, _ := one.relay.Policy().Targets(s)
		if !slices.Equal(targets, before) && len(targets) > 0 {
			if err := one.bouncer.Reconnect(ctx); err != nil && ctx.Err() == nil {
				log.Warn("pooled connections stay with their servers", "error", err)
			}
			before = targets
		}
		select {
		case <-ctx.Done():
			return
		case <-s.Changed:
		}
	}
}

func (one *port) configure(ctx context.Context, c config.Port) error {
	one.relay.SetPolicy(c.Policy)
	return one.bouncer.Configure(ctx, c.Bouncer)
}

func (one *port) stop() {
	one.end()
	one.bouncer.Stop()
}

// pools returns those of PgBouncer; none where it does not answer.
func (one *port) pools(ctx context.Context) ([]pgbouncer.Pool, error) {
	select {
	case <-one.bouncer.Done:
		return nil, errors.New("pgbouncer has ended")
	default:
		return one.bouncer.Pools(ctx)
	}
}

// Postgres-ambassador is an Ambassador's proxy to a PostgreSQL with replicas: PgBouncer on localhost, and behind it always the
// server that is right. postgres-ambassador --help is the manual.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/status"
	"podpatterns.dev/helpers/internal/keeper"
	"podpatterns.dev/helpers/internal/serve"
)

const usage = `postgres-ambassador is a port on localhost for the primary of a PostgreSQL, and one for its replicas.

It logs in at each server and asks for its role, so it follows a failover, also where a name stands for all servers. Of
two primaries the one that was promoted last counts. PgBouncer, one process for each port, takes the clients, which need
no password, logs in at the servers and pools connections where that is wanted; TLS to the servers, by SSLRequest, is
spoken by this program. The file and the Secrets are read again when they change; no client loses its connection by
that. When another server becomes the primary, connections to the former one are closed. New ones wait up to 10 s for a primary.

On SIGTERM it goes on for as long as clients are in use, 20 s at most, and closes those that are idle.
It listens at 127.0.0.1 and, where there is one, ::1.

Pages at --metrics:
  /healthz   503, with proxy.startWhen: Healthy, until all required upstreams have had a primary; otherwise 200: for a
             startupProbe
  /readyz    200 while each required upstream has a primary and, with reads.policy: Replica, a replica
  /config    the hash of the configuration in effect; from the second line on, why a newer one is not
  /metrics   Prometheus metrics: servers, and PgBouncer's pools

Options:
`

func main() {
	k := keeper.New("postgres-ambassador", usage, "pgbouncer", "1.18", "/etc/podpatterns/pgbouncer.yaml")
	secrets := k.Flags.String("secrets", "/etc/podpatterns/secrets", "`DIRECTORY` with a directory for each Secret")
	k.Main(func(log *slog.Logger) error { return run(k, *secrets, log) })
}

func run(k *keeper.Keeper, secrets string, log *slog.Logger) error {
	// PgBouncer gets a signal when the thread that started it ends (Pdeathsig), which must not be before the process.
	runtime.LockOSThread()
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// While clients drain, servers are still watched.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// To PgBouncer a socket is what begins with a slash.
	directory, err := filepath.Abs(k.RunDirectory)
	if err != nil {
		return err
	}
	p := proxy.New(ctx, proxy.Programs{PgBouncer: k.Program, Run: directory, Search: k.Search, Ask: k.Ask}, log)
	defer p.Stop()
	file := config.NewFile(k.Config, secrets)
	c, _, err := file.Read()
	if err == nil {
		err = p.Apply(c)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", k.Metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer serve.Start(listener, status.Handler(p), log)()
	log.Info("serving", "upstreams", len(c.Upstreams), "config", c.Hash)
	return follow(stopping, p, file, log)
}

// follow takes up changes until ctx ends, or a PgBouncer does.
func follow(stopping context.Context, p *proxy.Proxy, file *config.File, log *slog.Logger) error {
	ctx, cancel := context.WithCancelCause(stopping)
	defer cancel(nil)
	go func() {
		select {
		case err := <-p.Ended():
			cancel(err)
		case <-ctx.Done():
		}
	}()
	file.Watch(ctx, func(c config.Config, err error) error {
		if err != nil {
			p.Refuse(err)
		} else {
			err = p.Apply(c)
		}
		if err != nil {
			log.Error("the configuration is refused, the last good one goes on", "error", err)
			return err
		}
		log.Info("the configuration has changed", "config", c.Hash)
		return nil
	})
	if stopping.Err() != nil {
		log.Info("draining")
		p.Drain()
		return nil
	}
	return context.Cause(ctx)
}

// Postgres-ambassador is an Ambassador's proxy to a PostgreSQL with replicas: PgBouncer on localhost, and behind it always the
// server that is right. postgres-ambassador --help is the manual.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/status"
	"podpatterns.dev/helpers/internal/lastwords"
	"podpatterns.dev/helpers/internal/names"
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

type options struct {
	config, secrets, metrics, program, run, nameserver, lastWords string
}

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "postgres-ambassador:", err)
		os.Exit(2)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(o, log); err != nil {
		log.Error("exiting", "error", err)
		lastwords.Leave(o.lastWords, err)
		os.Exit(1)
	}
}

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("postgres-ambassador", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.config, "config", "/etc/podpatterns/pgbouncer.yaml", "`FILE` with the upstreams, as in an Ambassador's spec")
	flags.StringVar(&o.secrets, "secrets", "/etc/podpatterns/secrets", "`DIRECTORY` with a directory for each Secret")
	flags.StringVar(&o.metrics, "metrics", ":8404", "`ADDRESS` to serve the pages at")
	flags.StringVar(&o.program, "pgbouncer", "pgbouncer", "the `PROGRAM`, version 1.18 or newer")
	flags.StringVar(&o.run, "run", "/run/pgbouncer", "`DIRECTORY` for sockets and PgBouncer's configurations")
	flags.StringVar(&o.nameserver, "nameserver", "", "`ADDRESS` of the DNS server to ask (default those of /etc/resolv.conf)")
	flags.StringVar(&o.lastWords, "termination-log", lastwords.Path, "`FILE` for the reason of an exit, if it exists")
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

func run(o options, log *slog.Logger) error {
	// PgBouncer gets a signal when the thread that started it ends (Pdeathsig), which must not be before the process.
	runtime.LockOSThread()
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// While clients drain, servers are still watched.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	// To PgBouncer a socket is what begins with a slash.
	directory, err := filepath.Abs(o.run)
	if err != nil {
		return err
	}
	resolv, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return err
	}
	search, err := names.ParseSearch(resolv)
	resolv.Close()
	if err != nil {
		return err
	}
	p := proxy.New(ctx, proxy.Programs{PgBouncer: o.program, Run: directory, Search: search, Ask: names.Server(o.nameserver)}, log)
	defer p.Stop()
	file := config.NewFile(o.config, o.secrets)
	c, _, err := file.Read()
	if err == nil {
		err = p.Apply(c)
	}
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", o.metrics)
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

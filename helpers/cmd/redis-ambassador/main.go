// Redis-ambassador is one localhost port for a Redis with replicas. redis-ambassador --help is the manual.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/options"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/proxy"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/status"
	"podpatterns.dev/helpers/internal/lastwords"
	"podpatterns.dev/helpers/internal/serve"
)

// The exit codes of the manual.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	o, err := options.Parse(os.Args[1:])
	switch {
	case errors.Is(err, options.ErrHelp):
		_, _ = io.WriteString(os.Stdout, options.Help())
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "redis-ambassador:", err)
		os.Exit(exitUsage)
	}
	// Serving makes hardly any garbage, so collecting early costs nothing; Go would let 4 MiB of it lie, half of what the
	// program needs.
	debug.SetGCPercent(25)
	// A proxy's threads are awake when those of its client and server are. With few of them it finds more to do at once:
	// on two cores one answers up to twice as much as two.
	if os.Getenv("GOMAXPROCS") == "" {
		runtime.GOMAXPROCS(max(1, runtime.GOMAXPROCS(0)/4))
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(o, log); err != nil {
		log.Error("exiting", "error", err)
		lastwords.Leave(o.LastWords, err)
		os.Exit(exitFailure)
	}
}

func run(o options.Options, log *slog.Logger) error {
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// While sessions drain, servers are still watched.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	p := proxy.New(ctx, log)
	file := config.NewFile(o.File, o.SecretsDir)
	c, err := first(o, file)
	if err == nil {
		err = p.Apply(c)
	}
	if err != nil {
		return err
	}
	if o.MetricsBind == "" && c.MetricsPort > 0 {
		o.MetricsBind = net.JoinHostPort("", strconv.Itoa(c.MetricsPort))
	}
	if o.MetricsBind != "" {
		listener, err := net.Listen("tcp", o.MetricsBind)
		if err != nil {
			return fmt.Errorf("--metrics-bind or proxy.metricsPort: %w", err)
		}
		defer serve.Start(listener, status.Handler(p.State), log)()
	}
	log.Info("serving", "upstreams", len(c.Upstreams), "config", c.Hash)
	if o.File != "" {
		file.Watch(stopping, func(c config.Config, err error) error { return change(p, c, err, log) })
	}
	<-stopping.Done()
	stop() // a second signal ends it at once
	log.Info("draining")
	p.Drain(o.DrainTimeout)
	return nil
}

func first(o options.Options, file *config.File) (config.Config, error) {
	if o.Direct != nil {
		return config.Config{Upstreams: []config.Upstream{*o.Direct}}, nil
	}
	c, _, err := file.Read()
	return c, err
}

func change(p *proxy.Proxy, c config.Config, err error, log *slog.Logger) error {
	if err == nil {
		err = p.Apply(c)
	}
	if err != nil {
		p.Refuse(err)
		log.Error("the configuration is refused, the last good one goes on", "error", err)
		return err
	}
	log.Info("the configuration has changed", "config", c.Hash)
	return nil
}

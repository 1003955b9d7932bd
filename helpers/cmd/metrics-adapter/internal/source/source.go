// Package source reads what applications tell about themselves, each source by itself, so that one that is dead or slow
// keeps no other waiting.
package source

import (
	"context"
	"log/slog"
	"path/filepath"
	"time"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/receiver"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/statsd"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/syslog"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/tail"
)

// Place is where the sources are, seen from the adapter.
type Place struct {
	// Volumes is the directory with the shared volumes, each named as it is in the spec.
	Volumes string
	// Proc is the mount point of the process file system.
	Proc string
	// Secrets is a directory with a directory for each Secret, as volumes mount them.
	Secrets string
}

// file is the path of a file of a volume, empty for none.
func (p Place) file(of *spec.Log) string {
	if of == nil {
		return ""
	}
	return filepath.Join(p.Volumes, of.Volume, of.Path)
}

// Run reads a source until the context ends. The feed's Up says how that goes.
func Run(ctx context.Context, s spec.Source, place Place, feed *rule.Feed, log *slog.Logger) {
	log = log.With("source", s.Name)
	switch s.Type {
	case "json":
		page := newPage(s.JSON, place, "application/json")
		poll(ctx, s.JSON.Interval.Value(), feed, log, func(ctx context.Context) error { return readJSON(ctx, page, feed) })
	case "prometheus":
		page := newPage(s.Prometheus, place, "text/plain;version=0.0.4;q=1,*/*;q=0.1")
		poll(ctx, s.Prometheus.Interval.Value(), feed, log, func(ctx context.Context) error { return readPrometheus(ctx, page, feed) })
	case "proc":
		poll(ctx, s.Proc.Interval.Value(), feed, log, func(context.Context) error { return readProc(place.Proc, s.Proc.Command, feed) })
	case "log":
		follow(ctx, s.Log, place, feed, log)
	case "statsd":
		at := receiver.Place{Port: s.Statsd.Port, Packets: place.file(s.Statsd.Socket)}
		listen(ctx, at, func() receiver.Handler { return statsd.NewHandler(feed) }, feed, log)
	case "syslog":
		at := receiver.Place{Port: s.Syslog.Port, Packets: place.file(s.Syslog.Socket), Streams: place.file(s.Syslog.StreamSocket)}
		listen(ctx, at, func() receiver.Handler { return syslog.NewHandler(feed) }, feed, log)
	}
}

// retry is the first wait after a failure; it doubles up to the interval. An application often starts after us.
const retry = 250 * time.Millisecond

func poll(ctx context.Context, interval time.Duration, feed *rule.Feed, log *slog.Logger, read func(context.Context) error) {
	feed.Up(false)
	wait := min(retry, interval)
	failing := false
	for {
		err := read(ctx)
		if ctx.Err() != nil {
			return
		}
		next := interval
		if err != nil {
			feed.NoPage()
			next, wait = wait, min(2*wait, interval)
		} else {
			wait = min(retry, interval)
		}
		report(log, &failing, err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(next):
		}
	}
}

// report logs a failure once, and its end.
func report(log *slog.Logger, failing *bool, err error) {
	switch {
	case err != nil && !*failing:
		log.Warn("cannot read the source", "error", err)
	case err == nil && *failing:
		log.Info("the source can be read again")
	}
	*failing = err != nil
}

func follow(ctx context.Context, s *spec.Log, place Place, feed *rule.Feed, log *slog.Logger) {
	failing := false
	t := tail.Tail{
		Dir: filepath.Join(place.Volumes, s.Volume), Path: s.Path, All: s.Files == "all", Line: feed.Line, Skipped: feed.Unmatched,
		State: func(err error) {
			feed.Up(err == nil)
			report(log, &failing, err)
		},
	}
	t.Run(ctx)
}

func listen(ctx context.Context, at receiver.Place, handler func() receiver.Handler, feed *rule.Feed, log *slog.Logger) {
	failing := false
	for ctx.Err() == nil {
		r, err := receiver.Listen(at, handler)
		if err == nil {
			feed.Up(true)
			report(log, &failing, nil)
			err = r.Serve(ctx)
		}
		if ctx.Err() != nil {
			return
		}
		feed.Up(false)
		report(log, &failing, err)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second): // until who has the port has gone
		}
	}
}

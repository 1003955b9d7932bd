// Git-sync keeps a directory equal to a git ref. git-sync --help is the manual.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/hook"
	"podpatterns.dev/helpers/cmd/git-sync/internal/objects"
	"podpatterns.dev/helpers/cmd/git-sync/internal/options"
	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
	"podpatterns.dev/helpers/cmd/git-sync/internal/syncer"
	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
)

// The exit codes of the manual.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	o, err := options.Parse(os.Args[1:], os.Getenv)
	switch {
	case errors.Is(err, options.ErrHelp):
		_, _ = io.WriteString(os.Stdout, options.Help())
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "git-sync:", err)
		os.Exit(exitUsage)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, o, log); err != nil {
		log.Error("exiting", "error", err)
		os.Exit(exitFailure)
	}
}

func run(ctx context.Context, o options.Options, log *slog.Logger) error {
	log.Info("starting", "repo", o.Repository.String(), "ref", o.Ref, "root", o.Root, "link", o.Link)
	setUmask(o.GroupWrite)
	v, err := volume.Open(o.Root, o.Link)
	if err != nil {
		return fmt.Errorf("cannot use the root as UID %d, GID %d (git-sync --help: USERS AND PERMISSIONS): %w", os.Getuid(), os.Getgid(), err)
	}
	defer v.Close()
	state := status.New()
	if o.HTTPBind != "" {
		closeServer, err := serve(o.HTTPBind, state.Handler(), log)
		if err != nil {
			return err
		}
		defer closeServer()
	}
	loop := syncer.Loop{
		Syncer: &syncer.Syncer{
			Repository:  o.Repository,
			Credentials: o.Credentials,
			Ref:         o.Ref,
			Depth:       o.Depth,
			Timeout:     o.SyncTimeout,
			Volume:      v,
			Objects:     objects.New(v.Objects()),
		},
		Period:      o.Period,
		MaxFailures: o.MaxFailures,
		Hooks:       runners(o, state, log),
		Status:      state,
		Log:         log,
	}
	if o.OneTime {
		return loop.Once(ctx)
	}
	return loop.Run(ctx)
}

// setUmask makes one decision count for everything written, hooks included, whatever the container runtime set.
func setUmask(groupWrite bool) {
	if groupWrite {
		syscall.Umask(0o002)
	} else {
		syscall.Umask(0o022)
	}
}

func runners(o options.Options, state *status.Status, log *slog.Logger) []*hook.Runner {
	var all []*hook.Runner
	if o.Exec.Path != "" {
		all = append(all, hook.NewRunner(o.Exec, o.ExecTimeout, o.ExecBackoff, state, log))
	}
	if o.Webhook.URL != "" {
		all = append(all, hook.NewRunner(o.Webhook, o.WebhookTimeout, o.WebhookBackoff, state, log))
	}
	return all
}

func serve(address string, handler http.Handler, log *slog.Logger) (closeServer func() error, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("--http-bind: %w", err)
	}
	server := &http.Server{Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving HTTP failed", "error", err)
		}
	}()
	return server.Close, nil
}

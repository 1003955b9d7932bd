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

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/git"
	"podpatterns.dev/helpers/cmd/git-sync/internal/hook"
	"podpatterns.dev/helpers/cmd/git-sync/internal/options"
	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
	"podpatterns.dev/helpers/cmd/git-sync/internal/subprocess"
	"podpatterns.dev/helpers/cmd/git-sync/internal/syncer"
	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
)

// The exit codes of the manual.
const (
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == credential.Verb {
		if err := credential.Serve(os.Args[2:], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "git-sync:", err)
			os.Exit(exitFailure)
		}
		return
	}
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
	program, err := os.Executable()
	if err != nil {
		return err
	}
	go subprocess.Reap(ctx)
	state := status.New()
	state.StaleAfter = o.StaleAfter
	demand := make(chan struct{}, 1)
	defer onSignal(o.SyncOnSignal, demand)()
	if o.HTTPBind != "" {
		closeServer, err := serve(o.HTTPBind, state.Handler(func() { ask(demand) }), log)
		if err != nil {
			return err
		}
		defer closeServer()
	}
	loop := syncer.Loop{
		Syncer:      newSyncer(o, v, program, log),
		Period:      o.Period,
		MaxFailures: o.MaxFailures,
		StaleTree:   o.StaleTree,
		Demand:      demand,
		Hooks:       runners(o, state, log),
		Status:      state,
		Log:         log,
	}
	if o.OneTime {
		return loop.Once(ctx)
	}
	return loop.Run(ctx)
}

func newSyncer(o options.Options, v *volume.Volume, program string, log *slog.Logger) *syncer.Syncer {
	g := &git.Git{Dir: v.Git(), Settings: git.Settings{
		Program:        program,
		Repository:     o.Repository,
		SSHUser:        o.Username,
		SSHKeyFiles:    o.SSHKeyFiles,
		KnownHostsFile: o.KnownHostsFile,
		CAFile:         o.CAFile,
		LFS:            o.LFS,
	}}
	credentials := &credential.Source{
		Repository:   o.Repository,
		Username:     o.Username,
		PasswordFile: o.PasswordFile,
		Others:       o.Credentials,
	}
	if o.AskpassURL != "" {
		credentials.Askpass = &credential.Askpass{URL: o.AskpassURL, CAFile: o.CAFile}
	}
	return &syncer.Syncer{
		Git:         g,
		Store:       git.NewStore(g, o.Repository, o.Depth, o.Filter),
		Credentials: credentials,
		Volume:      v,
		Ref:         o.Ref,
		Submodules:  o.Submodules,
		LFS:         o.LFS,
		SparseFile:  o.SparseFile,
		Writable:    o.GroupWrite,
		Timeout:     o.SyncTimeout,
		Log:         log,
	}
}

// ask asks for a sync. One that waits already will do.
func ask(demand chan<- struct{}) {
	select {
	case demand <- struct{}{}:
	default:
	}
}

// onSignal asks for a sync at each of the signals. SIGHUP never ends git-sync: it is what a terminal's end sends.
func onSignal(wanted os.Signal, demand chan<- struct{}) (stop func()) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGHUP)
	if wanted != nil {
		signal.Notify(signals, wanted)
	}
	go func() {
		for s := range signals {
			if s == wanted {
				ask(demand)
			}
		}
	}()
	return func() { signal.Stop(signals); close(signals) }
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

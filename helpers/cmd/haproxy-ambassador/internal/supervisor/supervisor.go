// Package supervisor keeps HAProxy at the configuration that lies in the Pod.
//
// A configuration that HAProxy refuses never takes the place of one that runs: it is told, in the log and in
// metrics, and tried again when it changes.
package supervisor

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/haproxy"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/names"
	"podpatterns.dev/helpers/internal/configfile"
)

// askPeriod is the time between two questions for names that had no address.
const askPeriod = 5 * time.Second

// Supervisor follows one file.
type Supervisor struct {
	path  string
	names *names.Resolver
	proxy *haproxy.HAProxy
	log   *slog.Logger

	read     string // the state of the files at the last reconcile
	askAgain time.Time
	tried    string // what was last tried: the state of the files, and the text with absolute names

	mu    sync.Mutex
	state State
}

// State is what there is to tell.
type State struct {
	// Running is the hash of the configuration that runs; empty before there is one.
	Running string
	// Loads is how many configurations were taken up.
	Loads int
	// Refused is why the newest configuration does not run; empty when it does.
	Refused string
}

// New makes a Supervisor of the configuration at path.
func New(path string, resolver *names.Resolver, proxy *haproxy.HAProxy, log *slog.Logger) *Supervisor {
	return &Supervisor{path: path, names: resolver, proxy: proxy, log: log, state: State{Refused: "not read yet"}}
}

// State gives a copy of the present one.
func (s *Supervisor) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Run follows the file until ctx ends; then it lets the connections end. An error says that HAProxy ended by
// itself.
func (s *Supervisor) Run(ctx context.Context) error {
	// HAProxy gets a signal when the thread that started it ends (Pdeathsig), which must not be before the process.
	runtime.LockOSThread()
	ticks := time.NewTicker(configfile.Period)
	defer ticks.Stop()
	for {
		s.reconcile(ctx)
		select {
		case <-ticks.C:
		case <-s.proxy.Done:
			return fmt.Errorf("haproxy ended: %w", s.proxy.Err)
		case <-ctx.Done():
			return s.drain()
		}
	}
}

func (s *Supervisor) drain() error {
	if !s.proxy.Running() {
		return nil
	}
	s.log.Info("draining")
	if err := s.proxy.Stop(); err != nil {
		return err
	}
	<-s.proxy.Done // the kubelet's grace period is the limit
	return nil
}

// reconcile takes up what is new.
func (s *Supervisor) reconcile(ctx context.Context) {
	file, err := config.Read(s.path)
	if err != nil {
		s.tried = ""
		s.refuse(err)
		return
	}
	if file.State == s.read && time.Now().Before(s.askAgain) {
		return
	}
	s.read = file.State
	text, unknown := s.names.Absolute(ctx, file.Text)
	s.askAgain = time.Now().Add(askPeriod)
	if state := file.State + text; state != s.tried {
		s.tried = state
		s.try(ctx, file, text, unknown)
	}
}

func (s *Supervisor) try(ctx context.Context, file config.File, text string, unknown []string) {
	if len(unknown) > 0 {
		s.log.Warn("names without an address, asking again", "names", unknown)
	}
	err := s.proxy.Check(ctx, text, file.Hash)
	if err == nil {
		err = s.proxy.Serve(ctx, file.Hash)
	}
	if ctx.Err() != nil {
		return // told to stop on the way
	}
	if err != nil {
		s.refuse(err)
		return
	}
	s.log.Info("serving", "config", file.Hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = State{Running: file.Hash, Loads: s.state.Loads + 1}
}

func (s *Supervisor) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := err.Error(); s.state.Refused != why {
		s.log.Error("configuration not taken up", "error", why, "running", s.state.Running)
		s.state.Refused = why
	}
}

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
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/podconfig"
	"podpatterns.dev/helpers/internal/configfile"
	"podpatterns.dev/helpers/internal/loopback"
	"podpatterns.dev/helpers/internal/names"
)

// Supervisor follows one file.
type Supervisor struct {
	path  string
	names *names.Follower
	proxy *haproxy.HAProxy
	heard *observation.Log
	log   *slog.Logger
	dual  bool // loopback has ::1

	tried string // the state of the files that were tried last

	running podconfig.Config
	slots   podconfig.Slots // of what runs

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
	// Probes is what the configuration that runs says about them.
	Probes podconfig.Probes
}

// New makes a Supervisor of the configuration at path.
func New(path string, follower *names.Follower, proxy *haproxy.HAProxy, heard *observation.Log, log *slog.Logger) *Supervisor {
	return &Supervisor{
		path: path, names: follower, proxy: proxy, heard: heard, log: log, dual: loopback.HasIPv6(), state: State{Refused: "not read yet"},
	}
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
		s.resolve(ctx)
		select {
		case <-ticks.C:
		case <-s.names.Changed():
		case <-s.proxy.Done:
			return fmt.Errorf("haproxy ended: %w", s.proxy.Err)
		case <-ctx.Done():
			return s.drain()
		}
	}
}

// reconcile takes up what is new.
func (s *Supervisor) reconcile(ctx context.Context) {
	file, err := config.Read(s.path)
	if err != nil {
		s.tried = ""
		s.refuse(err)
		return
	}
	if file.State != s.tried {
		s.tried = file.State
		s.try(ctx, file)
	}
}

func (s *Supervisor) try(ctx context.Context, file config.File) {
	candidate := podconfig.Parse(file.Text)
	s.names.Follow(ctx, append(candidate.Hosts(), s.running.Hosts()...))
	slots, _ := s.slots.Assign(candidate.Templates(), s.names.Addresses)
	err := s.proxy.Check(ctx, candidate.Text(slots, s.dual), file.Hash)
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
	s.running, s.slots = candidate, slots
	s.heard.Follow(candidate.Upstreams())
	s.log.Info("serving", "config", file.Hash)
	for _, upstream := range candidate.Unverified() {
		s.log.Warn("tls.insecureSkipVerify: any server is believed; leave it out in production", "upstream", upstream)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state = State{Running: file.Hash, Loads: s.state.Loads + 1, Probes: candidate.Probes()}
}

// resolve gives the servers that run the addresses that names have now.
func (s *Supervisor) resolve(ctx context.Context) {
	slots, changes := s.slots.Assign(s.running.Templates(), s.names.Addresses)
	if len(changes) == 0 {
		return
	}
	if err := s.proxy.Set(ctx, changes); err != nil {
		s.log.Error("addresses not set, trying again", "error", err)
		return
	}
	s.slots = slots
}

func (s *Supervisor) refuse(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if why := err.Error(); s.state.Refused != why {
		s.log.Error("configuration not taken up", "error", why, "running", s.state.Running)
		s.state.Refused = why
	}
}

package names

import (
	"context"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"
)

const (
	// period is the time between two queries for a name.
	period = time.Second
	// hold is for how long DNS has to go without an address before it is given up: some servers name a few of many at
	// a time.
	hold = 5 * time.Second
)

// Follower knows the present addresses of host names. While DNS says nothing of one, its last known addresses stay.
type Follower struct {
	search  Search
	ask     Ask
	log     *slog.Logger
	changed chan struct{}

	mu    sync.Mutex
	hosts map[string]*host
}

// host is one name that is followed.
type host struct {
	stop     context.CancelFunc
	answered chan struct{} // closed after the first query
	name     string        // the candidate that had addresses last
	absent   map[netip.Addr]time.Time
	failing  bool
}

// NewFollower makes a Follower that asks about the candidates of search.
func NewFollower(search Search, ask Ask, log *slog.Logger) *Follower {
	return &Follower{search: search, ask: ask, log: log, changed: make(chan struct{}, 1), hosts: map[string]*host{}}
}

// Changed gets a value after addresses have changed.
func (f *Follower) Changed() <-chan struct{} { return f.changed }

// Follow follows these names, until ctx ends, and no others. It returns when each has been asked for once, or a query
// takes too long.
func (f *Follower) Follow(ctx context.Context, names []string) {
	enough := time.After(lookupTimeout)
	for _, h := range f.begin(ctx, names) {
		select {
		case <-h.answered:
		case <-ctx.Done():
			return
		case <-enough:
			return
		}
	}
}

// begin starts and ends queries, and returns the names that are new.
func (f *Follower) begin(ctx context.Context, names []string) []*host {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, h := range f.hosts {
		if !slices.Contains(names, name) {
			h.stop()
			delete(f.hosts, name)
		}
	}
	var begun []*host
	for _, name := range names {
		if f.hosts[name] != nil {
			continue
		}
		asking, stop := context.WithCancel(ctx)
		h := &host{stop: stop, answered: make(chan struct{}), absent: map[netip.Addr]time.Time{}}
		f.hosts[name] = h
		begun = append(begun, h)
		go f.poll(asking, name, h)
	}
	return begun
}

// Addresses returns the addresses of a name, in order.
func (f *Follower) Addresses(name string) []netip.Addr {
	f.mu.Lock()
	defer f.mu.Unlock()
	h := f.hosts[name]
	if h == nil {
		return nil
	}
	addresses := make([]netip.Addr, 0, len(h.absent))
	for address := range h.absent {
		addresses = append(addresses, address)
	}
	slices.SortFunc(addresses, netip.Addr.Compare)
	return addresses
}

func (f *Follower) poll(ctx context.Context, name string, h *host) {
	ticks := time.NewTicker(period)
	defer ticks.Stop()
	for first := true; ; first = false {
		found, err := f.query(ctx, name, h)
		if ctx.Err() != nil {
			return
		}
		f.tell(name, h, found, err)
		if first {
			close(h.answered)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
	}
}

// query asks for the candidate that had addresses last, and for the others only when it has none.
func (f *Follower) query(ctx context.Context, name string, h *host) (answer, error) {
	if h.name != "" {
		if found, err := lookup(ctx, f.ask, []string{h.name}); err != nil || len(found.addresses) > 0 {
			return found, err
		}
	}
	return lookup(ctx, f.ask, f.search.Candidates(name))
}

func (f *Follower) tell(name string, h *host, found answer, err error) {
	f.mu.Lock()
	changed := err == nil && h.see(found, time.Now())
	f.mu.Unlock()
	if failing := err != nil; failing != h.failing {
		h.failing = failing
		if failing {
			f.log.Warn("DNS fails, the last known addresses stay in use", "name", name, "error", err)
		} else {
			f.log.Info("DNS answers again", "name", name)
		}
	}
	if changed {
		f.log.Info("addresses changed", "name", name, "addresses", f.Addresses(name))
		select {
		case f.changed <- struct{}{}:
		default:
		}
	}
}

// see takes in what DNS says, and reports whether it changed the addresses.
func (h *host) see(found answer, now time.Time) (changed bool) {
	if found.name != "" {
		h.name = found.name
	}
	for _, address := range found.addresses {
		if _, known := h.absent[address]; !known {
			changed = true
		}
		h.absent[address] = time.Time{}
	}
	for address, since := range h.absent {
		switch {
		case slices.Contains(found.addresses, address):
		case since.IsZero():
			h.absent[address] = now
		case now.Sub(since) >= hold:
			delete(h.absent, address)
			changed = true
		}
	}
	return changed
}

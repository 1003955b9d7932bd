// Package status holds what the outside may know: health and metrics.
package status

import (
	"fmt"
	"sync"
	"time"
)

// The outcomes of a sync.
const (
	Changed   = "changed"
	Unchanged = "unchanged"
	Empty     = "empty"
	Failed    = "error"
)

// Status is safe for concurrent use.
type Status struct {
	mu sync.Mutex
	// StaleAfter is how old the last success may be for readiness; 0 is any age.
	StaleAfter time.Duration

	success time.Time                     // zero: none yet
	series  map[string]map[string]float64 // family name -> labels -> value
}

// New returns the status of a process that has not synced yet. Counters exist from the start, so that the first
// error is an increase.
func New() *Status {
	s := &Status{series: map[string]map[string]float64{}}
	for _, outcome := range []string{Changed, Unchanged, Empty, Failed} {
		s.add(syncs, label("status", outcome), 0)
		s.add(seconds, label("status", outcome), 0)
	}
	s.set(lastSuccess, "", 0)
	s.set(lastChange, "", 0)
	s.set(objectBytes, "", 0)
	return s
}

// Synced reports an attempt: its outcome, the published commit if it succeeded, how long it took, and the size of
// the object store after it.
func (s *Status) Synced(outcome, hash string, took time.Duration, storeBytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := float64(time.Now().UnixMilli()) / 1000
	s.add(syncs, label("status", outcome), 1)
	s.add(seconds, label("status", outcome), took.Seconds())
	s.set(objectBytes, "", float64(storeBytes))
	if hash == "" {
		return
	}
	s.success = time.Now()
	s.set(lastSuccess, "", now)
	s.set(published, label("hash", hash), 1)
	if outcome == Changed {
		s.set(lastChange, "", now)
	}
}

// HookRan reports one attempt of a hook.
func (s *Status) HookRan(name string, succeeded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	outcome := "success"
	if !succeeded {
		outcome = Failed
	}
	s.add(hooks, label("hook", name)+","+label("status", outcome), 1)
}

// Healthy tells whether this process has brought the volume to the ref at least once. It never turns back:
// a broken remote is no reason to stop serving.
func (s *Status) Healthy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.success.IsZero()
}

// Stale tells whether the last success is too long ago, or there was none yet.
func (s *Status) Stale() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.isStale()
}

func (s *Status) isStale() bool {
	return s.success.IsZero() || s.StaleAfter > 0 && time.Since(s.success) > s.StaleAfter
}

func (s *Status) add(f Family, labels string, value float64) {
	if s.series[f.Name] == nil {
		s.series[f.Name] = map[string]float64{}
	}
	s.series[f.Name][labels] += value
}

// set replaces the family's only series.
func (s *Status) set(f Family, labels string, value float64) {
	s.series[f.Name] = map[string]float64{labels: value}
}

func label(name, value string) string { return fmt.Sprintf("%s=%q", name, value) }

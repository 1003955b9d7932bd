package syncer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/git"
	"podpatterns.dev/helpers/cmd/git-sync/internal/hook"
	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
)

// Unlimited as Loop.MaxFailures means to keep trying.
const Unlimited = -1

// Loop syncs, reports and tells the hooks.
type Loop struct {
	Syncer *Syncer
	Period time.Duration
	// MaxFailures is how many failures in a row are borne; one more ends Run.
	MaxFailures int
	// StaleTree is how long a tree that was published before is kept.
	StaleTree time.Duration
	// Demand asks for a sync before its time.
	Demand <-chan struct{}
	Hooks  []*hook.Runner
	Status *status.Status
	Log    *slog.Logger

	lastStart time.Time
}

// Run syncs every period until ctx ends, which is no error, or until there were too many failures. No hook runs
// after it.
func (l *Loop) Run(ctx context.Context) error {
	var hooks sync.WaitGroup
	defer hooks.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for _, h := range l.Hooks {
		hooks.Go(func() { h.Run(ctx) })
	}
	failures, told, waiting := 0, false, false
	for {
		result, err := l.attempt(ctx)
		delay := nextDelay(l.Period)
		switch {
		case ctx.Err() != nil:
			return nil
		case l.waiting(err):
			failures = 0
			if !waiting {
				l.Log.Info("waiting for the first commit")
				waiting = true
			}
		case err != nil:
			failures++
			if l.MaxFailures != Unlimited && failures > l.MaxFailures {
				return fmt.Errorf("failure %d in a row: %w", failures, err)
			}
			delay = retryDelay(failures)
			l.Log.Error("sync failed", "error", err, "failures", failures, "retryIn", delay.Round(time.Millisecond).String())
		default:
			failures = 0
			// The first result is told even if it is no change: the process before this one may have ended between
			// publishing and telling.
			if result.Changed || !told {
				l.tell(result)
				told = true
			}
		}
		if !l.wait(ctx, delay) {
			return nil
		}
	}
}

// wait returns after delay, or sooner on demand. It returns false if ctx has ended.
func (l *Loop) wait(ctx context.Context, delay time.Duration) bool {
	end := time.After(delay)
	select {
	case <-ctx.Done():
	case <-end:
	case <-l.Demand:
		l.Log.Info("syncing on demand")
		select {
		case <-ctx.Done():
		case <-end:
		case <-time.After(time.Until(l.lastStart.Add(minGap))):
		}
	}
	return ctx.Err() == nil
}

// Once syncs a single time and waits for the hooks, each of which has one attempt.
func (l *Loop) Once(ctx context.Context) error {
	result, err := l.attempt(ctx)
	if err != nil {
		return err
	}
	l.logPublished(result)
	var failures []error
	for _, h := range l.Hooks {
		failures = append(failures, h.Once(ctx, l.published(result)))
	}
	return errors.Join(failures...)
}

func (l *Loop) attempt(ctx context.Context) (Result, error) {
	if err := l.Syncer.Volume.RemoveRetired(l.StaleTree); err != nil {
		l.Log.Error("removing an old tree failed", "error", err)
	}
	start := time.Now()
	l.lastStart = start
	result, err := l.Syncer.Sync(ctx)
	outcome := status.Unchanged
	switch {
	case l.waiting(err):
		outcome = status.Empty
	case err != nil:
		outcome = status.Failed
	case result.Changed:
		outcome = status.Changed
	}
	size, sizeErr := l.Syncer.Store.Size()
	if sizeErr != nil {
		l.Log.Error("measuring git's repository failed", "error", sizeErr)
	}
	l.Status.Synced(outcome, result.Hash, time.Since(start), size)
	return result, err
}

// waiting tells a repository without its first commit from one that has lost its refs.
func (l *Loop) waiting(err error) bool {
	return errors.Is(err, git.ErrEmpty) && l.Syncer.Volume.Published() == ""
}

func (l *Loop) tell(result Result) {
	l.logPublished(result)
	for _, h := range l.Hooks {
		h.Notify(l.published(result))
	}
}

func (l *Loop) logPublished(result Result) {
	l.Log.Info("published", "hash", result.Hash, "changed", result.Changed)
}

func (l *Loop) published(result Result) hook.Published {
	return hook.Published{Hash: result.Hash, Tree: l.Syncer.Volume.Worktree(result.Hash)}
}

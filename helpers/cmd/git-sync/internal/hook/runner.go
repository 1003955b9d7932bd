// Package hook tells others about a newly published commit.
package hook

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/status"
)

// Published is what a hook is told of.
type Published struct {
	Hash string
	// Tree is the absolute path of the files.
	Tree string
}

// Hook is one way to tell. It must end soon after ctx does.
type Hook interface {
	Name() string
	Tell(ctx context.Context, published Published) error
}

// Runner runs a hook beside the syncing, and again after Backoff until it succeeds. While it is busy, only the
// newest commit waits for it: the ones between were published and are gone.
type Runner struct {
	hook    Hook
	timeout time.Duration
	backoff time.Duration
	status  *status.Status
	log     *slog.Logger
	newest  chan Published
}

// NewRunner gives a hook its timeout for each attempt, and the wait after one that failed.
func NewRunner(h Hook, timeout, backoff time.Duration, status *status.Status, log *slog.Logger) *Runner {
	return &Runner{h, timeout, backoff, status, log.With("hook", h.Name()), make(chan Published, 1)}
}

// Notify returns at once. It is for a single caller.
func (r *Runner) Notify(published Published) {
	select {
	case <-r.newest:
	default:
	}
	r.newest <- published
}

// Run works until ctx ends.
func (r *Runner) Run(ctx context.Context) {
	var current Published
	var retry <-chan time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case current = <-r.newest:
		case <-retry:
		}
		retry = nil
		if err := r.Once(ctx, current); err != nil && ctx.Err() == nil {
			r.log.Error("hook failed", "hash", current.Hash, "error", err, "retryIn", r.backoff.String())
			retry = time.After(r.backoff)
		}
	}
}

// Once makes one attempt.
func (r *Runner) Once(ctx context.Context, published Published) error {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	err := r.hook.Tell(ctx, published)
	r.status.HookRan(r.hook.Name(), err == nil)
	if err != nil {
		return fmt.Errorf("%s hook: %w", r.hook.Name(), err)
	}
	r.log.Info("hook succeeded", "hash", published.Hash)
	return nil
}

// Package syncer keeps a volume equal to a git ref.
package syncer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/go-git/go-git/v5/plumbing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/checkout"
	"podpatterns.dev/helpers/cmd/git-sync/internal/objects"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
)

var errUnreachable = errors.New("no branch or tag of the repository reaches the commit")

// Syncer brings a ref of a repository into a volume.
type Syncer struct {
	Repository  remote.Repository
	Credentials remote.Credentials
	Ref         string
	Depth       int
	Timeout     time.Duration
	Volume      *volume.Volume
	Objects     *objects.Store
}

// Result tells what is published after a sync, and whether this sync published it.
type Result struct {
	Hash    string
	Changed bool
}

// Sync compares the ref with what is published, and publishes the ref's commit if it differs. After an error
// the volume shows what it showed before.
func (s *Syncer) Sync(ctx context.Context) (result Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	defer func() {
		// go-git parses what the server sends; a server's garbage must not end a helper of a serving Pod.
		if cause := recover(); cause != nil {
			err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
		}
	}()
	published := s.Volume.Published()
	if pinned, ok := remote.Pinned(s.Ref); ok && pinned.Commit.String() == published {
		return Result{Hash: published}, nil
	}
	session, err := remote.Open(ctx, s.Repository, s.Credentials)
	if err != nil {
		return Result{}, err
	}
	defer session.Close()
	target, err := session.Resolve(s.Ref)
	if err != nil {
		return Result{}, err
	}
	if target.Commit.String() == published {
		return Result{Hash: published}, nil
	}
	return s.publish(ctx, session, target)
}

func (s *Syncer) publish(ctx context.Context, session *remote.Session, target remote.Target) (Result, error) {
	defer freeMemory()
	hash := target.Commit.String()
	err := s.Volume.Create(hash, func(dir *os.Root) error { return s.fill(ctx, session, target, dir) })
	switch {
	case errors.Is(err, errUnreachable):
		// The store is sound, and holds a whole history that the next attempt need not fetch again.
		return Result{}, err
	case err != nil:
		return Result{}, errors.Join(err, s.Objects.Discard())
	}
	if err := s.Objects.Trim(); err != nil {
		return Result{}, err
	}
	if err := s.Volume.Publish(hash); err != nil {
		return Result{}, err
	}
	return Result{Hash: hash, Changed: true}, nil
}

// freeMemory gives back what a fetch needed, since the next change may be days away. The first collection leaves
// what is in pools, where go-git keeps buffers as large as the largest file.
func freeMemory() {
	runtime.GC()
	debug.FreeOSMemory()
}

func (s *Syncer) fill(ctx context.Context, session *remote.Session, target remote.Target, dir *os.Root) error {
	store := s.Objects.Open()
	commit, err := objects.Peel(store, target.Object)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		if err := session.Fetch(ctx, target, s.Depth, s.Objects); err != nil {
			return err
		}
		store = s.Objects.Open()
		if commit, err = objects.Peel(store, target.Object); errors.Is(err, plumbing.ErrObjectNotFound) {
			return fmt.Errorf("%w %s", errUnreachable, target.Object)
		}
	}
	if err != nil {
		return err
	}
	if commit != target.Commit {
		return fmt.Errorf("%s is not a commit but a tag of %s", target.Object, commit)
	}
	return checkout.Write(ctx, store, commit, dir)
}

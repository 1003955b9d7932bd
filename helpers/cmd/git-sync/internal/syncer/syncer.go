// Package syncer keeps a volume equal to a git ref.
package syncer

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/git"
	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
)

// Syncer brings a ref of a repository into a volume.
type Syncer struct {
	Git         *git.Git
	Store       *git.Store
	Credentials *credential.Source
	Volume      *volume.Volume
	Ref         string
	Submodules  string
	LFS         bool
	SparseFile  string // "": everything
	// Writable says that other containers may write to the trees.
	Writable bool
	Timeout  time.Duration
	Log      *slog.Logger
}

// Result tells what is published after a sync, and whether this sync published it.
type Result struct {
	Hash    string
	Changed bool
}

// Sync compares the ref with what is published, and publishes the ref's commit if it differs, or if the tree is not as it was
// made. After an error the volume shows what it showed before.
func (s *Syncer) Sync(ctx context.Context) (Result, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	form, err := s.form()
	if err != nil {
		return Result{}, err
	}
	published := s.Volume.Published()
	if damage := s.Volume.Check(formName(form), s.Writable); damage != nil {
		s.Log.Warn("making the tree anew", "reason", damage.Error())
		published = ""
	}
	if git.Pinned(s.Ref) && s.Ref == published {
		return Result{Hash: published}, nil
	}
	result, err := s.attempt(ctx, published, form)
	// What was valid at the last sync may have expired.
	if err != nil && git.Refused(err) && s.Credentials.Refused() {
		result, err = s.attempt(ctx, published, form)
	}
	return result, err
}

func (s *Syncer) attempt(ctx context.Context, published string, form git.Form) (Result, error) {
	credentials, err := s.Credentials.Collect(ctx)
	if err != nil {
		return Result{}, err
	}
	s.Git.Use(credentials)
	if err := errors.Join(s.Git.Configure(), s.Store.Prepare(ctx)); err != nil {
		return Result{}, err
	}
	commit, err := s.Store.Update(ctx, s.Ref, published, func(commit string) error { return s.create(ctx, commit, form) })
	switch {
	case err != nil:
		return Result{}, err
	case commit == published:
		return Result{Hash: commit}, nil
	}
	if err := s.Volume.Publish(commit); err != nil {
		return Result{}, err
	}
	if err := s.Store.Tidy(ctx); err != nil {
		s.Log.Error("tidying git's repository failed", "error", err)
		return Result{Hash: commit, Changed: true}, s.Store.Discard()
	}
	return Result{Hash: commit, Changed: true}, nil
}

func (s *Syncer) create(ctx context.Context, commit string, form git.Form) error {
	return s.Volume.Create(commit, formName(form), func(dir string) error {
		skipped, err := s.Store.Checkout(ctx, commit, dir, form)
		if err != nil {
			return err
		}
		if len(skipped.Submodules) > 0 {
			s.Log.Warn("submodules are left as empty directories: --submodules is off, or .gitmodules is missing",
				"hash", commit, "paths", skipped.Submodules)
		}
		if len(skipped.LFS) > 0 {
			s.Log.Warn("files in LFS are left as pointers: --lfs is off", "hash", commit, "paths", skipped.LFS)
		}
		return nil
	})
}

// form returns what to make of a commit. The sparse checkout's patterns are read for each sync, as Secrets are.
func (s *Syncer) form() (git.Form, error) {
	form := git.Form{Submodules: s.Submodules, LFS: s.LFS, Sparse: git.Everything}
	if s.SparseFile == "" {
		return form, nil
	}
	patterns, err := os.ReadFile(s.SparseFile)
	if err != nil {
		return form, fmt.Errorf("reading the sparse checkout file: %w", err)
	}
	form.Sparse = string(patterns)
	return form, nil
}

// formName tells a form from another one, of this process or of the one before.
func formName(form git.Form) string {
	return fmt.Sprintf("submodules=%s lfs=%t sparse=%.8x", form.Submodules, form.LFS, sha256.Sum256([]byte(form.Sparse)))
}

package git

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
)

const (
	// maxFetches bounds what many small changes leave.
	maxFetches = 32
	// maxGrowth bounds what large changes leave, as a multiple of the size after the last cleaning.
	maxGrowth = 2
	// smallStore is a size that needs no cleaning.
	smallStore = 1 << 20
	// discarded begins the names of directories that wait for their removal.
	discarded = "discarded-"
)

// Store is the repository on our side: what makes the next fetch small. It is a cache and nothing more: what is published
// never depends on it, so whoever doubts it discards it.
type Store struct {
	git *Git
	dir string
	// The way to fetch. A store that was fetched in another way is discarded.
	Repository remote.Repository
	Depth      int
	Filter     string

	fetches  int
	tidySize int64
}

// NewStore returns the store in the directory of g.
func NewStore(g *Git, repository remote.Repository, depth int, filter string) *Store {
	return &Store{git: g, dir: g.file("repository"), Repository: repository, Depth: depth, Filter: filter}
}

func (s *Store) at() at { return at{repository: s.dir} }

// recipe tells a store from one that another way of fetching left.
func (s *Store) recipe() string {
	return fmt.Sprintf("%s\ndepth %d\nfilter %s\n", s.Repository.Address(), s.Depth, s.Filter)
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// Prepare makes the store ready for git, from nothing if need be.
func (s *Store) Prepare(ctx context.Context) error {
	if err := s.sweep(); err != nil {
		return err
	}
	recipe, err := os.ReadFile(s.path("git-sync.recipe"))
	if err != nil || string(recipe) != s.recipe() || !s.mend(ctx) {
		if err := s.Discard(); err != nil {
			return err
		}
		if err := s.git.run(ctx, at{}, nil, "init", "--quiet", "--bare", "--template=", s.dir); err != nil {
			return err
		}
		if err := os.MkdirAll(s.path("info"), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(s.path("git-sync.recipe"), []byte(s.recipe()), 0o600); err != nil {
			return err
		}
	}
	// Written anew each time: git adds the submodules' URLs, and would keep them where they have changed.
	return os.WriteFile(s.path("config"), []byte(s.config()), 0o600)
}

func (s *Store) config() string {
	var b strings.Builder
	b.WriteString("[core]\n\trepositoryformatversion = 1\n\tbare = true\n\tlogAllRefUpdates = false\n\tsparseCheckout = true\n")
	fmt.Fprintf(&b, "[remote \"origin\"]\n\turl = %s\n", quoted(s.Repository.Address()))
	if s.Filter != "" {
		fmt.Fprintf(&b, "\tpromisor = true\n\tpartialclonefilter = %s\n[extensions]\n\tpartialClone = origin\n", quoted(s.Filter))
	}
	return b.String()
}

// busy is a file that is there while git writes to the store, and after it has failed to.
func (s *Store) busy() string { return s.path("git-sync.busy") }

// mend puts a store right that a kill, a timeout or an error may have left in the middle of something. It returns false for
// one that lacks what it should have.
func (s *Store) mend(ctx context.Context) bool {
	if _, err := os.Stat(s.busy()); err != nil {
		return true
	}
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		leftover := strings.HasSuffix(entry.Name(), ".lock") || strings.HasPrefix(entry.Name(), "tmp_")
		if err != nil || entry.IsDir() || !leftover {
			return err
		}
		return os.Remove(path)
	})
	return err == nil && s.git.run(ctx, s.at(), nil, "rev-list", "--quiet", "--objects", "--exclude-promisor-objects", target) == nil
}

// Update runs a fetch, and a checkout of what it brought unless that is the commit that the caller has. A store from which
// the checkout fails is discarded: its files may be damaged.
func (s *Store) Update(ctx context.Context, ref, have string, checkout func(commit string) error) (string, error) {
	if err := os.WriteFile(s.busy(), nil, 0o600); err != nil {
		return "", err
	}
	commit, err := s.fetchRef(ctx, ref)
	if err != nil {
		return "", err
	}
	if commit != have {
		err = checkout(commit)
	}
	switch {
	case err == nil:
		return commit, os.Remove(s.busy())
	case ctx.Err() == nil:
		return "", errors.Join(err, s.Discard())
	}
	return "", err
}

// Tidy drops what the last fetches left and nothing needs any more, once that is much.
func (s *Store) Tidy(ctx context.Context) error {
	s.fetches++
	size, err := s.Size()
	if err != nil {
		return err
	}
	if s.tidySize == 0 {
		s.tidySize = size
	}
	if s.fetches < maxFetches && size <= max(maxGrowth*s.tidySize, smallStore) {
		return nil
	}
	repositories, err := s.repositories()
	if err != nil {
		return err
	}
	for _, dir := range repositories {
		if err := os.RemoveAll(filepath.Join(dir, "lfs")); err != nil {
			return err
		}
		if err := s.git.run(ctx, at{repository: dir}, nil, "gc", "--quiet", "--prune=now"); err != nil {
			return err
		}
	}
	s.fetches = 0
	s.tidySize, err = s.Size()
	return err
}

// repositories returns the directories of the repository and of its submodules, which are in it.
func (s *Store) repositories() ([]string, error) {
	var all []string
	err := filepath.WalkDir(s.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && entry.Name() == "objects" {
			all = append(all, filepath.Dir(path))
			return fs.SkipDir
		}
		return nil
	})
	return all, err
}

// Discard empties the store. What a git that was killed leaves behind may still write to the files, under another name.
func (s *Store) Discard() error {
	s.fetches, s.tidySize = 0, 0
	if _, err := os.Lstat(s.dir); err != nil {
		return nil
	}
	doomed, err := os.MkdirTemp(filepath.Dir(s.dir), discarded+"*")
	if err != nil {
		return err
	}
	if err := os.Rename(s.dir, filepath.Join(doomed, filepath.Base(s.dir))); err != nil {
		return err
	}
	return s.sweep()
}

// sweep removes what was discarded. What resists is tried again the next time.
func (s *Store) sweep() error {
	old, err := filepath.Glob(filepath.Join(filepath.Dir(s.dir), discarded+"*"))
	for _, dir := range old {
		_ = os.RemoveAll(dir)
	}
	return err
}

// Size returns the bytes on disk.
func (s *Store) Size() (int64, error) {
	var size int64
	err := filepath.WalkDir(s.dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err == nil {
			size += info.Size()
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return size, err
}

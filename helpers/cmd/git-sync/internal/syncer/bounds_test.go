package syncer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/credential"
	"podpatterns.dev/helpers/cmd/git-sync/internal/git"
	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
	"podpatterns.dev/helpers/internal/processtest"
)

func newSyncer(t *testing.T, r *gittest.Repository) *Syncer {
	t.Helper()
	repository, err := remote.ParseRepository(gittest.Serve(t, r).Repository())
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	v, err := volume.Open(root, root+"/current")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { v.Close() })
	g := &git.Git{Dir: v.Git(), Settings: git.Settings{Repository: repository}}
	return &Syncer{
		Git: g, Store: git.NewStore(g, repository, 1, ""), Credentials: &credential.Source{Repository: repository},
		Volume: v, Ref: "main", Submodules: git.SubmodulesRecursive, Timeout: time.Minute, Log: slog.New(slog.DiscardHandler),
	}
}

func incompressible(size int) string {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	return string(content)
}

// Thousands of changes must not cost more disk than a few.
func TestRepositoryIsBounded(t *testing.T) {
	const tree = 1 << 20
	constant := incompressible(tree)
	for name, test := range map[string]struct {
		changes int
		change  func(i int) string
	}{
		"many small changes": {34, func(i int) string { return fmt.Sprint(i) }},
		"large changes":      {10, func(int) string { return incompressible(tree / 2) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			r.Push(map[string]string{"constant": constant})
			s := newSyncer(t, r)
			shrunk := 0
			var before int64
			for i := range test.changes {
				hash := r.Push(map[string]string{"changing": test.change(i)})
				result, err := s.Sync(context.Background())
				if err != nil || result.Hash != hash || !result.Changed {
					t.Fatalf("sync %d: %+v, %v", i, result, err)
				}
				if err := s.Volume.RemoveRetired(0); err != nil {
					t.Fatal(err)
				}
				size, err := s.Store.Size()
				if err != nil {
					t.Fatal(err)
				}
				if size > 4*tree {
					t.Fatalf("%d bytes after %d changes", size, i+1)
				}
				if size < before {
					shrunk++
				}
				before = size
			}
			if shrunk == 0 || shrunk > test.changes/3 {
				t.Errorf("shrunk %d times in %d changes", shrunk, test.changes)
			}
		})
	}
}

// A timeout, or what a server did, is no reason to fetch everything again.
func TestRepositoryOutlastsAFailure(t *testing.T) {
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"constant": incompressible(1 << 20)})
	s := newSyncer(t, r)
	if _, err := s.Sync(context.Background()); err != nil {
		t.Fatal(err)
	}
	hash := r.Push(map[string]string{"a": "b"})
	s.Timeout = time.Nanosecond
	if _, err := s.Sync(context.Background()); err == nil {
		t.Fatal("a sync within a nanosecond")
	}
	s.Timeout = time.Minute
	s.Ref = "missing"
	for range 3 {
		if _, err := s.Sync(context.Background()); err == nil {
			t.Fatal("a branch that is missing")
		}
	}
	if size, err := s.Store.Size(); err != nil || size < 1<<20 {
		t.Errorf("%d bytes are left, %v", size, err)
	}
	s.Ref = "main"
	if result, err := s.Sync(context.Background()); err != nil || result.Hash != hash {
		t.Fatalf("%+v, %v", result, err)
	}
}

func TestDamagedRepositoryIsNotKept(t *testing.T) {
	for name, of := range map[string]string{"history": "commit", "content": "blob"} {
		t.Run(name, func(t *testing.T) {
			r := gittest.NewRepository(t)
			// Of one size, so that what is damaged is known: the first object of a pack is a commit, the last one a blob.
			r.Push(map[string]string{"a": incompressible(1 << 16)})
			s := newSyncer(t, r)
			if _, err := s.Sync(context.Background()); err != nil {
				t.Fatal(err)
			}
			damage(t, s.Git.Dir, of)
			hash := r.Push(map[string]string{"b": "b"})
			var result Result
			processtest.Eventually(t, "it syncs", func() bool {
				var err error
				result, err = s.Sync(context.Background())
				return err == nil
			})
			if result.Hash != hash {
				t.Errorf("%+v, want %s", result, hash)
			}
		})
	}
}

func damage(t *testing.T, dir, of string) {
	t.Helper()
	packs, err := filepath.Glob(dir + "/repository/objects/pack/*.pack")
	if err != nil || len(packs) == 0 {
		t.Fatalf("no packs: %v", err)
	}
	for _, pack := range packs {
		content, err := os.ReadFile(pack)
		if err != nil {
			t.Fatal(err)
		}
		at := 20
		if of == "blob" {
			at = len(content) - 1000
		}
		copy(content[at:], strings.Repeat("x", 50))
		if err := errors.Join(os.Chmod(pack, 0o600), os.WriteFile(pack, content, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
}

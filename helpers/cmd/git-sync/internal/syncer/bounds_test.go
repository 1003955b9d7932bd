package syncer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/cmd/git-sync/internal/objects"
	"podpatterns.dev/helpers/cmd/git-sync/internal/remote"
	"podpatterns.dev/helpers/cmd/git-sync/internal/volume"
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
	return &Syncer{
		Repository: repository, Ref: "main", Depth: 1, Timeout: time.Minute, Volume: v, Objects: objects.New(v.Objects()),
	}
}

func incompressible(size int) string {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	return string(content)
}

// Thousands of changes must not cost more disk than a few, nor most of them more traffic than what they change.
func TestObjectStoreIsBounded(t *testing.T) {
	const tree = 1 << 18
	constant := incompressible(tree)
	for name, test := range map[string]struct {
		changes   int
		change    func(i int) string
		bound     int64
		discarded int // at least so often
	}{
		"many small changes":            {66, func(i int) string { return fmt.Sprint(i) }, tree * 5 / 4, 1},
		"large changes":                 {16, func(int) string { return incompressible(tree / 4) }, tree * 11 / 4, 2},
		"small changes to a large file": {16, func(i int) string { return constant[:tree/4] + fmt.Sprint(i) }, tree * 11 / 4, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			r.Push(map[string]string{"constant": constant})
			s := newSyncer(t, r)
			discarded := 0
			for i := range test.changes {
				hash := r.Push(map[string]string{"changing": test.change(i)})
				result, err := s.Sync(context.Background())
				if err != nil || result.Hash != hash || !result.Changed {
					t.Fatalf("sync %d: %+v, %v", i, result, err)
				}
				if err := s.Volume.RemoveRetired(0); err != nil {
					t.Fatal(err)
				}
				size, err := s.Objects.Size()
				if err != nil {
					t.Fatal(err)
				}
				if size > test.bound {
					t.Fatalf("%d bytes after %d changes, want at most %d", size, i+1, test.bound)
				}
				if size == 0 {
					discarded++
				}
			}
			if discarded < test.discarded || discarded > test.changes/4 {
				t.Errorf("discarded %d times in %d changes", discarded, test.changes)
			}
		})
	}
}

func TestFailedStoreIsNotKept(t *testing.T) {
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"a": "a"})
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
	if result, err := s.Sync(context.Background()); err != nil || result.Hash != hash {
		t.Fatalf("%+v, %v", result, err)
	}
}

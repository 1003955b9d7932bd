package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

func TestFollowsWhateverHappensToABranch(t *testing.T) {
	t.Parallel()
	for _, depth := range []string{"1", "3", "0"} {
		t.Run("depth "+depth, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			first := r.Push(map[string]string{"index.html": "first", "kept": "k", "gone": "g"})
			p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--ref", "main", "--depth", depth)
			p.waitPublished(first)

			r.Git("rm", "--quiet", "gone")
			r.Push(map[string]string{"index.html": "missed"})
			second := r.Push(map[string]string{"index.html": "second"})
			p.waitPublished(second)
			if _, err := os.Stat(p.path("gone")); !os.IsNotExist(err) {
				t.Errorf("a removed file is still there: %v", err)
			}

			// A file as it was before the shallow boundary: the server must not think we have it.
			p.waitPublished(r.Push(map[string]string{"index.html": "missed", "gone": "g"}))
			if got := read(t, p.path("index.html")) + read(t, p.path("gone")); got != "missedg" {
				t.Errorf("read %q", got)
			}

			r.Git("commit", "--quiet", "--amend", "--message", "rewritten")
			p.waitPublished(r.Push(nil))

			r.Git("reset", "--quiet", "--hard", first)
			r.Git("push", "--quiet", "--force", "origin", "HEAD")
			p.waitPublished(first)

			r.Git("checkout", "--quiet", "--orphan", "unrelated")
			unrelated := r.Push(map[string]string{"index.html": "unrelated"})
			r.Git("push", "--quiet", "--force", "origin", "unrelated:main")
			p.waitPublished(unrelated)

			if failures := p.lines("sync failed"); len(failures) > 0 {
				t.Errorf("failures: %v", failures)
			}
		})
	}
}

func TestTagThatMoves(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	r.Git("tag", "--annotate", "--message", "m", "stable")
	r.Git("push", "--quiet", "origin", "stable")
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--ref", "stable")
	p.waitPublished(first)
	second := r.Push(map[string]string{"index.html": "second"})
	r.Git("tag", "--force", "--annotate", "--message", "m", "stable")
	r.Git("push", "--quiet", "--force", "origin", "stable")
	p.waitPublished(second)
}

func TestPinnedHashIsNotAskedForAgain(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	root := t.TempDir()
	if code := start(t, root, "--repo", server.Repository(), "--ref", hash, "--one-time").Wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	before := server.Requests()
	if code := start(t, root, "--repo", server.Repository(), "--ref", hash, "--one-time").Wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	if after := server.Requests(); after != before {
		t.Errorf("%d requests for a commit that is published already", after-before)
	}
}

func TestRepairsARemovedLinkOrTree(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository())
	p.waitPublished(hash)
	if err := os.Remove(filepath.Join(p.root, "current")); err != nil {
		t.Fatal(err)
	}
	p.waitPublished(hash)
	if err := os.RemoveAll(filepath.Join(p.root, ".git-sync", "worktrees", hash)); err != nil {
		t.Fatal(err)
	}
	processtest.Eventually(t, "the tree is back", func() bool {
		_, err := os.Stat(p.path("index.html"))
		return err == nil
	})
}

// A tree of the atomicity tests: many files that all say the same.
const filesInTree = 50

func sameEverywhere(content string) map[string]string {
	files := map[string]string{}
	for i := range filesInTree {
		files[fmt.Sprintf("dir-%d/file-%d", i%5, i)] = content
	}
	return files
}

// checkWhole reads a tree through one resolution of the link, as a program does that opens its content directory.
func checkWhole(root string) error {
	dir, err := os.OpenRoot(filepath.Join(root, "current"))
	if err != nil {
		return err
	}
	defer dir.Close()
	first := ""
	for i := range filesInTree {
		content, err := dir.ReadFile(fmt.Sprintf("dir-%d/file-%d", i%5, i))
		if err != nil {
			return err
		}
		if i == 0 {
			first = string(content)
		}
		if first == "" || string(content) != first {
			return fmt.Errorf("file %d is of %q, file 0 of %q", i, content, first)
		}
	}
	return nil
}

func TestReadersSeeOneTreeAtATime(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(sameEverywhere("start"))
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--period", "2s")
	p.waitPublished(hash)
	done := make(chan struct{})
	result := make(chan error, 1)
	go func() {
		var err error
		for reads := 0; err == nil; reads++ {
			select {
			case <-done:
				result <- nil
				return
			default:
				err = checkWhole(p.root)
			}
		}
		result <- err
	}()
	for i := range 3 {
		p.waitPublished(r.Push(sameEverywhere(strconv.Itoa(i))))
	}
	close(done)
	if err := <-result; err != nil {
		t.Error(err)
	}
}

func TestPreviousTreeStaysForAPeriodThenGoes(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--period", "2s")
	p.waitPublished(first)
	second := r.Push(map[string]string{"index.html": "second"})
	p.waitPublished(second)
	if got := trees(t, p.root); !slices.Contains(got, first) {
		t.Errorf("the previous tree is gone at once: %q", got)
	}
	processtest.Eventually(t, "only the published tree is left", func() bool {
		return slices.Equal(trees(t, p.root), []string{second})
	})
}

func TestARestartWithOtherOptions(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	other := r.Beside("other")
	first := r.Push(map[string]string{"index.html": "first"})
	r.Git("push", "--quiet", "origin", "HEAD:before")
	second := r.Push(map[string]string{"index.html": "second"})
	elsewhere := other.Push(map[string]string{"index.html": "elsewhere"})
	server := gittest.Serve(t, r)
	root := t.TempDir()
	// It must not be taken for a ref.
	if err := os.WriteFile(filepath.Join(root, first), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		want string
		args []string
	}{
		{second, nil},
		{first, []string{"--ref", "before"}},
		{second, []string{"--depth", "0"}},
		{first, []string{"--ref", first, "--depth", "2"}},
		{elsewhere, []string{"--repo", server.URL + "/other.git"}},
		{second, []string{"--ref", second}},
		{first, []string{"--ref", first}},
	} {
		p := start(t, root, append([]string{"--repo", server.Repository(), "--one-time"}, step.args...)...)
		if code := p.Wait(); code != 0 || published(root) != step.want {
			t.Fatalf("%v: exit code %d, published %q, want %q", step.args, code, published(root), step.want)
		}
	}
}

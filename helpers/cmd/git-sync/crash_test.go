package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

func TestKilledAtAnyInstant(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	root := t.TempDir()
	server := gittest.Serve(t, r)
	args := []string{"--repo", server.Repository()}
	p := start(t, root, args...)
	p.waitPublished(r.Push(sameEverywhere("start")))
	for i := range 30 {
		r.Push(sameEverywhere(strconv.Itoa(i)))
		// Somewhere between before the fetch and after the flip, which take some 20 ms after a poll.
		instant := time.After(rand.N(60 * time.Millisecond))
		<-instant
		p.Kill()
		if err := checkWhole(root); err != nil {
			t.Fatalf("after kill %d: %v", i, err)
		}
		p = start(t, root, args...)
	}
	last := r.Push(sameEverywhere("last"))
	p.waitPublished(last)
	processtest.Eventually(t, "leftovers are gone", func() bool { return slices.Equal(trees(t, root), []string{last}) })
}

func TestLeftoversGoAtTheNextStart(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	root := t.TempDir()
	run := func() {
		t.Helper()
		if code := start(t, root, "--repo", server.Repository(), "--one-time", "--stale-worktree-timeout", "1h").Wait(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
	}
	run()
	private := filepath.Join(root, ".git-sync")
	for _, dir := range []string{
		"worktrees/0123456789012345678901234567890123456789/sub",
		"worktrees/" + hash + ".partial/sub",
		"git/discarded-1/repository/objects",
	} {
		if err := os.MkdirAll(filepath.Join(private, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	// As a git that was killed leaves it.
	for _, name := range []string{"git-sync.busy", "shallow.lock", "objects/pack/tmp_pack_1"} {
		if err := os.WriteFile(filepath.Join(private, "git/repository", name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("nowhere", filepath.Join(private, "link")); err != nil {
		t.Fatal(err)
	}
	run()
	// The whole one has its grace.
	if got := trees(t, root); !slices.Equal(got, []string{"0123456789012345678901234567890123456789", hash}) {
		t.Errorf("trees: %q", got)
	}
	for _, name := range []string{"git/repository/objects/pack/tmp_pack_1", "git/discarded-1"} {
		if _, err := os.Stat(filepath.Join(private, name)); !os.IsNotExist(err) {
			t.Errorf("%s is still there: %v", name, err)
		}
	}
	hash = r.Push(map[string]string{"index.html": "second"})
	run()
	if got := published(root); got != hash {
		t.Errorf("published %q, want %q", got, hash)
	}
}

func TestTermination(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			hash := r.Push(map[string]string{"index.html": "first"})
			p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(), "--period", "1h")
			p.waitPublished(hash)
			checkEndsSoon(t, p, signal)
			if got := published(p.root); got != hash {
				t.Errorf("published %q, want %q", got, hash)
			}
		})
	}
}

func TestTerminationEndsTheCommandToo(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	pid := filepath.Join(t.TempDir(), "pid")
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository(),
		"--exechook-command", script(t, "echo $$ >"+pid+".next; mv "+pid+".next "+pid+"; sleep 1000"))
	processtest.Eventually(t, "the command runs", func() bool {
		_, err := os.Stat(pid)
		return err == nil
	})
	checkEndsSoon(t, p, syscall.SIGTERM)
	command, err := strconv.Atoi(strings.TrimSpace(read(t, pid)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(command, 0); err != syscall.ESRCH {
		t.Errorf("the command is still there: %v", err)
	}
}

func checkEndsSoon(t *testing.T, p *process, signal syscall.Signal) {
	t.Helper()
	sent := time.Now()
	if err := p.Signal(signal); err != nil {
		t.Fatal(err)
	}
	code := p.Wait()
	if took := time.Since(sent); code != 0 || took > 5*time.Second {
		t.Errorf("ended after %s with code %d", took, code)
	}
}

func TestSecondProcessOnOneRootRefusesToStart(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	p := start(t, t.TempDir(), "--repo", server.Repository())
	p.waitPublished(hash)
	second := start(t, p.root, "--repo", server.Repository(), "--link", "other")
	if code := second.Wait(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	if p.Ended() || published(p.root) != hash {
		t.Error("the first one was disturbed")
	}
}

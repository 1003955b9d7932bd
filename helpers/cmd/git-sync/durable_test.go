package main

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

// A crash of the node may lose whatever isn't on the disk: the order of the system calls is what protects from that.
func TestTheTreeIsOnTheDiskBeforeItIsPublished(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	trace := filepath.Join(t.TempDir(), "trace")
	program := processtest.Command("--repo", gittest.Serve(t, r).Repository(), "--root", t.TempDir(), "--link", "current", "--one-time")
	command := exec.Command("strace", append([]string{"-f", "-o", trace, "-e", "trace=syncfs,rename,renameat,renameat2"}, program.Args...)...)
	command.Env = program.Env
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	var order []string
	for line := range strings.Lines(read(t, trace)) {
		switch {
		case strings.Contains(line, ".partial"):
			order = append(order, "tree")
		case strings.Contains(line, "syncfs("):
			order = append(order, "sync")
		case strings.Contains(line, "/current"):
			order = append(order, "link")
		}
	}
	if want := []string{"tree", "sync", "link"}; !slices.Equal(order, want) {
		t.Errorf("the order is %q, want %q", order, want)
	}
}

// lose empties a file as a crash of the node does that comes before the file's blocks are written. Size and time are right
// again if that is wanted: a journal may have had them.
func lose(t *testing.T, path string, keepSize bool) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	content := []byte{}
	if keepSize {
		content = make([]byte, info.Size())
	}
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
		t.Fatal(err)
	}
}

func TestATreeFromBeforeACrashOfTheNodeIsRead(t *testing.T) {
	t.Parallel()
	for name, keepSize := range map[string]bool{"empty": false, "zeroes": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			hash := r.Push(map[string]string{"index.html": "first", "other": "o"})
			server := gittest.Serve(t, r)
			root := t.TempDir()
			if code := start(t, root, "--repo", server.Repository(), "--one-time").Wait(); code != 0 {
				t.Fatalf("exit code %d", code)
			}
			lose(t, filepath.Join(root, "current", "index.html"), keepSize)
			if err := os.WriteFile(filepath.Join(root, ".git-sync", "boot"), []byte("another"), 0o644); err != nil {
				t.Fatal(err)
			}
			// A commit that can't change is checked as well.
			p := start(t, root, "--repo", server.Repository(), "--ref", hash, "--one-time")
			if code := p.Wait(); code != 0 || read(t, p.path("index.html")) != "first" {
				t.Errorf("exit code %d, index.html is %q", code, read(t, p.path("index.html")))
			}
			if len(p.lines("making the tree anew")) != 1 {
				t.Error("it doesn't say so")
			}
			before := server.Requests()
			p = start(t, root, "--repo", server.Repository(), "--ref", hash, "--one-time")
			if code := p.Wait(); code != 0 || len(p.lines("making the tree anew")) > 0 || server.Requests() != before {
				t.Error("made again, although it is right")
			}
		})
	}
}

func TestDamageIsNoticedAndMended(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]func(path string) error{
		"written to": func(path string) error { return os.WriteFile(path, []byte("damaged"), 0o644) },
		"removed":    os.Remove,
		"replaced": func(path string) error {
			_ = os.Remove(path)
			return os.Symlink("/etc/passwd", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			hash := r.Push(map[string]string{"a/index.html": "first"})
			p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository())
			p.waitPublished(hash)
			if err := damage(p.path("a/index.html")); err != nil {
				t.Fatal(err)
			}
			processtest.Eventually(t, "the file is as it was", func() bool {
				content, err := os.ReadFile(p.path("a/index.html"))
				return err == nil && string(content) == "first"
			})
		})
	}
}

func TestWhatOthersMayWriteIsNoDamage(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	p := start(t, t.TempDir(), "--repo", server.Repository(), "--group-write")
	p.waitPublished(hash)
	if err := os.WriteFile(p.path("index.html"), []byte("theirs"), 0o664); err != nil {
		t.Fatal(err)
	}
	before := server.Requests()
	processtest.Eventually(t, "several syncs", func() bool { return server.Requests() > before+12 })
	if got := read(t, p.path("index.html")); got != "theirs" {
		t.Errorf("index.html is %q", got)
	}
}

func TestTheGraceOfATreeOutlastsARestart(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	args := []string{"--repo", server.Repository(), "--stale-worktree-timeout", "3s"}
	p := start(t, t.TempDir(), args...)
	p.waitPublished(first)
	second := r.Push(map[string]string{"index.html": "second"})
	p.waitPublished(second)
	p.Kill()
	p = start(t, p.root, args...)
	p.waitLog("published", 1)
	if !slices.Contains(trees(t, p.root), first) {
		t.Error("the tree that readers may be in is gone")
	}
	processtest.Eventually(t, "only the published tree is left", func() bool {
		return slices.Equal(trees(t, p.root), []string{second})
	})
}

func TestARestartFetchesNothingAgain(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	p := start(t, t.TempDir(), "--repo", server.Repository())
	p.waitPublished(hash)
	p.Kill()
	server.Gate(onlyPacks(func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		changed(func(answer []byte) []byte {
			if len(answer) > 4<<10 {
				t.Errorf("%d bytes for what is there already", len(answer))
			}
			return answer
		})(w, q, git)
	}))
	p = start(t, p.root, "--repo", server.Repository())
	p.waitLog("published", 1)
}

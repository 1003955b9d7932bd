package main

import (
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
)

func TestEveryKindOfRef(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	r.Git("tag", "light")
	r.Git("tag", "--annotate", "--message", "m", "annotated")
	r.Git("tag", "--annotate", "--message", "m", "nested", "annotated")
	r.Git("branch", "light-too")
	unadvertised := r.Push(map[string]string{"index.html": "unadvertised"})
	last := r.Push(map[string]string{"index.html": "last", "a/b/c.txt": "deep"})
	r.Git("tag", "feature", first) // a tag and a branch of one name
	r.Git("branch", "feature", last)
	r.Git("push", "--quiet", "origin", "--all")
	r.Git("push", "--quiet", "origin", "--tags")
	server := gittest.Serve(t, r)

	for _, test := range []struct{ name, ref, want string }{
		{"HEAD", "HEAD", last},
		{"branch", "main", last},
		{"full name", "refs/heads/main", last},
		{"partly full name", "heads/feature", last},
		{"tag before branch", "feature", first},
		{"tag", "light", first},
		{"annotated tag", "annotated", first},
		{"tag of a tag", "refs/tags/nested", first},
		{"hash of a tip", last, last},
		{"hash below the tips", unadvertised, unadvertised},
		{"hash of a tag", r.Git("rev-parse", "annotated"), first},
	} {
		for _, depth := range []string{"1", "2", "0"} {
			t.Run(test.name+" at depth "+depth, func(t *testing.T) {
				t.Parallel()
				root := t.TempDir()
				p := start(t, root, "--repo", server.Repository(), "--ref", test.ref, "--depth", depth, "--one-time")
				if code := p.Wait(); code != 0 {
					t.Fatalf("exit code %d", code)
				}
				if got := published(root); got != test.want {
					t.Errorf("published %q, want %q", got, test.want)
				}
				if want := r.Git("show", test.want+":index.html"); read(t, p.path("index.html")) != want {
					t.Errorf("index.html is not %q", want)
				}
			})
		}
	}
}

// A server of protocol version 0 gives only what it names, unless it is told otherwise.
func TestHashFromServerThatGivesOnlyWhatItNames(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	first := r.Push(map[string]string{"index.html": "first"})
	r.Push(map[string]string{"index.html": "second"})
	server := gittest.Serve(t, r)
	server.Gate(func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		q.Header.Del("Git-Protocol")
		git.ServeHTTP(w, q)
	})
	root := t.TempDir()
	p := start(t, root, "--repo", server.Repository(), "--ref", first, "--one-time")
	if code := p.Wait(); code != 0 || published(root) != first {
		t.Errorf("exit code %d, published %q, want %q", code, published(root), first)
	}
	p = start(t, t.TempDir(), "--repo", server.Repository(), "--ref", strings.Repeat("12", 20), "--one-time")
	if code := p.Wait(); code != 1 || !strings.Contains(p.Log(), "no branch or tag of the repository reaches the commit") {
		t.Errorf("exit code %d for a commit that isn't there", code)
	}
}

func TestWrongRefs(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	r.Git("tag", "tree", "HEAD^{tree}")
	r.Git("push", "--quiet", "origin", "--tags")
	server := gittest.Serve(t, r)
	for name, ref := range map[string]string{
		"no such branch": "missing",
		"no such commit": "0123456789012345678901234567890123456789",
		"short hash":     r.Git("rev-parse", "--short", "HEAD"),
		"tag of a tree":  "tree",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			p := start(t, root, "--repo", server.Repository(), "--ref", ref, "--one-time")
			if code := p.Wait(); code != 1 || published(root) != "" {
				t.Errorf("exit code %d, published %q", code, published(root))
			}
			if name == "short hash" && !strings.Contains(p.Log(), "full hash of 40 digits") {
				t.Error("it isn't said what to write instead")
			}
		})
	}
}

func TestModesAndLinks(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Write(map[string]string{"plain": "p", "run.sh": "#!", "dir/inner": "i", "-odd name\n": "o"})
	for name, target := range map[string]string{"inside": "dir/inner", "outside": "/etc/passwd", "up": "../../../../x", "loop": "loop"} {
		if err := os.Symlink(target, filepath.Join(r.Work, name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(r.Work, "run.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	r.Push(nil)
	module := r.Git("rev-parse", "HEAD")
	r.Git("update-index", "--add", "--cacheinfo", "160000,"+module+",module")
	r.Git("commit", "--quiet", "--message", "module")
	r.Git("push", "--quiet", "origin", "HEAD")
	server := gittest.Serve(t, r)

	for name, test := range map[string]struct {
		args             []string
		file, executable fs.FileMode
	}{
		"for readers":     {nil, 0o644, 0o755},
		"for group write": {[]string{"--group-write"}, 0o664, 0o775},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			p := start(t, root, append(test.args, "--repo", server.Repository(), "--one-time")...)
			if code := p.Wait(); code != 0 {
				t.Fatalf("exit code %d", code)
			}
			for name, want := range map[string]fs.FileMode{
				"plain":       test.file,
				"-odd name\n": test.file,
				"run.sh":      test.executable,
				".":           fs.ModeDir | test.executable,
				"dir":         fs.ModeDir | test.executable,
				"module":      fs.ModeDir | test.executable,
				"../../":      fs.ModeDir | 0o755,
				"../":         fs.ModeDir | 0o755,
			} {
				info, err := os.Stat(p.root + "/current/" + name)
				if err != nil {
					t.Fatal(err)
				}
				if got := info.Mode(); got != want {
					t.Errorf("%q has mode %s, want %s", name, got, want)
				}
			}
			for name, want := range map[string]string{"inside": "dir/inner", "outside": "/etc/passwd", "up": "../../../../x", "loop": "loop"} {
				if got, err := os.Readlink(p.path(name)); err != nil || got != want {
					t.Errorf("%s points to %q (%v), want %q", name, got, err, want)
				}
			}
		})
	}
}

func TestLinkWorksWhereTheVolumeIsMountedElsewhere(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	for _, link := range []string{"current", "a/b/current"} {
		mount, elsewhere := filepath.Join(t.TempDir(), "here"), filepath.Join(t.TempDir(), "there")
		p := start(t, mount, "--repo", server.Repository(), "--link", link, "--one-time")
		if code := p.Wait(); code != 0 {
			t.Fatalf("exit code %d", code)
		}
		if err := os.Rename(mount, elsewhere); err != nil {
			t.Fatal(err)
		}
		if got := read(t, filepath.Join(elsewhere, link, "index.html")); got != "first" {
			t.Errorf("%s: read %q", link, got)
		}
	}
}

func TestNothingIsWrittenOutsideItsOwnDirectoryAndTheLink(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	r.Push(map[string]string{"index.html": "first"})
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "foreign"), []byte("f"), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, root, "--repo", gittest.Serve(t, r).Repository(), "--one-time")
	if code := p.Wait(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if len(names) != 3 || names[0] != ".git-sync" || names[1] != "current" || names[2] != "foreign" {
		t.Errorf("the root holds %q", names)
	}
}

// Git holds files in memory, and git-sync none: its own share is bounded whatever is in the repository.
func TestMemoryOfItsOwnIsBounded(t *testing.T) {
	t.Parallel()
	const size, limit = 72 << 20, 64 << 10 // bytes, KiB
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"large": strings.Repeat("x", size)})
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository())
	p.waitPublished(hash)
	used := regexp.MustCompile(`VmHWM:\s+(\d+) kB`).FindStringSubmatch(read(t, fmt.Sprintf("/proc/%d/status", p.PID())))
	if peak, err := strconv.Atoi(used[1]); err != nil || peak > limit {
		t.Errorf("%d KiB at its highest, %v", peak, err)
	}
}

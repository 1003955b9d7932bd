package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
	"podpatterns.dev/helpers/internal/processtest"
)

// names lists all files of a published tree.
func (p *process) names() string {
	p.t.Helper()
	var names []string
	root := p.path(".")
	err := filepath.WalkDir(root+"/", func(path string, entry os.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, strings.TrimPrefix(strings.TrimPrefix(path, root), "/"))
		}
		return err
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func TestSubmodules(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	theme, fonts := r.Beside("theme"), r.Beside("fonts")
	fonts.Push(map[string]string{"font": "f"})
	theme.AddSubmodule(fonts, "fonts", "../fonts.git")
	theme.Push(map[string]string{"style": "s"})
	r.AddSubmodule(theme, "theme", "../theme.git")
	r.Push(map[string]string{"index.html": "first"})
	server := gittest.Serve(t, r)
	for mode, want := range map[string]string{
		"":          ".gitmodules index.html theme/.gitmodules theme/fonts/font theme/style",
		"recursive": ".gitmodules index.html theme/.gitmodules theme/fonts/font theme/style",
		"shallow":   ".gitmodules index.html theme/.gitmodules theme/style",
		"off":       ".gitmodules index.html",
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), "--repo", server.Repository(), "--submodules", mode, "--one-time")
			if code := p.Wait(); code != 0 || p.names() != want {
				t.Errorf("exit code %d, files %q", code, p.names())
			}
			if told := strings.Contains(p.Log(), `"paths":["theme"]`); told != (mode == "off") {
				t.Errorf("what is missing is told: %t", told)
			}
		})
	}
}

func TestSubmodulesAreFollowed(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	theme, other := r.Beside("theme"), r.Beside("other")
	theme.Push(map[string]string{"style": "first"})
	r.AddSubmodule(theme, "theme", "../theme.git")
	p := start(t, t.TempDir(), "--repo", gittest.Serve(t, r).Repository())
	p.waitPublished(r.Push(nil))
	follow := func(change func()) {
		t.Helper()
		change()
		p.waitPublished(r.Push(nil))
	}
	update := func(of *gittest.Repository, content string) {
		t.Helper()
		of.Push(map[string]string{"style": content})
		r.Git("-C", "theme", "fetch", "--quiet", of.Bare)
		r.Git("-C", "theme", "checkout", "--quiet", "--detach", "FETCH_HEAD")
	}
	follow(func() { update(theme, "second") })
	if got := read(t, p.path("theme/style")); got != "second" {
		t.Errorf("after a change: %q", got)
	}
	follow(func() {
		update(other, "elsewhere")
		r.Git("config", "--file", ".gitmodules", "submodule.theme.url", "../other.git")
	})
	if got := read(t, p.path("theme/style")); got != "elsewhere" {
		t.Errorf("after a change of the URL: %q", got)
	}
	follow(func() { r.Git("rm", "--quiet", "--force", "theme") })
	if got := p.names(); strings.Contains(got, "theme") {
		t.Errorf("after its removal: %q", got)
	}
	if failures := p.lines("sync failed"); len(failures) > 0 {
		t.Errorf("failures: %v", failures)
	}
}

// Whoever may push must not reach what git-sync can read: its own files, other protocols.
func TestSubmodulesOfForbiddenProtocols(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{"a file": "file:///etc", "a command": "ext::sh -c true", "an option": "-u./x"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			theme := r.Beside("theme")
			theme.Push(map[string]string{"style": "s"})
			r.AddSubmodule(theme, "theme", url)
			r.Push(nil)
			root := t.TempDir()
			p := start(t, root, "--repo", gittest.Serve(t, r).Repository(), "--one-time")
			if code := p.Wait(); code != 1 || published(root) != "" {
				t.Errorf("exit code %d, published %q", code, published(root))
			}
		})
	}
}

func TestLFS(t *testing.T) {
	t.Parallel()
	const content = "what is too large for git"
	r := gittest.NewRepository(t)
	r.Push(map[string]string{".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs -text\n", "a.bin": gittest.Pointer(content)})
	server := gittest.Serve(t, r)
	server.Gate(gittest.LFS(server.URL, content))
	for name, test := range map[string]struct {
		args  []string
		want  string
		tells bool
	}{
		"on":  {[]string{"--lfs"}, content, false},
		"off": {nil, gittest.Pointer(content), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, t.TempDir(), append(test.args, "--repo", server.Repository(), "--one-time")...)
			if code := p.Wait(); code != 0 || read(t, p.path("a.bin")) != test.want {
				t.Errorf("exit code %d, content %q", code, read(t, p.path("a.bin")))
			}
			if told := strings.Contains(p.Log(), `"paths":["a.bin"]`); told != test.tells {
				t.Errorf("what is missing is told: %t", told)
			}
		})
	}
	t.Run("turned on later", func(t *testing.T) {
		t.Parallel()
		root := t.TempDir()
		start(t, root, "--repo", server.Repository(), "--one-time").Wait()
		p := start(t, root, "--repo", server.Repository(), "--one-time", "--lfs")
		if code := p.Wait(); code != 0 || read(t, p.path("a.bin")) != content {
			t.Errorf("exit code %d, content %q", code, read(t, p.path("a.bin")))
		}
	})
}

func TestSparseCheckout(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		args  []string
		bound int
	}{
		"whole":   {nil, 2 << 20},
		"partial": {[]string{"--filter", "blob:none"}, 1 << 19},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := gittest.NewRepository(t)
			r.GitBare("", "config", "uploadpack.allowFilter", "true")
			r.Push(map[string]string{"top": "t", "docs/a": "a", "docs/deep/b": "b", "src/c": incompressible(1 << 20)})
			server := gittest.Serve(t, r)
			patterns := filepath.Join(t.TempDir(), "patterns")
			rotate(t, patterns, "/docs/\n!/docs/deep/\n")
			root := t.TempDir()
			p := start(t, root, append(test.args, "--repo", server.Repository(), "--sparse-checkout-file", patterns)...)
			p.waitLog("published", 1)
			if got := p.names(); got != "docs/a" {
				t.Errorf("files %q", got)
			}
			if size := sizeOf(t, filepath.Join(root, ".git-sync", "git")); size > test.bound {
				t.Errorf("%d bytes fetched", size)
			}
			rotate(t, patterns, "/docs/\n")
			processtest.Eventually(t, "the new patterns count", func() bool { return p.names() == "docs/a docs/deep/b" })
			hash := r.Push(map[string]string{"docs/new": "n"})
			p.waitPublished(hash)
			if got := p.names(); got != "docs/a docs/deep/b docs/new" {
				t.Errorf("files %q after a change", got)
			}
		})
	}
}

func incompressible(size int) string {
	content := make([]byte, size)
	for i := range content {
		content[i] = byte(rand.Uint32())
	}
	return string(content)
}

func sizeOf(t *testing.T, dir string) (size int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // git makes and removes files meanwhile
		}
		if info, err := entry.Info(); err == nil {
			size += int(info.Size())
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// A server that knows no filters sends everything.
func TestFilterThatTheServerDoesNotKnow(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	root := t.TempDir()
	p := start(t, root, "--repo", gittest.Serve(t, r).Repository(), "--filter", "blob:none", "--one-time")
	if code := p.Wait(); code != 0 || published(root) != hash {
		t.Errorf("exit code %d, published %q", code, published(root))
	}
}

func TestRepositoryOnDisk(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	root := t.TempDir()
	p := start(t, root, "--repo", "file://"+r.Bare, "--one-time")
	if code := p.Wait(); code != 0 || published(root) != hash {
		t.Errorf("exit code %d, published %q", code, published(root))
	}
}

// What a poll costs must not grow with the refs that nobody asked for.
func TestPollsOfARepositoryWithManyRefs(t *testing.T) {
	t.Parallel()
	const refs = 20_000
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	lines := strings.Builder{}
	for i := range refs {
		fmt.Fprintf(&lines, "create refs/heads/feature-%d %s\n", i, hash)
	}
	r.GitBare(lines.String(), "update-ref", "--stdin")
	r.GitBare("", "pack-refs", "--all")
	server := gittest.Serve(t, r)
	largest := make(chan int, 1000)
	server.Gate(func(w http.ResponseWriter, q *http.Request, git http.Handler) {
		changed(func(answer []byte) []byte {
			select {
			case largest <- len(answer):
			default:
			}
			return answer
		})(w, q, git)
	})
	p := start(t, t.TempDir(), "--repo", server.Repository())
	p.waitPublished(hash)
	before := server.Requests()
	processtest.Eventually(t, "a second sync", func() bool { return server.Requests() > before+3 })
	for range len(largest) {
		if size := <-largest; size > 4<<10 {
			t.Errorf("an answer of %d bytes", size)
		}
	}
}

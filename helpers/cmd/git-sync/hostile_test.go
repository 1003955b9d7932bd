package main

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/git-sync/internal/gittest"
)

// entry is one of a tree object, as git stores it.
func entry(mode, name, hash string) string {
	raw, err := hex.DecodeString(hash)
	if err != nil {
		panic(err)
	}
	return mode + " " + name + "\x00" + string(raw)
}

// tree stores entries that git itself would refuse to make a tree of.
func tree(r *gittest.Repository, entries ...string) string {
	return r.GitBare(strings.Join(entries, ""), "hash-object", "-t", "tree", "--literally", "-w", "--stdin")
}

func TestHostileTrees(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	outside := t.TempDir()
	blob := r.GitBare("hostile", "hash-object", "-w", "--stdin")
	toDirectory := r.GitBare(outside, "hash-object", "-w", "--stdin")
	toFile := r.GitBare(filepath.Join(outside, "planted"), "hash-object", "-w", "--stdin")
	inner := tree(r, entry("100644", "planted", blob))
	cases := map[string][]string{
		"parent":            {entry("100644", "..", blob)},
		"parent-dir":        {entry("40000", "..", inner)},
		"itself":            {entry("40000", ".", inner)},
		"path":              {entry("100644", "../planted", blob)},
		"git-directory":     {entry("40000", ".git", inner)},
		"git-file":          {entry("100644", ".git", blob)},
		"git-upper-case":    {entry("40000", ".GIT", inner)},
		"git-on-windows":    {entry("40000", "git~1", inner)},
		"git-on-macos":      {entry("40000", ".g\u200cit", inner)},
		"below-a-symlink":   {entry("120000", "a", toDirectory), entry("40000", "a", inner)},
		"through-a-symlink": {entry("120000", "a", toFile), entry("100644", "a", blob)},
	}
	for name, entries := range cases {
		r.GitBare("", "update-ref", "refs/heads/"+name, r.GitBare("", "commit-tree", "-m", "m", tree(r, entries...)))
	}
	server := gittest.Serve(t, r)
	for name := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			root := t.TempDir()
			p := start(t, root, "--repo", server.Repository(), "--ref", name, "--one-time")
			if code := p.Wait(); strings.Contains(name, "symlink") {
				// Of two entries with one name git writes one.
			} else if code != 1 || published(root) != "" || len(trees(t, root)) > 0 {
				t.Errorf("exit code %d, published %q, trees %q", code, published(root), trees(t, root))
			}
			if planted, err := filepath.Glob(filepath.Join(root, "*/planted")); err != nil || len(planted) > 0 {
				t.Errorf("planted %q, %v", planted, err)
			}
			if planted, err := os.ReadDir(outside); err != nil || len(planted) > 0 {
				t.Errorf("made outside: %q, %v", planted, err)
			}
		})
	}
}

// Whoever writes git's configuration decides which programs git runs.
func TestGitsDirectoryIsNobodyElses(t *testing.T) {
	t.Parallel()
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"index.html": "first"})
	root := t.TempDir()
	dir := filepath.Join(root, ".git-sync", "git")
	planted := filepath.Join(dir, "repository", "hooks", "planted")
	if err := os.MkdirAll(filepath.Dir(planted), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(planted, nil, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 { // nobody else can make it another user's
		if err := os.Chown(dir, 4242, 4242); err != nil {
			t.Fatal(err)
		}
	}
	p := start(t, root, "--repo", gittest.Serve(t, r).Repository(), "--one-time", "--group-write")
	if code := p.Wait(); code != 0 || published(root) != hash {
		t.Errorf("exit code %d, published %q", code, published(root))
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("others may enter it: %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(planted); !os.IsNotExist(err) {
		t.Errorf("what was planted is still there: %v", err)
	}
}

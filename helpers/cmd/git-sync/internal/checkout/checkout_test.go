package checkout

import (
	"context"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/storage/filesystem"

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
	r := gittest.NewRepository(t)
	outside := t.TempDir()
	blob := r.GitBare("hostile", "hash-object", "-w", "--stdin")
	toDirectory := r.GitBare(outside, "hash-object", "-w", "--stdin")
	toFile := r.GitBare(filepath.Join(outside, "planted"), "hash-object", "-w", "--stdin")
	inner := tree(r, entry("100644", "planted", blob))
	for name, entries := range map[string][]string{
		"parent":             {entry("100644", "..", blob)},
		"parent as a dir":    {entry("40000", "..", inner)},
		"itself":             {entry("40000", ".", inner)},
		"no name":            {entry("40000", "", inner)},
		"a path":             {entry("100644", "../planted", blob)},
		"git's directory":    {entry("40000", ".git", inner)},
		"its other spelling": {entry("40000", ".GIT", inner)},
		"below a symlink":    {entry("120000", "a", toDirectory), entry("40000", "a", inner)},
		"through a symlink":  {entry("120000", "a", toFile), entry("100644", "a", blob)},
		"twice":              {entry("100644", "a", blob), entry("100644", "a", blob)},
		"missing file":       {entry("100644", "a", strings.Repeat("12", 20))},
		"missing dir":        {entry("40000", "a", strings.Repeat("12", 20))},
		"file as a dir":      {entry("40000", "a", blob)},
		"dir as a file":      {entry("100644", "a", inner)},
	} {
		t.Run(name, func(t *testing.T) {
			commit := r.GitBare("", "commit-tree", "-m", "m", tree(r, entries...))
			parent := t.TempDir()
			if err := write(r, commit, filepath.Join(parent, "tree")); err == nil {
				t.Error("written without an error")
			}
			if got := names(t, outside); len(got) > 0 {
				t.Errorf("made outside: %q", got)
			}
			if got := names(t, parent); !slices.Equal(got, []string{"tree"}) {
				t.Errorf("made beside the tree: %q", got)
			}
		})
	}
}

func write(r *gittest.Repository, commit, path string) error {
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	store := filesystem.NewStorage(osfs.New(r.Bare), cache.NewObjectLRUDefault())
	return Write(context.Background(), store, plumbing.NewHash(commit), dir)
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func TestEndsWithItsContext(t *testing.T) {
	r := gittest.NewRepository(t)
	hash := r.Push(map[string]string{"a": "a"})
	dir, err := os.OpenRoot(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer dir.Close()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	store := filesystem.NewStorage(osfs.New(r.Bare), cache.NewObjectLRUDefault())
	if err := Write(ctx, store, plumbing.NewHash(hash), dir); err != context.Canceled {
		t.Error(err)
	}
}

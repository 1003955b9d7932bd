package git

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The ways to treat submodules.
const (
	SubmodulesRecursive = "recursive"
	SubmodulesShallow   = "shallow"
	SubmodulesOff       = "off"
)

// Everything is the pattern of all files.
const Everything = "/*\n"

// Form is what a checkout makes of a commit.
type Form struct {
	Submodules string
	LFS        bool
	// Sparse holds the patterns of what to check out.
	Sparse string
}

// Skipped is what a checkout left out, each by some paths.
type Skipped struct {
	Submodules []string
	LFS        []string
}

// maxSkipped is how many paths of a kind are told.
const maxSkipped = 5

// Checkout writes a commit's files into the empty directory dir. Modes follow the umask. Nothing of git's is among them.
func (s *Store) Checkout(ctx context.Context, commit, dir string, form Form) (Skipped, error) {
	where := at{s.dir, dir, s.path("git-sync.index")}
	if err := os.Remove(where.index); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Skipped{}, err
	}
	if err := os.WriteFile(s.path("info/sparse-checkout"), []byte(form.Sparse), 0o600); err != nil {
		return Skipped{}, err
	}
	if err := s.git.run(ctx, where, nil, "read-tree", "--reset", "-u", commit); err != nil {
		return Skipped{}, err
	}
	var skipped Skipped
	links := &paths{prefix: "160000 "}
	if err := s.git.run(ctx, where, links, "ls-files", "--stage", "-z"); err != nil {
		return Skipped{}, err
	}
	_, described := os.Lstat(filepath.Join(dir, ".gitmodules"))
	switch {
	case len(links.found) == 0:
	case form.Submodules == SubmodulesOff || described != nil:
		skipped.Submodules = links.found
	default:
		if err := s.submodules(ctx, where, form); err != nil {
			return Skipped{}, err
		}
	}
	if !form.LFS {
		pointers := &paths{}
		if err := s.git.run(ctx, where, pointers, "ls-files", "-z", "--", ":(attr:filter=lfs)"); err != nil {
			return Skipped{}, err
		}
		skipped.LFS = pointers.found
	}
	return skipped, nil
}

// submodules fills the submodules' directories. Their repositories stay in the store; what a changed URL may have left there
// is not tried twice.
func (s *Store) submodules(ctx context.Context, where at, form Form) error {
	update := func() error {
		arguments := []string{"submodule", "--quiet", "update", "--init", "--force"}
		if form.Submodules == SubmodulesRecursive {
			arguments = append(arguments, "--recursive")
		}
		if s.Depth > 0 {
			arguments = append(arguments, "--depth", strconv.Itoa(s.Depth))
		}
		return s.git.run(ctx, where, nil, arguments...)
	}
	modules := s.path("modules")
	_, kept := os.Stat(modules)
	err := update()
	if err != nil && kept == nil && ctx.Err() == nil {
		if err := errors.Join(os.RemoveAll(modules), removeLinks(where.worktree)); err != nil {
			return err
		}
		err = update()
	}
	if err != nil {
		return err
	}
	return removeLinks(where.worktree)
}

// removeLinks removes the files .git that point to submodules' repositories. A commit can hold none of that name.
func removeLinks(dir string) error {
	return filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != ".git" {
			return err
		}
		return os.Remove(path)
	})
}

// paths keeps the first paths of a NUL-separated list, of the entries that begin with prefix.
type paths struct {
	prefix string
	found  []string
	rest   []byte
}

func (p *paths) Write(b []byte) (int, error) {
	p.rest = append(p.rest, b...)
	for {
		entry, rest, whole := bytes.Cut(p.rest, []byte{0})
		if !whole {
			return len(b), nil
		}
		p.rest = rest
		if len(p.found) < maxSkipped && bytes.HasPrefix(entry, []byte(p.prefix)) {
			path := string(entry)
			if p.prefix != "" {
				_, path, _ = strings.Cut(path, "\t")
			}
			p.found = append(p.found, path)
		}
	}
}

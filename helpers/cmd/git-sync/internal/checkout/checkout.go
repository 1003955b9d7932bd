// Package checkout writes a commit's files into a directory.
package checkout

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/storer"
)

// maxLinkTarget is Linux' PATH_MAX: no longer symlink can be made.
const maxLinkTarget = 4096

// Write writes the tree of a commit into the empty directory dir. Modes follow the umask, as git's do. A symlink is made with
// whatever target it has, but nothing is ever written through one: each name is created anew, below dir.
// A submodule becomes an empty directory.
func Write(ctx context.Context, objects storer.EncodedObjectStorer, commit plumbing.Hash, dir *os.Root) error {
	c, err := object.GetCommit(objects, commit)
	if err != nil {
		return fmt.Errorf("reading commit %s: %w", commit, err)
	}
	w := writer{objects}
	return w.tree(ctx, c.TreeHash, dir)
}

type writer struct {
	objects storer.EncodedObjectStorer
}

func (w *writer) tree(ctx context.Context, hash plumbing.Hash, dir *os.Root) error {
	tree, err := object.GetTree(w.objects, hash)
	if err != nil {
		return fmt.Errorf("reading the tree of %s: %w", dir.Name(), err)
	}
	for _, entry := range tree.Entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := checkName(entry.Name); err != nil {
			return err
		}
		if err := w.entry(ctx, entry, dir); err != nil {
			return fmt.Errorf("writing %s in %s: %w", entry.Name, dir.Name(), err)
		}
	}
	return nil
}

// checkName refuses the names that git refuses: a tree made by hand can hold them.
func checkName(name string) error {
	if name == "" || name == "." || name == ".." || strings.EqualFold(name, ".git") || strings.ContainsRune(name, '/') {
		return fmt.Errorf("the commit has a file of the forbidden name %q", name)
	}
	return nil
}

func (w *writer) entry(ctx context.Context, entry object.TreeEntry, dir *os.Root) error {
	switch entry.Mode {
	case filemode.Dir:
		return w.subtree(ctx, entry, dir)
	case filemode.Submodule:
		return dir.Mkdir(entry.Name, 0o777)
	case filemode.Symlink:
		return w.symlink(entry, dir)
	case filemode.Executable:
		return w.file(entry, dir, 0o777)
	case filemode.Regular:
		return w.file(entry, dir, 0o666)
	default:
		return fmt.Errorf("unknown file mode %s", entry.Mode)
	}
}

func (w *writer) subtree(ctx context.Context, entry object.TreeEntry, dir *os.Root) error {
	if err := dir.Mkdir(entry.Name, 0o777); err != nil {
		return err
	}
	sub, err := dir.OpenRoot(entry.Name)
	if err != nil {
		return err
	}
	defer sub.Close()
	return w.tree(ctx, entry.Hash, sub)
}

func (w *writer) symlink(entry object.TreeEntry, dir *os.Root) error {
	content, err := w.open(entry.Hash)
	if err != nil {
		return err
	}
	defer content.Close()
	target, err := io.ReadAll(io.LimitReader(content, maxLinkTarget))
	if err != nil {
		return err
	}
	return dir.Symlink(string(target), entry.Name)
}

func (w *writer) file(entry object.TreeEntry, dir *os.Root, mode os.FileMode) error {
	content, err := w.open(entry.Hash)
	if err != nil {
		return err
	}
	defer content.Close()
	file, err := dir.OpenFile(entry.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, content); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

func (w *writer) open(blob plumbing.Hash) (io.ReadCloser, error) {
	content, err := w.objects.EncodedObject(plumbing.BlobObject, blob)
	if err != nil {
		return nil, err
	}
	return content.Reader()
}

// Package volume owns the directory that is shared with other containers.
//
// Below the root, everything of git-sync's own lies in .git-sync:
//
//	.git-sync/lock              held while a git-sync works on this root
//	.git-sync/objects           git objects, a cache that every start empties
//	.git-sync/worktrees/<hash>  one directory per commit, whole as long as it has this name
//	.git-sync/link              the next link, before it is renamed over the published one
//
// Only two renames make something visible: a finished tree gets its name, then the link gets its target. So a
// crash at any instant leaves the old tree published or the new one.
package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	privateDir    = ".git-sync"
	partialSuffix = ".partial"
	doomedSuffix  = ".doomed"
)

// Volume is a root directory that this process alone writes to.
type Volume struct {
	private string // absolute
	link    string // absolute
	target  string // of the link, without the hash; relative to the link's directory
	lock    *os.File
	retired map[string]time.Time // name in worktrees -> since when
}

// LinkPath returns the absolute path of link, which may be absolute or relative to root. It is an error for a
// link to lie outside the root: its relative target would be wrong wherever the volume is mounted elsewhere.
func LinkPath(root, link string) (string, error) {
	if !filepath.IsAbs(link) {
		link = filepath.Join(root, link)
	}
	inside, err := filepath.Rel(root, link)
	if err != nil {
		return "", err
	}
	if !filepath.IsLocal(inside) || inside == "." {
		return "", fmt.Errorf("%s is not inside %s", link, root)
	}
	if first, _, _ := strings.Cut(inside, string(filepath.Separator)); first == privateDir {
		return "", fmt.Errorf("%s is git-sync's own directory", privateDir)
	}
	return filepath.Clean(link), nil
}

// Open takes root, which is created if missing, and a link as LinkPath returns it. It empties the directory for git
// objects, and retires what an earlier run left unpublished.
func Open(root, link string) (*Volume, error) {
	private := filepath.Join(root, privateDir)
	v := &Volume{private: private, link: link, retired: map[string]time.Time{}}
	for _, dir := range []string{v.Worktree(""), filepath.Dir(link)} {
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, err
		}
	}
	if info, err := os.Lstat(link); err == nil && info.Mode().Type() != fs.ModeSymlink {
		return nil, fmt.Errorf("%s exists and is not a symlink: remove it or choose another link", link)
	}
	var err error
	if v.target, err = filepath.Rel(filepath.Dir(link), v.Worktree("")); err != nil {
		return nil, err
	}
	if v.lock, err = lock(filepath.Join(private, "lock")); err != nil {
		return nil, err
	}
	if err := errors.Join(os.RemoveAll(v.Objects()), v.retireLeftovers()); err != nil {
		return nil, errors.Join(err, v.Close())
	}
	return v, nil
}

func lock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = file.Close()
		return nil, fmt.Errorf("%s is held, so another git-sync works on this root: give each its own (%w)", path, err)
	}
	return file, nil
}

// Close gives the root up to the next process.
func (v *Volume) Close() error { return v.lock.Close() }

// Objects is the path of the directory for git objects.
func (v *Volume) Objects() string { return filepath.Join(v.private, "objects") }

// Worktree is the path of a commit's tree, whether it exists or not.
func (v *Volume) Worktree(hash string) string { return filepath.Join(v.private, "worktrees", hash) }

// Published returns the commit whose tree readers of the link see, or "" if there is none.
func (v *Volume) Published() string {
	target, err := os.Readlink(v.link)
	if err != nil || filepath.Dir(target) != v.target {
		return ""
	}
	if _, err := os.Stat(v.link); err != nil {
		return ""
	}
	return filepath.Base(target)
}

// Create makes the tree of a commit by having fill write it, unless it is still there. Nothing of it shows
// under its name before it is complete.
func (v *Volume) Create(hash string, fill func(*os.Root) error) error {
	if _, err := os.Stat(v.Worktree(hash)); err == nil {
		return nil
	}
	partial := v.Worktree(hash) + partialSuffix
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	err := fillDir(partial, fill)
	if err == nil {
		err = os.Rename(partial, v.Worktree(hash))
	}
	if err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	return nil
}

func fillDir(path string, fill func(*os.Root) error) error {
	if err := os.Mkdir(path, 0o777); err != nil {
		return err
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	return fill(dir)
}

// Publish points the link at the tree of a commit, in one step for every reader, and retires the tree before it.
func (v *Volume) Publish(hash string) error {
	previous := v.Published()
	next := filepath.Join(v.private, "link")
	if err := os.Remove(next); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Symlink(filepath.Join(v.target, hash), next); err != nil {
		return err
	}
	if err := os.Rename(next, v.link); err != nil {
		return err
	}
	if previous != "" {
		v.retired[previous] = time.Now()
	}
	delete(v.retired, hash)
	return nil
}

// RemoveRetired deletes the trees that have been out of sight for at least age.
func (v *Volume) RemoveRetired(age time.Duration) error {
	var failures []error
	for name, since := range v.retired {
		if time.Since(since) < age {
			continue
		}
		if err := v.remove(name); err != nil {
			failures = append(failures, err)
			continue
		}
		delete(v.retired, name)
	}
	return errors.Join(failures...)
}

// remove takes a tree's name away before its files: what has a commit's name is whole.
func (v *Volume) remove(name string) error {
	if strings.HasSuffix(name, doomedSuffix) { // by a run that did not end the removal
		return os.RemoveAll(v.Worktree(name))
	}
	doomed := v.Worktree(name + doomedSuffix)
	if err := os.Rename(v.Worktree(name), doomed); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(doomed)
}

// retireLeftovers finds the trees that an earlier run left, whole or in part. One that can't be removed, because another
// container wrote into it, is then reported like any other and keeps nobody from starting.
func (v *Volume) retireLeftovers() error {
	trees, err := os.ReadDir(v.Worktree(""))
	if err != nil {
		return err
	}
	published := v.Published()
	for _, tree := range trees {
		if tree.Name() != published {
			v.retired[tree.Name()] = time.Time{}
		}
	}
	return nil
}

// Package volume owns the directory that is shared with other containers.
//
// Below the root, everything of git-sync's own lies in .git-sync:
//
//	.git-sync/lock              held while a git-sync works on this root
//	.git-sync/git               git's configuration and its repository, a cache
//	.git-sync/worktrees/<hash>  one directory per commit, whole as long as it has this name
//	.git-sync/manifests/<hash>  how that directory was when it was made
//	.git-sync/boot              the boot of the node that the published tree was made or last read in
//	.git-sync/link              the next link, before it is renamed over the published one
//
// Only two renames make something visible: a finished tree gets its name, then the link gets its target; and all of the tree
// is on the disk before. So a crash at any instant, of the node too, leaves the old tree published or the new one.
package volume

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
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
	boot    string
	// nextCheck and checked keep the checks of the published tree to a small part of the time.
	nextCheck time.Time
	checked   string
}

// checkShare is how much longer than a check of the published tree it takes to the next one.
const checkShare = 100

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

// Open takes root, which is created if missing, and a link as LinkPath returns it. It retires what an earlier run left
// unpublished.
func Open(root, link string) (*Volume, error) {
	private := filepath.Join(root, privateDir)
	v := &Volume{private: private, link: link, retired: map[string]time.Time{}}
	// Nobody else has anything to write here, whatever the umask lets them do in the trees.
	for _, dir := range []string{v.Worktree(""), v.manifest("")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(link), 0o777); err != nil {
		return nil, err
	}
	if info, err := os.Lstat(link); err == nil && info.Mode().Type() != fs.ModeSymlink {
		return nil, fmt.Errorf("%s exists and is not a symlink: remove it or choose another link", link)
	}
	var err error
	if v.boot, err = bootID(); err != nil {
		return nil, err
	}
	if v.target, err = filepath.Rel(filepath.Dir(link), v.Worktree("")); err != nil {
		return nil, err
	}
	if v.lock, err = lock(filepath.Join(private, "lock")); err != nil {
		return nil, err
	}
	if err := v.retireLeftovers(); err != nil {
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

// Git is the path of the directory for git.
func (v *Volume) Git() string { return filepath.Join(v.private, "git") }

// Worktree is the path of a commit's tree, whether it exists or not.
func (v *Volume) Worktree(hash string) string { return filepath.Join(v.private, "worktrees", hash) }

func (v *Volume) manifest(hash string) string { return filepath.Join(v.private, "manifests", hash) }

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

// Check returns an error if the published tree is not as it was made, or was made in another form. It reads what was written
// during another boot of the node; else it looks at sizes and times, and at no file where others may write. It does so
// seldom enough to take one part of a hundred of the time.
func (v *Volume) Check(form string, writable bool) error {
	published := v.Published()
	if published == "" || form == v.checked && time.Now().Before(v.nextCheck) {
		return nil
	}
	start := time.Now()
	boot, err := os.ReadFile(v.bootFile())
	sameBoot := err == nil && string(boot) == v.boot
	depth := metadata
	switch {
	case !sameBoot:
		depth = content
	case writable:
		depth = nothing
	}
	if err := checkManifest(v.manifest(published), v.Worktree(published), form, depth); err != nil {
		v.checked = ""
		return fmt.Errorf("the published tree %s is %w", published, err)
	}
	v.checked, v.nextCheck = form, time.Now().Add(checkShare*time.Since(start))
	return v.writeBoot()
}

func (v *Volume) bootFile() string { return filepath.Join(v.private, "boot") }

func (v *Volume) writeBoot() error {
	if boot, err := os.ReadFile(v.bootFile()); err == nil && string(boot) == v.boot {
		return nil
	}
	return os.WriteFile(v.bootFile(), []byte(v.boot), 0o666)
}

// Create makes the tree of a commit by having fill write it, unless it is there as it was made. Nothing of it shows under its
// name before it is complete. It takes the place of a damaged one in one step.
func (v *Volume) Create(hash, form string, fill func(dir string) error) error {
	if checkManifest(v.manifest(hash), v.Worktree(hash), form, content) == nil {
		return nil
	}
	// A name of its own: what a process that was killed started may still write to its last one.
	partial := v.Worktree(fmt.Sprintf("%s.%08x%s", hash, rand.Uint32(), partialSuffix))
	if err := os.Mkdir(partial, 0o777); err != nil {
		return err
	}
	if err := v.build(hash, form, partial, fill); err != nil {
		return errors.Join(err, os.RemoveAll(partial))
	}
	return nil
}

func (v *Volume) build(hash, form, partial string, fill func(dir string) error) error {
	if err := fill(partial); err != nil {
		return err
	}
	if err := writeManifest(v.manifest(hash), partial, form); err != nil {
		return err
	}
	if _, err := os.Lstat(v.Worktree(hash)); err != nil {
		return os.Rename(partial, v.Worktree(hash))
	}
	if err := v.syncAll(); err != nil {
		return err
	}
	if err := exchange(partial, v.Worktree(hash)); err != nil {
		return fmt.Errorf("exchanging a damaged tree for a new one: %w", err)
	}
	// Readers may still be in the damaged one.
	v.retired[filepath.Base(partial)] = time.Now()
	return nil
}

// exchange swaps two directories in one step. A file system that can't, such as NFS, has an instant without the second.
func exchange(a, b string) error {
	err := unix.Renameat2(unix.AT_FDCWD, a, unix.AT_FDCWD, b, unix.RENAME_EXCHANGE)
	if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENOSYS) {
		return err
	}
	return errors.Join(os.Rename(b, a+".swap"), os.Rename(a, b), os.Rename(a+".swap", a))
}

// syncAll waits until all that was written to the volume is on its disk. One call is far quicker than one for each file.
func (v *Volume) syncAll() error {
	if err := unix.Syncfs(int(v.lock.Fd())); err != nil {
		return fmt.Errorf("writing the tree to the disk: %w", err)
	}
	return nil
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
	if err := v.writeBoot(); err != nil {
		return err
	}
	if err := v.syncAll(); err != nil {
		return err
	}
	if err := os.Rename(next, v.link); err != nil {
		return err
	}
	if previous != "" && previous != hash {
		v.retired[previous] = time.Now()
	}
	delete(v.retired, hash)
	return syncDir(filepath.Dir(v.link))
}

// syncDir makes the new link outlast a crash that comes after the old tree's removal.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
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
	if !isHash(name) { // one that never was whole, or is no more
		return os.RemoveAll(v.Worktree(name))
	}
	doomed := v.Worktree(name + doomedSuffix)
	if err := os.Rename(v.Worktree(name), doomed); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := os.Remove(v.manifest(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.RemoveAll(doomed)
}

func isHash(name string) bool { return !strings.Contains(name, ".") }

// retireLeftovers finds the trees that an earlier run left, whole or in part. Readers may still be in a whole one: it was
// published until the link was made that is there now, or was before that. One that can't be removed, because another
// container wrote into it, is reported like any other and keeps nobody from starting.
func (v *Volume) retireLeftovers() error {
	trees, err := os.ReadDir(v.Worktree(""))
	if err != nil {
		return err
	}
	published := v.Published()
	if err := v.removeManifests(trees); err != nil {
		return err
	}
	var flipped time.Time
	if info, err := os.Lstat(v.link); err == nil && published != "" {
		flipped = info.ModTime()
	}
	for _, tree := range trees {
		switch {
		case tree.Name() == published:
		case isHash(tree.Name()):
			v.retired[tree.Name()] = flipped
		default:
			v.retired[tree.Name()] = time.Time{}
		}
	}
	return nil
}

// removeManifests removes those of trees that are gone.
func (v *Volume) removeManifests(trees []os.DirEntry) error {
	manifests, err := os.ReadDir(v.manifest(""))
	if err != nil {
		return err
	}
	var failures []error
	for _, m := range manifests {
		if !slices.ContainsFunc(trees, func(tree os.DirEntry) bool { return tree.Name() == m.Name() }) {
			failures = append(failures, os.Remove(v.manifest(m.Name())))
		}
	}
	return errors.Join(failures...)
}

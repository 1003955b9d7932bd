package tail

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"
)

const (
	// listPeriod is the time between two looks at all names, of which there may be many.
	listPeriod = 250 * time.Millisecond
	// maxFiles is how many files of a pattern are followed at once.
	maxFiles = 64
	// maxTries bounds the search for what a link means: links may go in a circle.
	maxTries = 64
)

// entry is a file that is there.
type entry struct {
	path string
	info fs.FileInfo
}

// identity is a file's, whatever its name.
type identity struct{ device, inode uint64 }

func identify(info fs.FileInfo) identity {
	stat := info.Sys().(*syscall.Stat_t)
	return identity{uint64(stat.Dev), stat.Ino}
}

// directory is the volume, looked into and never out of.
type directory struct {
	root *os.Root
	info fs.FileInfo
	// early are the sizes of the files that were there at the first look, whether or not they could be read.
	early  map[identity]int64
	listed time.Time
	names  []string // that fitted then
}

func (d *directory) close() {
	if d.root != nil {
		_ = d.root.Close()
	}
}

// find returns the files that a path stands for.
func (d *directory) find(dir, pattern string, all bool) ([]entry, error) {
	if err := d.open(dir); err != nil {
		if d.early == nil && errors.Is(err, fs.ErrNotExist) {
			d.early = map[identity]int64{}
		}
		return nil, err
	}
	found, err := d.look(pattern)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		d.note(found)
	}
	if err != nil || len(found) <= 1 {
		return found, err
	}
	if all {
		return found[max(0, len(found)-maxFiles):], nil
	}
	return found[len(found)-1:], nil
}

// note keeps the sizes of the files that are there at the first look, as long as they are there.
func (d *directory) note(found []entry) {
	switch {
	case d.early == nil:
		d.early = map[identity]int64{}
		for _, one := range found {
			d.early[identify(one.info)] = one.info.Size()
		}
		return
	case len(d.early) == 0:
		return
	}
	there := map[identity]bool{}
	for _, one := range found {
		there[identify(one.info)] = true
	}
	maps.DeleteFunc(d.early, func(id identity, _ int64) bool { return !there[id] })
}

// open opens the directory, anew when another one has taken its place.
func (d *directory) open(dir string) error {
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if d.root != nil && os.SameFile(info, d.info) {
		return nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	d.close()
	d.root, d.info, d.listed = root, info, time.Time{}
	return nil
}

// look returns what fits, the newest last.
func (d *directory) look(pattern string) ([]entry, error) {
	if !strings.ContainsAny(pattern, "*?[") {
		one, err := d.stat(pattern)
		if err != nil {
			return nil, err
		}
		return []entry{one}, nil
	}
	if time.Since(d.listed) > listPeriod {
		names, err := fs.Glob(d.root.FS(), pattern)
		if err != nil {
			return nil, err
		}
		d.names, d.listed = names, time.Now()
	}
	var found []entry
	for _, name := range d.names {
		if one, err := d.stat(name); err == nil && one.info.Mode().IsRegular() {
			found = append(found, one)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no file fits %s: %w", pattern, fs.ErrNotExist)
	}
	slices.SortFunc(found, func(a, b entry) int {
		return cmp.Or(a.info.ModTime().Compare(b.info.ModTime()), strings.Compare(a.path, b.path))
	})
	return found, nil
}

func (d *directory) stat(name string) (entry, error) {
	info, err := d.root.Stat(name)
	if err == nil {
		return entry{name, info}, nil
	}
	tries := maxTries
	if inside := d.inside(name, &tries); inside != "" {
		if info, linkErr := d.root.Stat(inside); linkErr == nil {
			return entry{inside, info}, nil
		}
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return entry{}, err
	}
	return entry{}, fmt.Errorf("%s leads to no file in the volume: %w", name, fs.ErrNotExist)
}

// inside resolves a symbolic link that the application wrote with an absolute target: it has the volume mounted elsewhere.
// What is in the volume is the longest end of the target that leads to a file.
func (d *directory) inside(name string, tries *int) string {
	parts := strings.Split(name, "/")
	for i := range parts {
		target, err := d.root.Readlink(path.Join(parts[:i+1]...))
		if err != nil {
			continue
		}
		if !path.IsAbs(target) {
			return ""
		}
		rest := path.Join(parts[i+1:]...)
		for end := strings.TrimPrefix(path.Clean(target), "/"); end != ""; _, end, _ = strings.Cut(end, "/") {
			if *tries--; *tries < 0 {
				return ""
			}
			next := path.Join(end, rest)
			if _, err := d.root.Stat(next); err == nil {
				return next
			}
			if further := d.inside(next, tries); further != "" {
				return further
			}
		}
		return ""
	}
	return ""
}

// Package volumetest writes files as the kubelet writes those of ConfigMaps and Secrets.
package volumetest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Volume is a directory whose files are links through ..data, which is exchanged with each change.
type Volume struct {
	t        testing.TB
	versions int
	files    map[string]string

	Directory string
}

// New makes one that is empty.
func New(t testing.TB) *Volume {
	t.Helper()
	return &Volume{t: t, Directory: t.TempDir(), files: map[string]string{}}
}

// Set gives files their contents, all at once: path, content, path, content and so on. Others stay.
func (v *Volume) Set(pairs ...string) {
	v.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		v.files[pairs[i]] = pairs[i+1]
	}
	v.versions++
	version := fmt.Sprintf("..version_%d", v.versions)
	for path, content := range v.files {
		file := filepath.Join(v.Directory, version, path)
		v.must(os.MkdirAll(filepath.Dir(file), 0o755))
		v.must(os.WriteFile(file, []byte(content), 0o644))
	}
	data := filepath.Join(v.Directory, "..data")
	v.must(os.Symlink(version, data+"_tmp"))
	v.must(os.Rename(data+"_tmp", data))
	for path := range v.files {
		first, _, _ := strings.Cut(path, "/")
		if link := filepath.Join(v.Directory, first); !exists(link) {
			v.must(os.Symlink(filepath.Join("..data", first), link))
		}
	}
	if v.versions > 1 {
		v.must(os.RemoveAll(filepath.Join(v.Directory, fmt.Sprintf("..version_%d", v.versions-1))))
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func (v *Volume) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

package config

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"time"
)

// pollEvery is how often the files are read. ConfigMap and Secret volumes swap symlinks, and kubelet takes a minute to
// do it: reading is simpler than notification, and misses nothing.
const pollEvery = time.Second

// File is a configuration that may change.
type File struct {
	Path       string
	SecretsDir string
	last       [sha256.Size]byte // of what was read last: the file and the Secrets' values
}

// Read reads the file. changed tells whether it, or a Secret that it names, differs from the last time.
func (f *File) Read() (c Config, changed bool, err error) {
	var read strings.Builder
	content, err := os.ReadFile(f.Path)
	if err != nil {
		err = fmt.Errorf("--config: %w", err)
	} else {
		c, err = parse(content, secrets{f.SecretsDir, &read})
	}
	fmt.Fprintf(&read, "%q %v", content, err)
	sum := sha256.Sum256([]byte(read.String()))
	changed = sum != f.last
	f.last = sum
	return c, changed, err
}

// Watch calls apply with each change until ctx ends. What apply refuses is tried again: the reason may go away.
func (f *File) Watch(ctx context.Context, apply func(Config, error) error) {
	again := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pollEvery):
		}
		if c, changed, err := f.Read(); changed || again {
			again = apply(c, err) != nil && err == nil
		}
	}
}

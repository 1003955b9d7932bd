package config

import (
	"context"
	"fmt"
	"os"
	"strings"

	"podpatterns.dev/helpers/internal/configfile"
)

// File is a configuration that may change.
type File struct {
	Path       string
	SecretsDir string
	seen       configfile.Seen // the file and the Secrets' values
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
	return c, f.seen.Changed([]byte(read.String())), err
}

// Watch calls apply with each change until ctx ends. What apply refuses is tried again: the reason may go away.
func (f *File) Watch(ctx context.Context, apply func(Config, error) error) {
	again := false
	configfile.Each(ctx, func() {
		if c, changed, err := f.Read(); changed || again {
			again = apply(c, err) != nil && err == nil
		}
	})
}

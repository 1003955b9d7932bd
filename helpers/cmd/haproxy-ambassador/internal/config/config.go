// Package config reads HAProxy's configuration as it lies in the Pod, with the files that it speaks of.
package config

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"podpatterns.dev/helpers/internal/configfile"
)

// File is a configuration as it was read.
type File struct {
	Text string
	// Hash is of the text alone: the one that the operator tells in the object's status.
	Hash string
	// State is a hash of the text and of all that lies beside it. A renewed certificate authority calls for a
	// reload too.
	State string
}

// Read gives the configuration at path with the state of its directory.
func Read(path string) (File, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, err
	}
	state := sha256.New()
	if err := hashTree(state, filepath.Dir(path)); err != nil {
		return File{}, err
	}
	return File{string(text), configfile.Hash(text), hex.EncodeToString(state.Sum(nil))}, nil
}

// hashTree follows symbolic links: a volume of Kubernetes consists of them.
func hashTree(state io.Writer, directory string) error {
	entries, err := os.ReadDir(directory)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		// ..data and the like are where the links lead; what they hold is seen through the links.
		if strings.HasPrefix(entry.Name(), "..") {
			continue
		}
		path := filepath.Join(directory, entry.Name())
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		if info.IsDir() {
			err = hashTree(state, path)
		} else if info.Mode().IsRegular() {
			err = hashFile(state, path, info)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func hashFile(state io.Writer, path string, info fs.FileInfo) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(state, "%q %d\n%s", path, info.Size(), content)
	return err
}

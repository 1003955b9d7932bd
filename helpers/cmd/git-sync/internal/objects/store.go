// Package objects keeps the git objects that later fetches build on.
//
// The store is a cache and nothing more: what is published never depends on it, so whoever doubts it, or finds
// it too large, discards it and the next fetch starts over.
package objects

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/go-git/go-billy/v5/osfs"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

const (
	// maxFetches bounds what many small changes leave.
	maxFetches = 64
	// maxGrowth bounds what large changes leave, as a multiple of the first fetch.
	maxGrowth = 2
	// cacheSize is for trees and delta bases; content is streamed from the packs.
	cacheSize = 4 << 20
	// largeObject is the size in bytes from which a file is streamed rather than held in memory.
	largeObject = 1 << 20
)

// Store is a directory of objects, together with what a server must know of them to send only what is missing.
type Store struct {
	dir       string
	haves     []plumbing.Hash
	shallows  []plumbing.Hash
	fetches   int
	firstSize int64
}

// New returns a store in dir, which must not exist or be empty.
func New(dir string) *Store { return &Store{dir: dir} }

// Haves returns the tips of the last fetch.
func (s *Store) Haves() []plumbing.Hash { return slices.Clone(s.haves) }

// Shallows returns the commits whose parents are missing here.
func (s *Store) Shallows() []plumbing.Hash { return slices.Clone(s.shallows) }

// Open returns the objects for reading. Indexes are read anew, so that none stay in memory between syncs.
func (s *Store) Open() storer.EncodedObjectStorer {
	// The interface alone: to a filesystem.Storage, go-git's parser would write with a file open for each object.
	return struct{ storer.EncodedObjectStorer }{s.storage()}
}

func (s *Store) storage() *filesystem.Storage {
	options := filesystem.Options{ExclusiveAccess: true, LargeObjectThreshold: largeObject}
	return filesystem.NewStorageWithOptions(osfs.New(s.dir), cache.NewObjectLRU(cacheSize), options)
}

// Add stores the pack that a server sent for the wanted objects, knowing what the store told it.
func (s *Store) Add(wants []plumbing.Hash, shallow packp.ShallowUpdate, pack io.Reader) error {
	if err := s.write(pack); err != nil && !errors.Is(err, packfile.ErrEmptyPackfile) {
		return fmt.Errorf("storing the pack: %w", err)
	}
	s.haves = slices.Clone(wants)
	s.shallows = slices.DeleteFunc(append(s.shallows, shallow.Shallows...), func(h plumbing.Hash) bool {
		return slices.Contains(shallow.Unshallows, h)
	})
	s.fetches++
	if s.fetches > 1 {
		return nil
	}
	size, err := s.Size()
	s.firstSize = size
	return err
}

// write keeps the first pack as it is. A later one may be thin, which is to say that it has deltas against what is here
// already, and go-git can't keep those; its objects are stored one by one.
func (s *Store) write(pack io.Reader) error {
	if s.fetches == 0 {
		return packfile.WritePackfileToObjectStorage(s.storage(), pack)
	}
	parser, err := packfile.NewParserWithStorage(packfile.NewScanner(pack), s.Open())
	if err != nil {
		return err
	}
	_, err = parser.Parse()
	return err
}

// Peel returns the commit that hash is, or that the tag hash is of.
func Peel(store storer.EncodedObjectStorer, hash plumbing.Hash) (plumbing.Hash, error) {
	for {
		found, err := store.EncodedObject(plumbing.AnyObject, hash)
		if err != nil {
			return plumbing.ZeroHash, err
		}
		switch found.Type() {
		case plumbing.CommitObject:
			return hash, nil
		case plumbing.TagObject:
			tag, err := object.DecodeTag(store, found)
			if err != nil {
				return plumbing.ZeroHash, err
			}
			hash = tag.Target
		default:
			return plumbing.ZeroHash, fmt.Errorf("%s is a %s, not a commit", hash, found.Type())
		}
	}
}

// Trim discards the store if it has outgrown its bounds.
func (s *Store) Trim() error {
	size, err := s.Size()
	if err != nil {
		return err
	}
	if s.fetches < maxFetches && size <= maxGrowth*s.firstSize {
		return nil
	}
	return s.Discard()
}

// Discard empties the store.
func (s *Store) Discard() error {
	*s = Store{dir: s.dir}
	return os.RemoveAll(s.dir)
}

// Size returns the bytes on disk.
func (s *Store) Size() (int64, error) {
	var size int64
	err := filepath.WalkDir(s.dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		size += info.Size()
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	return size, err
}

package remote

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
)

// Target is what a ref stands for at the moment.
type Target struct {
	// Object is what to ask the server for: a commit, or an annotated tag.
	Object plumbing.Hash
	// Commit is the commit to publish.
	Commit plumbing.Hash
}

// Pinned returns the target of a ref that is a full hash, and whether it is one. It can never change.
func Pinned(ref string) (Target, bool) {
	if !plumbing.IsHash(ref) {
		return Target{}, false
	}
	hash := plumbing.NewHash(ref)
	return Target{Object: hash, Commit: hash}, true
}

// resolve looks a ref up in git's own order: as it stands, then as a tag, then as a branch.
func resolve(ref string, refs *packp.AdvRefs) (Target, error) {
	if target, ok := Pinned(ref); ok {
		return target, nil
	}
	if ref == plumbing.HEAD.String() {
		if refs.Head == nil { // it names a branch that is not there, whatever others are
			return Target{}, ErrEmpty
		}
		return Target{Object: *refs.Head, Commit: *refs.Head}, nil
	}
	for _, name := range []string{ref, "refs/" + ref, "refs/tags/" + ref, "refs/heads/" + ref} {
		hash, ok := refs.References[name]
		if !ok {
			continue
		}
		if commit, ok := refs.Peeled[name]; ok {
			return Target{Object: hash, Commit: commit}, nil
		}
		return Target{Object: hash, Commit: hash}, nil
	}
	return Target{}, fmt.Errorf("the repository has no branch or tag %q (a commit is named by its 40 hexadecimal digits)", ref)
}

// tips returns every branch and tag.
func tips(refs *packp.AdvRefs) []plumbing.Hash {
	var hashes []plumbing.Hash
	for name, hash := range refs.References {
		if strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/") {
			hashes = append(hashes, hash)
		}
	}
	plumbing.HashesSort(hashes)
	return slices.Compact(hashes)
}

// advertised tells whether the server itself named the object, which any server then also sends.
func advertised(hash plumbing.Hash, refs *packp.AdvRefs) bool {
	if refs.Head != nil && *refs.Head == hash {
		return true
	}
	return slices.Contains(slices.Collect(maps.Values(refs.References)), hash)
}

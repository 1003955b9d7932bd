package git

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	// ErrEmpty says that the repository exists and has no commit yet.
	ErrEmpty = errors.New("no commit yet")
	// ErrUnreachable says that a commit is in no branch and no tag.
	ErrUnreachable = errors.New("no branch or tag of the repository reaches the commit")

	fullHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

const (
	// target is the ref that holds what was fetched last, so that the next fetch needs no more than the difference.
	target = "refs/git-sync/target"
	// everything as a depth is all of the history, for a store that has it or not.
	everything = "2147483647"
	// notThere is what git says of a ref that the repository lacks.
	notThere = "couldn't find remote ref"
	// named is how many branches an error names.
	named = 5
)

// Pinned tells whether a ref is a full hash, which can never stand for anything else.
func Pinned(ref string) bool { return fullHash.MatchString(ref) }

// fetchRef brings into the store what a branch, tag, full ref name, "HEAD" or full hash stands for, and returns the commit.
// Git looks a name up in its own order: as it stands, then as a tag, then as a branch.
func (s *Store) fetchRef(ctx context.Context, ref string) (string, error) {
	var options []string
	if s.Depth > 0 {
		options = append(options, "--depth="+strconv.Itoa(s.Depth))
	}
	err := s.fetch(ctx, options, "+"+ref+":"+target)
	if says(err, notThere) {
		names, listErr := s.names(ctx)
		if listErr != nil {
			return "", listErr
		}
		// A first push may have come in between.
		if err = s.fetch(ctx, options, "+"+ref+":"+target); says(err, notThere) {
			return "", missing(ref, names)
		}
	}
	switch {
	case err == nil:
		return s.git.line(ctx, s.at(), "rev-parse", "--verify", target+"^{commit}")
	case Pinned(ref) && says(err, "not our ref", "unadvertised object"):
		return s.fetchAll(ctx, ref)
	}
	return "", err
}

func (s *Store) fetch(ctx context.Context, options []string, refspecs ...string) error {
	arguments := []string{
		"fetch", "--quiet", "--force", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance",
		"--update-shallow",
	}
	if s.Filter != "" {
		options = append(options, "--filter="+s.Filter)
	}
	arguments = append(append(append(arguments, options...), "origin"), refspecs...)
	return s.git.run(ctx, s.at(), nil, arguments...)
}

// fetchAll is for a server that does not hand out a commit that it doesn't name: every branch and tag in full holds the commit
// if any of them reaches it.
func (s *Store) fetchAll(ctx context.Context, hash string) (string, error) {
	err := s.fetch(ctx, []string{"--depth=" + everything}, "+refs/heads/*:refs/git-sync/heads/*", "+refs/tags/*:refs/git-sync/tags/*")
	if err != nil {
		return "", err
	}
	commit, err := s.git.line(ctx, s.at(), "rev-parse", "--verify", hash+"^{commit}")
	if err != nil {
		return "", fmt.Errorf("%w %s", ErrUnreachable, hash)
	}
	return commit, nil
}

// names returns the repository's branches and tags, or many of them.
func (s *Store) names(ctx context.Context) ([]string, error) {
	var listed head
	if err := s.git.run(ctx, s.at(), &listed, "ls-remote", "--quiet", "--heads", "--tags", "--refs", "origin"); err != nil {
		return nil, err
	}
	var names []string
	for line := range strings.Lines(string(listed)) {
		_, name, _ := strings.Cut(strings.TrimSpace(line), "\t")
		names = append(names, strings.TrimPrefix(strings.TrimPrefix(name, "refs/heads/"), "refs/tags/"))
	}
	return names, nil
}

// missing says why there is no such ref.
func missing(ref string, names []string) error {
	if len(names) == 0 {
		return ErrEmpty
	}
	there := strings.Join(names[:min(named, len(names))], ", ")
	if len(names) > named {
		there += ", ..."
	}
	if ref == "HEAD" {
		return fmt.Errorf("the repository's HEAD names a branch that it doesn't have: name one by --ref, or mend HEAD (there are: %s)", there)
	}
	return fmt.Errorf("the repository has no branch or tag %q (there are: %s); a commit is named by its full hash of 40 digits", ref, there)
}

// Package remote talks to the git server.
package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"podpatterns.dev/helpers/cmd/git-sync/internal/objects"
)

// ErrEmpty says that the repository exists and has no commit yet, at least none on its default branch if that is wanted.
var ErrEmpty = errors.New("no commit yet")

func init() {
	// go-git keeps thin packs from being asked for, because most of it can't read them; our store can. Without them
	// a server sends a shallow client the whole tree at every change.
	transport.UnsupportedCapabilities = slices.DeleteFunc(transport.UnsupportedCapabilities,
		func(c capability.Capability) bool { return c == capability.ThinPack })
}

// Session is one conversation with the server: it has told its refs, and may be asked once for objects.
type Session struct {
	pack       transport.UploadPackSession
	refs       *packp.AdvRefs
	secrets    []string
	disconnect func()
}

// Open connects and learns the refs. Its errors, and those of the session, hold no credential.
// The session ends with ctx at the latest.
func Open(ctx context.Context, repository Repository, credentials Credentials) (*Session, error) {
	session, err := connect(ctx, repository, credentials)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", repository, err)
	}
	session.refs, err = session.pack.AdvertisedReferencesContext(ctx)
	if err == nil {
		return session, nil
	}
	session.Close()
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		err = ErrEmpty
	}
	return nil, redact(fmt.Errorf("listing the refs of %s: %w", repository, err), session.secrets)
}

func connect(ctx context.Context, repository Repository, credentials Credentials) (*Session, error) {
	if repository.IsSSH() {
		return openSSH(ctx, repository, credentials)
	}
	return openHTTP(repository, credentials)
}

// Close ends the conversation. What the server says to that changes nothing.
func (s *Session) Close() {
	_ = s.pack.Close()
	s.disconnect()
}

// Resolve returns what a branch, tag, full ref name, "HEAD" or full hash stands for.
func (s *Session) Resolve(ref string) (Target, error) { return resolve(ref, s.refs) }

// Fetch brings a target into the store, with depth commits of its history (0: all). A server that does not hand out
// an unadvertised commit is asked for every branch and tag in full, which holds the commit if any of them reaches it.
func (s *Session) Fetch(ctx context.Context, target Target, depth int, store *objects.Store) error {
	request, err := s.request()
	if err != nil {
		return err
	}
	request.Wants = []plumbing.Hash{target.Object}
	if !advertised(target.Object, s.refs) && !s.refs.Capabilities.Supports(capability.AllowReachableSHA1InWant) {
		request.Wants = tips(s.refs)
		depth = 0
	}
	request.Haves = store.Haves()
	if request.Capabilities.Supports(capability.Shallow) {
		request.Depth = packp.DepthCommits(depth)
		request.Shallows = store.Shallows()
	}
	response, err := s.pack.UploadPack(ctx, request)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) {
		return nil
	}
	if err != nil {
		return redact(fmt.Errorf("fetching %s: %w", target.Object, err), s.secrets)
	}
	defer response.Close()
	return redact(store.Add(request.Wants, response.ShallowUpdate, demultiplex(request.Capabilities, response)), s.secrets)
}

// request returns one that wants nothing yet, with those capabilities that both sides have.
func (s *Session) request() (*packp.UploadPackRequest, error) {
	request := packp.NewUploadPackRequestFromCapabilities(s.refs.Capabilities)
	for _, c := range []capability.Capability{capability.Shallow, capability.NoProgress} {
		if !s.refs.Capabilities.Supports(c) {
			continue
		}
		if err := request.Capabilities.Set(c); err != nil {
			return nil, err
		}
	}
	return request, nil
}

// demultiplex returns the pack alone where the server mixes it with progress and errors.
func demultiplex(capabilities *capability.List, response io.Reader) io.Reader {
	switch {
	case capabilities.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, response)
	case capabilities.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, response)
	default:
		return response
	}
}

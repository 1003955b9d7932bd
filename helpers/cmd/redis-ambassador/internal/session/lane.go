package session

import (
	"errors"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// lane is a session's links of one kind: connections of its own, or parts in trunks.
type lane struct {
	primary, reads *link
	readsFor       *topology.Snapshot // when reads was last found fit
}

// links are those that there are.
func (p *lane) links(yield func(*link) bool) {
	if p.primary != nil && !yield(p.primary) {
		return
	}
	if p.reads != nil {
		yield(p.reads)
	}
}

func (p *lane) drop() {
	for l := range p.links {
		l.drop()
	}
	*p = lane{}
}

func (p *lane) dropReads() {
	if p.reads != nil {
		p.reads.drop()
		p.reads = nil
	}
}

// choose decides whether a command goes over a trunk, and finds the link. What is owed over a trunk is all that is
// owed: a trunk would have to wait for the rest. So a client whose pipelines go to several servers, or hold what is
// nobody else's business, has its own connections from then on; one with large replies as well, that hold up others.
func (s *Session) choose(shareable bool, link func(*lane) (*link, error)) (*link, error) {
	s.alone = s.alone || s.bulky.Load() || s.shared.apart.Load()
	if shareable && !s.alone && (s.over != nil || s.idle()) {
		l, err := link(&s.common)
		idle := s.idle()
		switch {
		case errors.Is(err, errRefused): // such as a password that was changed since the client logged in
			s.alone = true
		case l == nil || err != nil:
			return nil, err
		case (s.over == l || idle) && l.enter(!idle):
			s.over = l
			s.leaveSetup()
			return l, nil
		}
	}
	return s.chooseOwn(link)
}

// chooseOwn finds the link to a server that is the session's own.
func (s *Session) chooseOwn(link func(*lane) (*link, error)) (*link, error) {
	if s.over != nil && !s.idle() {
		s.alone = true
	}
	if err := s.settleTrunk(nil); err != nil {
		return nil, err
	}
	if s.alone {
		for l := range s.common.links {
			s.leave(l)
		}
		s.common = lane{}
	}
	return link(&s.own)
}

// settleTrunk waits until nothing is owed over a trunk but the next one that is used, nil for none.
func (s *Session) settleTrunk(next *link) error {
	if s.over != nil && s.over != next && !s.idle() {
		if err := s.drained(); err != nil {
			return err
		}
	}
	s.over = next
	return nil
}

// leaveSetup gives up the connection over which the client has set up what the trunks have as well.
func (s *Session) leaveSetup() {
	if l := s.own.primary; l != nil && l.onlySetup {
		l.drop()
		s.own.primary = nil
	}
}

// withdraw gives up what a session that is over has let into trunks and not sent.
func (s *Session) withdraw() {
	for l := range s.common.links {
		l.withdraw()
	}
}

// idle tells whether the client has got every reply that it has asked a server for.
func (s *Session) idle() bool { return s.asked == s.answers.Load() }

// ownPrimary is the session's own link to the primary.
func (s *Session) ownPrimary() (*link, error) { return s.chooseOwn(s.primaryLink) }

package session

import (
	"time"

	"podpatterns.dev/redis-ambassador/internal/resp"
	"podpatterns.dev/redis-ambassador/internal/routing"
)

// route decides where a command goes, and expects its replies. Without a link the command isn't sent.
func (s *Session) route(c resp.Command) (*link, error) {
	kind := s.shared.Monitor.Commands().Of(c.Args)
	if s.pipe != nil {
		return s.routePiped(kind)
	}
	switch kind {
	case routing.Reset:
		return nil, s.reset()
	case routing.Quit:
		s.reply("+OK")
		return nil, errQuit
	case routing.Refused:
		s.reply("-ERR an ambassador doesn't replicate; connect with the server itself")
		return nil, nil
	case routing.Read:
		if !s.pinned() {
			return s.routeRead()
		}
		s.counts.pinned++
		return s.toPrimary(expectation{n: 1})
	case routing.Write:
		s.counts.writes++
		s.writesSent++
		return s.toPrimary(expectation{n: 1, writes: 1})
	}
	s.counts.pinned++
	switch kind {
	case routing.Pipe:
		return s.toPipe()
	case routing.Setup:
		return s.routeSetup(c)
	case routing.Blocks, routing.Waits:
		if kind == routing.Waits {
			if err := s.waits(); err != nil {
				return nil, err
			}
		}
		s.writesSent++
		l, err := s.toPrimary(expectation{n: 1, writes: 1, blocks: !s.multi})
		if l != nil {
			s.blocking = s.writesSent
		}
		return l, err
	}
	return s.routeTransaction(kind)
}

// routeTransaction takes what MULTI and WATCH are about. Inside a transaction WATCH is an error and UNWATCH is queued;
// EXEC and DISCARD end the watching only where they end a transaction (multi.c).
func (s *Session) routeTransaction(kind routing.Kind) (*link, error) {
	e := expectation{n: 1}
	if err := s.settleReads(); err != nil {
		return nil, err
	}
	l, err := s.primaryLink()
	if err != nil || l == nil {
		if kind == routing.Multi || kind == routing.Watch {
			return nil, s.unavailableForGood(err)
		}
		return nil, s.unavailable(err)
	}
	switch kind {
	case routing.Multi:
		s.multi = true
	case routing.Exec:
		e.writes = 1
		s.writesSent++
		s.leaveTransaction()
	case routing.Discard:
		s.leaveTransaction()
	case routing.Watch:
		s.watch = true
	case routing.Unwatch:
		s.watch = s.watch && s.multi
	}
	s.held.Store(s.multi || s.watch)
	return s.owed(l, e), nil
}

func (s *Session) leaveTransaction() {
	if s.multi {
		s.multi, s.watch = false, false
	}
}

// pinned tells whether reads have to go to the primary: inside a transaction or a watch; while a command is under way
// that changes what the connection is, or that waits, for what it waits for may be what is to be read; and, where reads
// are to see the client's writes, during a write and for a while after it.
func (s *Session) pinned() bool {
	if s.multi || s.watch || s.setupsSent != s.setupsAnswered.Load() || s.writesAnswered.Load() < s.blocking {
		return true
	}
	policy := s.shared.Policy.Load()
	if policy.Read == ReadPrimary || s.ordered+len(s.batch) > maxTurns {
		return true
	}
	if policy.AfterWrite == 0 || s.writesSent == 0 {
		return false
	}
	return s.writesSent != s.writesAnswered.Load() ||
		time.Since(epoch)-time.Duration(s.lastWrite.Load()) < policy.AfterWrite
}

func (s *Session) routeRead() (*link, error) {
	l, err := s.readLink()
	if err != nil {
		return nil, err
	}
	if l != nil {
		s.counts.reads++
		s.readsOut = true
		return s.owed(l, expectation{n: 1}), nil
	}
	if s.shared.Policy.Load().Read == ReadReplica {
		s.shared.Metrics.Unavailable.Add(1)
		s.reply("-NOREPLICAS no replica of " + s.shared.Name + " can be read from now; the command was not sent")
		return nil, nil
	}
	s.counts.reads++
	return s.toPrimary(expectation{n: 1})
}

// routeSetup sends what changes the connection to the primary. When it has succeeded there, other links get it before
// their next use.
func (s *Session) routeSetup(c resp.Command) (*link, error) {
	if s.multi {
		return s.toPipe() // whether it is carried out is decided by EXEC
	}
	if !c.Complete || c.Count > len(c.Args) {
		return nil, resp.ProtocolError("too many or too large arguments")
	}
	commands := setupCommands(c.Args)
	l, err := s.primaryLink()
	if err != nil || l == nil {
		return nil, s.unavailableForGood(err)
	}
	s.setupsSent++
	return s.owed(l, expectation{n: 1, then: func(reply []byte) {
		if reply[0] != '-' && len(commands) > 0 {
			s.setup.change(commands)
			l.version = s.setup.version
		}
		s.setupsAnswered.Add(1)
	}}), nil
}

// waits ends a session that asks whether replicas have its writes when not all of them went over the connection that is
// asked. A server counts those of one connection only (redis.io: WAIT): the new primary of a failover would say yes to
// writes that died with the old one.
func (s *Session) waits() error {
	l, err := s.primaryLink()
	if err == nil && (s.strayed || s.wrote != nil && s.wrote != l) {
		s.shared.Metrics.Broken.Add(1)
		return errClosed
	}
	return nil
}

// settleReads waits, where reads are to see the client's writes, for reads on a replica: they must not see a write that
// was sent after them.
func (s *Session) settleReads() error {
	if !s.readsOut || s.shared.Policy.Load().AfterWrite == 0 {
		return nil
	}
	s.readsOut = false
	return s.drained()
}

func (s *Session) toPrimary(e expectation) (*link, error) {
	if e.writes > 0 {
		if err := s.settleReads(); err != nil {
			return nil, err
		}
	}
	l, err := s.primaryLink()
	if err != nil || l == nil {
		s.writesSent -= e.writes
		return nil, s.unavailable(err)
	}
	return s.owed(l, e), nil
}

// owed expects a reply from a link.
func (s *Session) owed(l *link, e expectation) *link {
	e.from = l
	if e.writes > 0 {
		s.strayed = s.strayed || s.wrote != nil && s.wrote != l
		s.wrote = l
	}
	if last := len(s.batch) - 1; last >= 0 && e.joins(&s.batch[last]) {
		s.batch[last].join(e)
	} else {
		s.batch = append(s.batch, e)
	}
	return l
}

// unavailable replies that there is no primary. The code is what Redis itself says when it can't serve as it has no
// primary, and what clients take as "not done, may be repeated".
func (s *Session) unavailable(err error) error {
	if s.isOver(err) {
		return err
	}
	s.shared.Metrics.Unavailable.Add(1)
	s.reply("-MASTERDOWN " + s.shared.Name + " has no primary now (" + sentence(err) + "); the command was not sent")
	return nil
}

// unavailableForGood also ends the session: what follows relies on a command that was not sent.
func (s *Session) unavailableForGood(err error) error {
	if err := s.unavailable(err); err != nil {
		return err
	}
	return errQuit
}

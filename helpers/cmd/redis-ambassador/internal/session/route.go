package session

import (
	"slices"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/routing"
)

// route decides where a command goes, and expects its replies. Without a connection the command isn't sent.
func (s *Session) route(c resp.Command) (*upstreamConn, error) {
	kind, shareable := s.shared.Monitor.Commands().Of(c.Args)
	shareable = shareable && c.Complete && !c.Inline && c.Len <= smallBuffer && !s.multi && !s.watch
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
			return s.routeRead(shareable)
		}
		s.count(Pinned)
		return s.toPrimary(shareable, expectation{n: 1})
	case routing.Write:
		s.count(Write)
		s.writesSent++
		return s.toPrimary(shareable, expectation{n: 1, writes: 1})
	}
	if kind == routing.Blocks || kind == routing.Waits {
		s.count(Blocking)
		return s.routeBlocking(kind)
	}
	s.count(Pinned)
	switch kind {
	case routing.Pipe:
		return s.toPipe()
	case routing.Setup:
		return s.routeSetup(c)
	case routing.Primary:
		if err := s.settleReads(); err != nil {
			return nil, err
		}
		return s.toPrimary(shareable, expectation{n: 1})
	case routing.Scan:
		if err := s.settleReads(); err != nil {
			return nil, err
		}
		return s.routeScan(c, shareable)
	}
	return s.routeTransaction(kind)
}

// routeBlocking takes what may be answered late.
func (s *Session) routeBlocking(kind routing.Kind) (u *upstreamConn, err error) {
	s.client.insist = true // a client that is gone already must not take what comes
	s.writesSent++
	e := expectation{n: 1, writes: 1, blocks: !s.multi}
	if kind == routing.Waits {
		u, err = s.routeWait(e)
	} else {
		u, err = s.toPrimary(false, e)
	}
	if u != nil {
		s.blocking = s.writesSent
	}
	return u, err
}

// routeTransaction takes what MULTI and WATCH are about. Inside a transaction WATCH is an error and UNWATCH is queued;
// EXEC and DISCARD end the watching only where they end a transaction (multi.c).
func (s *Session) routeTransaction(kind routing.Kind) (*upstreamConn, error) {
	e := expectation{n: 1}
	if err := s.settleReads(); err != nil {
		return nil, err
	}
	u, err := s.ownPrimary()
	if err != nil || u == nil {
		if kind == routing.Multi || kind == routing.Watch {
			return nil, s.unavailableForGood(err)
		}
		return nil, s.unavailable(err)
	}
	switch kind {
	case routing.Multi:
		last := s.lastWritten()
		s.multi, s.unheard = true, last != nil && !last.carrier.exclusive()
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
	return s.expectFrom(u, e), nil
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
	if policy.Causal {
		return s.pinnedCausally()
	}
	if s.causal.meant != nil {
		s.causal.meant = nil
	}
	if policy.AfterWrite == 0 || s.writesSent == 0 {
		return false
	}
	return s.writesSent != s.writesAnswered.Load() ||
		time.Since(epoch)-time.Duration(s.lastWrite.Load()) < policy.AfterWrite
}

func (s *Session) routeRead(shareable bool) (*upstreamConn, error) {
	u, err := s.choose(shareable, s.readConn)
	if err != nil {
		return nil, err
	}
	if u != nil {
		s.count(Read)
		s.readsOut = true
		return s.expectFrom(u, expectation{n: 1}), nil
	}
	if s.shared.Policy.Load().Read == ReadReplica {
		s.shared.Metrics.Errors.add(unavailableError)
		s.reply("-NOREPLICAS no replica of " + s.shared.Name + " can be read from now; the command was not sent")
		return nil, nil
	}
	s.count(Read)
	return s.toPrimary(shareable, expectation{n: 1})
}

// routeSetup sends what changes the connection to the primary. When it has succeeded there, other connections get it
// before their next use.
func (s *Session) routeSetup(c resp.Command) (*upstreamConn, error) {
	if s.multi {
		return s.toPipe() // whether it is carried out is decided by EXEC
	}
	if !c.Complete || c.Count > len(c.Args) {
		return s.toPipe() // more than is kept
	}
	commands := setupCommands(c.Args)
	if u, err := s.shareSetup(c, commands); u != nil || err != nil {
		return u, err
	}
	onlySetup := s.own.primary == nil || s.own.primary.onlySetup
	u, err := s.ownPrimary()
	if err != nil || u == nil {
		return nil, s.unavailableForGood(err)
	}
	s.setupsSent++
	s.expectFrom(u, expectation{n: 1, then: func(reply []byte) {
		if reply[0] != '-' && len(commands) > 0 {
			s.setup.change(commands)
			u.version = s.setup.version
		}
		s.setupsAnswered.Add(1)
	}})
	u.onlySetup = onlySetup
	return u, nil
}

// routeWait sends what asks whether replicas have the client's writes. A server counts those of one connection only
// (redis.io: WAIT), up to its last one: that is the one that is asked, shared or not. Who has asked once may ask again,
// and has its own connections from then on.
//
// It ends a session of which a connection that had writes is lost or led elsewhere: the new primary of a failover would
// say yes to writes that died with the old one.
func (s *Session) routeWait(e expectation) (*upstreamConn, error) {
	s.alone = true
	last := s.lastWritten()
	if s.multi && s.unheard {
		// What asks this will do so again over its next connection: that has to have heard the writes.
		s.shared.apart.Store(int64(time.Since(epoch) + apartFor))
		return nil, s.breakOff()
	}
	if last == nil || last.carrier.exclusive() {
		u, err := s.toPrimary(false, e)
		if u != nil && last != nil && (s.isStrayed() || u != last) {
			return nil, s.breakOff()
		}
		return u, err
	}
	if s.isStrayed() || !last.leads(s.shared.Monitor.Snapshot().Primary) {
		return nil, s.breakOff()
	}
	if err := s.settleShared(last); err != nil {
		return nil, err
	}
	if err := s.flush(); err != nil {
		return nil, err
	}
	s.common.primary = last
	last.carrier.hold()
	return s.expectFrom(last, e), nil
}

// apartFor is how long nobody shares after a WAIT in a transaction that had to be refused.
const apartFor = 10 * time.Minute

func (s *Shared) isApart() bool {
	until := s.apart.Load()
	return until != 0 && time.Since(epoch) < time.Duration(until)
}

func (s *Session) breakOff() error {
	s.shared.Metrics.Broken.Add(1)
	return errClosed
}

// lastWritten is the connection that the last write went over.
func (s *Session) lastWritten() *upstreamConn {
	if len(s.written) == 0 {
		return nil
	}
	return s.written[len(s.written)-1]
}

// isStrayed tells whether one of the connections that had writes is lost, or led to another server than the last one.
func (s *Session) isStrayed() bool {
	return s.strayed || slices.ContainsFunc(s.written, func(u *upstreamConn) bool { return u.lost.Load() })
}

// wrote notes that a write goes over a connection.
func (s *Session) wrote(u *upstreamConn) {
	last := s.lastWritten()
	if last == u {
		return
	}
	s.strayed = last != nil && (s.isStrayed() || last.server != u.server)
	s.written = append(slices.DeleteFunc(s.written, func(old *upstreamConn) bool { return old == u || old.lost.Load() }), u)
}

// settleReads waits, where reads are to see the client's writes, for reads on a replica: they must not see a write that
// was sent after them.
func (s *Session) settleReads() error {
	if policy := s.shared.Policy.Load(); !s.readsOut || policy.AfterWrite == 0 && !policy.Causal {
		return nil
	}
	s.readsOut = false
	return s.drained()
}

func (s *Session) toPrimary(shareable bool, e expectation) (*upstreamConn, error) {
	if e.writes > 0 {
		if err := s.settleReads(); err != nil {
			return nil, err
		}
	}
	u, err := s.choose(shareable, s.primaryConn)
	if err != nil || u == nil {
		s.writesSent -= e.writes
		return nil, s.unavailable(err)
	}
	return s.expectFrom(u, e), nil
}

// expectFrom expects a reply from a connection.
func (s *Session) expectFrom(u *upstreamConn, e expectation) *upstreamConn {
	e.from = u
	s.asked++
	s.timing.last = s.class
	s.causal.toPrimary = u.isPrimary
	u.onlySetup = false
	u.carrier.expect()
	if e.writes > 0 {
		s.wrote(u)
	}
	if last := len(s.batch) - 1; last >= 0 && e.joins(&s.batch[last]) {
		s.batch[last].join(e)
	} else {
		s.batch = append(s.batch, e)
	}
	return u
}

// unavailable replies that there is no primary. The code is what Redis itself says when it can't serve as it has no
// primary, and what clients take as "not done, may be repeated".
func (s *Session) unavailable(err error) error {
	if s.isOver(err) {
		return err
	}
	s.shared.Metrics.Errors.add(unavailableError)
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

// count counts a command that is about to be sent.
func (s *Session) count(class Class) {
	s.counts[class]++
	s.class = class
}

// Package session serves one client: it sends each command to the server that it belongs to, and returns the replies
// in the order of the commands.
//
// A session has two states. Split, each command goes where its kind says (package routing). Piped, everything goes to
// the primary and everything that comes from there goes to the client: from a command on after which replies can't
// be counted, until RESET.
//
// The client's goroutine reads commands, decides and sends. Each connection to a server has a goroutine that receives
// replies and writes them to the client when the order of expectations says that it is their turn. So nothing is handed
// over between the socket it came from and the socket it goes to; what a client doesn't take in isn't read from a server,
// unless others wait for it (outputBuffer).
//
// An upstream connection is a session's way to a server. A carrier takes its commands there: a connection of the
// session's own, or its part in one that many sessions share.
package session

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

const (
	// A pipeline that changes between servers more often than this keeps to the primary, so that its order doesn't grow
	// with its length. Beyond the second bound, which only local replies can reach, the client has to read first.
	maxTurns = 1 << 10
	maxOrder = 1 << 16
)

var (
	errClosed   = errors.New("the session is over")
	errUnasked  = errors.New("the server sent a reply that nobody asked for")
	errLost     = errors.New("a connection is lost, and what was to come over it")
	errQuit     = errors.New("the client has said that it is done")
	errDraining = errors.New("the ambassador ends")
	errRefused  = errors.New("refused the connection's setup")

	epoch = time.Now()
)

// ReadPolicy tells where reads go.
type ReadPolicy string

// The read policies of the API.
const (
	ReadPrimary   ReadPolicy = "Primary"
	PreferReplica ReadPolicy = "PreferReplica"
	ReadReplica   ReadPolicy = "Replica"
)

// Policy holds the settings of sessions, which may change at any time.
type Policy struct {
	Read ReadPolicy
	// AfterWrite is how long after a write reads go to the primary; 0: reads care for no write.
	AfterWrite time.Duration
	// Causal: a replica is read from only if it has all that the client has seen.
	Causal bool
	// MaxUnread is how many bytes of replies are kept for a client that doesn't read while others, or its own next
	// commands, wait.
	MaxUnread int
}

// Shared has all that the sessions of an upstream have in common.
type Shared struct {
	Name    string
	Log     *slog.Logger
	Monitor *topology.Monitor
	Policy  atomic.Pointer[Policy]
	Metrics Metrics
	conns   sharedConns
	apart   atomic.Int64  // since epoch: until when nothing is shared, as WAIT is asked in transactions
	turn    atomic.Uint32 // which replica the next session takes

	refusals refusals
}

// Session is a client's. Serve runs it.
type Session struct {
	shared *Shared
	client *socket
	output outputBuffer

	// Of the client's goroutine.
	commands     resp.Commands
	own, common  connSet
	over         *upstreamConn    // the part in a shared connection on which all is outstanding that is; nil: it is on own ones
	alone        bool             // for good: all goes over own connections
	unshared     int              // the version of the setup, and one, with which nothing can be shared
	replica      *topology.Server // the last one that was read from
	written      []*upstreamConn  // all that writes went over, the last one last
	strayed      bool             // they don't all lead to one server
	scans        place            // where its cursors are from
	causal       causal
	unheard      bool          // the connection of the transaction has not had the last write before it
	asked        int64         // replies that were expected from servers
	pipe         *upstreamConn // in the state piped: the primary
	taken        int           // bytes of what is unread that the batch has
	batch        []expectation
	ordered      int           // length of order when it was last seen
	counts       counts        // of the batch
	class        Class         // of the last command
	tooLate      bool          // the batch has reads for a replica that is lost
	passing      bool          // a command larger than the buffer is under way
	passTo       *upstreamConn // nil: it is discarded
	unreadable   *upstreamConn // where everything goes once something could not be read
	multi, watch bool
	readsOut     bool // reads were sent to a replica
	writesSent   uint64
	blocking     uint64 // writesSent with the last command that may be answered late
	setupsSent   uint64

	timing         timing
	held           atomic.Bool // multi or watch
	bulky          atomic.Bool // replies are large
	resetting      atomic.Bool
	cursorsLost    atomic.Bool // a connection to the primary was lost
	draining       atomic.Bool
	lost           atomic.Bool // closed, but the client still gets what has come
	writesAnswered atomic.Uint64
	setupsAnswered atomic.Uint64
	lastWrite      atomic.Int64 // since epoch
	answers        atomic.Int64 // replies from servers that the client has got

	mu      sync.Mutex
	changed *sync.Cond
	order   order
	conns   []*upstreamConn
	piped   *upstreamConn
	setup   setup
	closed  bool
}

// New makes a session for a client.
func New(shared *Shared, client net.Conn) *Session {
	s := &Session{shared: shared, client: newSocket(client)}
	s.output.open(s.client)
	s.scans = s.here()
	s.changed = sync.NewCond(&s.mu)
	return s
}

// Serve serves the client until either side is done.
func (s *Session) Serve() {
	defer s.client.Close()
	defer s.Close()
	defer s.withdraw()
	s.end(s.client.each(s.consume, s.woken))
}

// consume takes in the commands that have arrived.
func (s *Session) consume() error {
	err := s.readCommands()
	if errors.As(err, new(resp.ProtocolError)) {
		return s.passUnreadable(err)
	}
	return err
}

func (s *Session) readCommands() error {
	for s.unreadable == nil {
		if s.passing {
			if err := s.pass(s.commands.Passing(s.client.unread())); err != nil || s.passing {
				return err
			}
		}
		command, err := s.commands.Next(s.client.unread()[s.taken:])
		if err != nil {
			return err
		}
		switch {
		case command.Complete:
			err = s.take(command)
		case s.taken == 0 && s.client.full():
			err = s.beginPass(command)
		default:
			if err := s.flush(); err != nil {
				return err
			}
			return s.woken()
		}
		if err != nil {
			return err
		}
	}
	return s.passAll()
}

// take takes in a command that has arrived as a whole.
func (s *Session) take(c resp.Command) error {
	if c.Count > 0 { // Redis passes over empty commands
		u, err := s.route(c)
		if err != nil {
			return err
		}
		if u != nil {
			start := s.client.start + s.taken
			u.add(start, start+c.Len)
		}
	}
	s.taken += c.Len
	return nil
}

// flush makes the replies to what was taken in expected, and sends it.
func (s *Session) flush() error {
	if err := s.expect(); err != nil {
		return err
	}
	s.beginTiming()
	for _, p := range [...]*connSet{&s.own, &s.common} {
		for u := range p.conns {
			if len(u.pieces) > 0 {
				if err := s.send(u); err != nil {
					return err
				}
			}
		}
	}
	s.client.consume(s.taken)
	s.taken = 0
	s.shared.Metrics.add(&s.counts)
	return nil
}

// send sends what waits for a connection. A replica that is lost is not the client's loss: what is outstanding there is
// repeated, by who notices the loss, unless that was before it was outstanding.
func (s *Session) send(u *upstreamConn) error {
	if !u.isPrimary && s.tooLate {
		s.tooLate = false
		u.withdraw()
		s.repeat(u)
		return nil
	}
	if err := u.send(s.client.data); err != nil {
		if u.isPrimary {
			return errClosed
		}
		u.Close()
	}
	return nil
}

// expect moves the batch's expectations into the order, before anything can be answered.
func (s *Session) expect() error {
	if len(s.batch) == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awaitOrder(maxOrder)
	defer func() { s.ordered = s.order.len() }()
	for i, e := range s.batch {
		if s.closed || e.from != nil && e.from.lost.Load() && (e.from == s.passTo || !e.from.repeatable()) {
			return errClosed
		}
		if u := e.from; u != nil {
			u.outstanding += e.n
			s.tooLate = s.tooLate || u.lost.Load()
		}
		s.order.push(e)
		s.batch[i] = expectation{}
	}
	s.batch = s.batch[:0]
	for _, u := range [...]*upstreamConn{s.own.reads, s.common.reads} {
		if u != nil {
			u.keep(s.client.data)
		}
	}
	if s.passTo != nil {
		s.passTo.kept.lacks = true
	}
	s.tellLocals()
	return nil
}

// drained waits until no reply is outstanding.
func (s *Session) drained() error {
	if err := s.flush(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.awaitOrder(1)
	if s.closed {
		return errClosed
	}
	return nil
}

// awaitOrder waits until fewer than so many expectations are there. The client need not read meanwhile. The lock is held.
func (s *Session) awaitOrder(most int) {
	if s.order.len() < most || s.closed {
		return
	}
	s.output.hurry()
	defer s.output.relax()
	for s.order.len() >= most && !s.closed {
		s.changed.Wait()
	}
}

// reply makes a local reply the next one.
func (s *Session) reply(line string) {
	s.batch = append(s.batch, expectation{local: []byte(line + "\r\n")})
}

// Recheck finds ends of connections that reading missed; call it now and then.
func (s *Session) Recheck() {
	s.client.Recheck()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, u := range s.conns {
		u.socket.Recheck()
	}
}

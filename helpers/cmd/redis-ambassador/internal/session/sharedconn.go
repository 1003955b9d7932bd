package session

import (
	"bytes"
	"errors"
	"maps"
	"runtime"
	"slices"
	"sync"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

const (
	// mostUnsent bounds the bytes of commands that wait for a server that takes none; beyond it clients wait as well.
	mostUnsent = 256 << 10
	// fewRounds bounds how often a client's goroutine sends what others have added meanwhile, before it sees to its own
	// client again.
	fewRounds = 8
)

// sharedConn is a connection to a server that sessions share: of those that have set up theirs alike, what may be sent
// between any two commands of others. The server answers in the order of the commands, so it only has to
// know whose they were. Who sends doesn't wait for the one who is sending: that one sends theirs as well, and
// many clients cost the server one connection and few system calls.
//
// It must not wait for a client while others are in line. A session has replies outstanding on one shared connection and
// nothing else, so it is always its turn; what a client doesn't take in is kept for it.
type sharedConn struct {
	key      sharedKey
	registry *sharedConns
	users    int // parts, and those who want one; guarded by the registry's lock
	socket   *socket
	replies  resp.Replies
	opened   chan struct{} // closed when it can be used, or not
	failure  error
	opening  sync.Once

	gate    admissionGate
	mu      sync.Mutex
	changed sync.Cond // there is room in out
	conns   map[*upstreamConn]struct{}
	queue   queue
	out     []byte // what is still to be sent
	spare   []byte // out's room, while the other is being sent
	sending bool
	lost    bool
}

func newSharedConn(key sharedKey, registry *sharedConns) *sharedConn {
	c := &sharedConn{key: key, registry: registry, opened: make(chan struct{}), conns: map[*upstreamConn]struct{}{}}
	c.changed.L = &c.mu
	c.gate.open()
	return c
}

// dial connects, and sets up the connection.
func (c *sharedConn) dial(shared *Shared, setups int) {
	conn, err := shared.dial(c.key.server, c.key.access)
	if err != nil {
		c.registry.forget(c)
		c.open(err)
		return
	}
	c.socket = newSocket(conn)
	c.key.server.Connected(c, c.key.isPrimary)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out, c.sending = []byte(c.key.setup), true
	if setups == 0 {
		// Of who hasn't logged in Redis takes short commands only, and ends the connection at a longer one.
		c.out, setups = resp.Append(nil, "PING"), 1
	}
	c.queue.push(outstanding{n: setups})
	go c.receive()
	c.flush(fewRounds)
}

// add makes the shared connection the carrier of u.
func (c *sharedConn) add(u *upstreamConn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return errors.New("the connection was lost")
	}
	u.carrier, u.socket = &sharedPart{sharedConn: c, conn: u}, c.socket
	c.conns[u] = struct{}{}
	return nil
}

// remove takes a session's part off. What is still outstanding for it is read and dropped.
func (c *sharedConn) remove(u *upstreamConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, u)
}

// send sends the pieces of a buffer, a batch that was let in, and expects its replies.
func (c *sharedConn) send(buffer []byte, pieces []piece, replies outstanding) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.out) > mostUnsent && !c.lost {
		c.changed.Wait()
	}
	if !c.lost {
		for _, p := range pieces {
			c.out = append(c.out, buffer[p.start:p.end]...)
		}
		c.queue.push(replies)
	}
	c.gate.leave()
	if c.sending || c.lost {
		return
	}
	c.sending = true
	c.flush(fewRounds)
}

// flush sends what waits. The lock is held on entry and on return, not while sending.
func (c *sharedConn) flush(rounds int) {
	for len(c.out) > 0 && !c.lost {
		if rounds == 0 {
			go func() {
				c.mu.Lock()
				defer c.mu.Unlock()
				c.flush(fewRounds)
			}()
			return
		}
		rounds--
		// Whoever else has something to send now adds it before it goes.
		c.mu.Unlock()
		runtime.Gosched()
		c.mu.Lock()
		out := c.out
		c.out = c.spare[:0]
		c.mu.Unlock()
		_, err := c.socket.Write(out)
		c.mu.Lock()
		c.spare = nil
		if cap(out) <= mostUnsent/4 {
			c.spare = out
		}
		c.changed.Broadcast()
		if err != nil {
			c.Close()
			break
		}
	}
	c.sending = false
}

// Close ends the connection. What waits for it learns that from receive.
func (c *sharedConn) Close() { c.socket.shutDown() }

// Owes tells whether replies are outstanding.
func (c *sharedConn) Owes() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.queue.head().n > 0
}

// Leave ends the connection if nothing is outstanding that can't be asked of another server.
func (c *sharedConn) Leave() {
	c.mu.Lock()
	conns := slices.Collect(maps.Keys(c.conns))
	between := c.replies.Between()
	c.mu.Unlock()
	if between && !slices.ContainsFunc(conns, func(u *upstreamConn) bool { return !u.replaceable() }) {
		c.Close()
	}
}

// receive passes on replies until the connection ends.
func (c *sharedConn) receive() {
	_ = c.socket.each(c.deliver, func() error { return nil })
	_ = c.socket.Close()
	c.socket.release()
	c.registry.forget(c)
	c.gate.close()
	c.mu.Lock()
	c.lost = true
	c.changed.Broadcast()
	var conns []*upstreamConn
	for u := range c.conns {
		conns = append(conns, u)
	}
	begun := c.queue.head().conn
	if c.replies.Between() {
		begun = nil
	}
	c.mu.Unlock()
	c.open(errors.New("the connection was lost"))
	for _, u := range conns {
		u.begun = u == begun
		if u.session.connLost(u) {
			go u.session.repeat(u)
		}
	}
	c.key.server.Disconnected(c)
}

// open tells those who wait for the connection that it can be used, or why it can't.
func (c *sharedConn) open(failure error) {
	c.opening.Do(func() {
		c.failure = failure
		close(c.opened)
	})
}

// deliver hands out what has been received.
func (c *sharedConn) deliver() error {
	for len(c.socket.unread()) > 0 {
		c.mu.Lock()
		head := c.queue.head()
		c.mu.Unlock()
		var answered int
		var err error
		switch {
		case head.n == 0:
			return errUnasked
		case head.conn == nil:
			answered, err = c.takeSetup(head.n)
		default:
			answered, err = head.conn.session.deliver(head.conn, &c.replies, head.n)
			if errors.Is(err, errClosed) {
				var more int
				more, err = c.discard(head.n - answered)
				answered += more
			}
		}
		if err != nil {
			return err
		}
		c.settle(answered)
	}
	return nil
}

// discard reads replies for somebody who is gone.
func (c *sharedConn) discard(most int) (ended int, err error) {
	b := c.socket.unread()
	n := 0
	for n < len(b) && ended < most {
		m, end, err := c.replies.Scan(b[n:])
		if err != nil {
			return ended, err
		}
		if n += m; end {
			ended++
		}
	}
	c.socket.consume(n)
	return ended, nil
}

// takeSetup reads replies to what has set up the connection.
func (c *sharedConn) takeSetup(most int) (ended int, err error) {
	for ended < most && len(c.socket.unread()) > 0 {
		n, err := c.discard(1)
		if err != nil {
			return ended, err
		}
		if ended += n; n > 0 && c.isRefusal(c.replies.Head()) {
			err := setupRefused(c.key.server, c.replies.Head())
			c.open(err)
			return ended, err
		}
	}
	if ended == most {
		c.open(nil)
	}
	return ended, nil
}

// isRefusal tells whether a reply says that the connection can't be set up. Without any setup only one that wants a login
// does.
func (c *sharedConn) isRefusal(reply []byte) bool {
	return reply[0] == '-' && (c.key.setup != "" || bytes.HasPrefix(reply, []byte("-NOAUTH")))
}

// settle counts replies as answered.
func (c *sharedConn) settle(replies int) {
	if replies == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.queue.settle(replies) {
		c.gate.release()
	}
}

// othersThan tells whether replies are outstanding for other clients.
func (c *sharedConn) othersThan(client *Session) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.queue.all() {
		if d.conn.session != client {
			return true
		}
	}
	return false
}

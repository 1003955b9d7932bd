package session

import (
	"errors"
	"runtime"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

const (
	// mostUnsent is how many bytes of commands wait for a server that takes none before clients wait as well.
	mostUnsent = 256 << 10
	// fewRounds is how often a client's goroutine sends what others have added meanwhile, before it sees to its own
	// client again.
	fewRounds = 8
	// patience is how long a client that doesn't take its reply may keep others from theirs.
	patience = 5 * time.Second
)

// trunk is a connection to a server that sessions share: of those that have set up theirs alike, what may be sent
// between any two commands of others. The server answers in the order of the commands, so the trunk only has to
// know whose they were. Who sends doesn't wait for the one who is sending: that one sends theirs as well, and
// many clients cost the server one connection and few system calls.
//
// A trunk must not wait for a client. A session has replies outstanding over one trunk and nothing else, so it is
// always its turn; a client that doesn't read makes the others go their own ways.
type trunk struct {
	key     trunkKey
	trunks  *trunks
	users   int // links, and those who want one; guarded by the lock of trunks
	wire    *wire
	replies resp.Replies
	opened  chan struct{} // closed when it can be used, or not
	failure error
	opening sync.Once

	gate    gate
	mu      sync.Mutex
	changed sync.Cond // there is room in out
	links   map[*link]struct{}
	queue   queue
	out     []byte // what is still to be sent
	spare   []byte // out's room, while the other is being sent
	sending bool
	lost    bool
}

func newTrunk(key trunkKey, trunks *trunks) *trunk {
	t := &trunk{key: key, trunks: trunks, opened: make(chan struct{}), links: map[*link]struct{}{}}
	t.changed.L = &t.mu
	t.gate.open()
	return t
}

// dial connects, and sets up the connection.
func (t *trunk) dial(setups int) {
	conn, err := dialApart(t.key.access, t.key.server.Addr)
	if err != nil {
		t.key.server.Look()
		t.trunks.forget(t)
		t.open(err)
		return
	}
	t.wire = newWire(conn)
	t.key.server.Linked(t, t.key.isPrimary)
	t.mu.Lock()
	defer t.mu.Unlock()
	if setups == 0 {
		t.open(nil)
	} else {
		t.queue.push(debt{n: setups})
		t.out, t.sending = []byte(t.key.setup), true
	}
	go t.receive()
	t.flush(fewRounds)
}

// add makes the link one of the trunk's.
func (t *trunk) add(l *link) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lost {
		return errors.New("the connection was lost")
	}
	l.trunk, l.wire = t, t.wire
	t.links[l] = struct{}{}
	return nil
}

// remove takes a link off. What it still owes is read and dropped.
func (t *trunk) remove(l *link) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.links, l)
}

// send sends the pieces of a buffer, a batch that was let in.
func (t *trunk) send(l *link, buffer []byte, pieces []piece) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for len(t.out) > mostUnsent && !t.lost {
		t.changed.Wait()
	}
	if !t.lost {
		for _, p := range pieces {
			t.out = append(t.out, buffer[p.start:p.end]...)
		}
		t.queue.push(debt{link: l, n: l.commands, holds: l.holds})
	}
	t.gate.leave()
	if t.sending || t.lost {
		return
	}
	t.sending = true
	t.flush(fewRounds)
}

// flush sends what waits. The lock is held on entry and on return, not while sending.
func (t *trunk) flush(rounds int) {
	for len(t.out) > 0 && !t.lost {
		if rounds == 0 {
			go func() {
				t.mu.Lock()
				defer t.mu.Unlock()
				t.flush(fewRounds)
			}()
			return
		}
		rounds--
		// Whoever else has something to send now adds it before it goes.
		t.mu.Unlock()
		runtime.Gosched()
		t.mu.Lock()
		out := t.out
		t.out = t.spare[:0]
		t.mu.Unlock()
		_, err := t.wire.Write(out)
		t.mu.Lock()
		t.spare = nil
		if cap(out) <= mostUnsent/4 {
			t.spare = out
		}
		t.changed.Broadcast()
		if err != nil {
			t.Close()
			break
		}
	}
	t.sending = false
}

// Close ends the connection. What waits for it learns that from receive.
func (t *trunk) Close() { t.wire.shutDown() }

// receive passes on replies until the connection ends.
func (t *trunk) receive() {
	_ = t.wire.each(t.deliver, func() error { return nil })
	_ = t.wire.Close()
	t.wire.release()
	t.trunks.forget(t)
	t.gate.close()
	t.mu.Lock()
	t.lost = true
	t.changed.Broadcast()
	var links []*link
	for l := range t.links {
		links = append(links, l)
	}
	begun := t.queue.head().link
	if t.replies.Between() {
		begun = nil
	}
	t.mu.Unlock()
	t.open(errors.New("the connection was lost"))
	for _, l := range links {
		l.begun = l == begun
		if l.session.linkLost(l) {
			go l.session.repeat(l)
		}
	}
	t.key.server.Unlinked(t)
}

// open tells those who wait for the trunk that it can be used, or why it can't.
func (t *trunk) open(failure error) {
	t.opening.Do(func() {
		t.failure = failure
		close(t.opened)
	})
}

// deliver hands out what has been received.
func (t *trunk) deliver() error {
	for len(t.wire.unread()) > 0 {
		t.mu.Lock()
		head := t.queue.head()
		t.mu.Unlock()
		var answered int
		var err error
		switch {
		case head.n == 0:
			return errUnasked
		case head.link == nil:
			answered, err = t.takeSetup(head.n)
		default:
			answered, err = head.link.session.deliver(head.link, &t.replies, head.n)
			if errors.Is(err, errClosed) {
				var more int
				more, err = t.discard(head.n - answered)
				answered += more
			}
		}
		if err != nil {
			return err
		}
		t.settle(answered)
	}
	return nil
}

// discard reads replies for somebody who is gone.
func (t *trunk) discard(most int) (ended int, err error) {
	b := t.wire.unread()
	n := 0
	for n < len(b) && ended < most {
		m, end, err := t.replies.Scan(b[n:])
		if err != nil {
			return ended, err
		}
		if n += m; end {
			ended++
		}
	}
	t.wire.consume(n)
	return ended, nil
}

// takeSetup reads replies to what has set up the connection.
func (t *trunk) takeSetup(most int) (ended int, err error) {
	for ended < most && len(t.wire.unread()) > 0 {
		n, err := t.discard(1)
		if err != nil {
			return ended, err
		}
		if ended += n; n > 0 && t.replies.Head()[0] == '-' {
			err := setupRefused(t.key.server, t.replies.Head())
			t.open(err)
			return ended, err
		}
	}
	if ended == most {
		t.open(nil)
	}
	return ended, nil
}

// settle counts replies as answered.
func (t *trunk) settle(replies int) {
	if replies == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.queue.settle(replies) {
		t.gate.release()
	}
}

// stall notes that a client keeps the trunk from going on, until the returned function is called: new commands don't
// get into line behind it. Who already stands there has to be patient, and the client not to be too slow.
func (t *trunk) stall(client *Session) (over func()) {
	open := t.gate.stall()
	timer := time.AfterFunc(patience, func() {
		if t.othersThan(client) {
			client.shared.Metrics.Slow.Add(1)
			client.Close()
		}
	})
	return func() {
		timer.Stop()
		open()
	}
}

// othersThan tells whether replies are outstanding for other clients.
func (t *trunk) othersThan(client *Session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, d := range t.queue.all() {
		if d.link.session != client {
			return true
		}
	}
	return false
}

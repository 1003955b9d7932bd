package relay

import (
	"encoding/binary"
	"net"
	"sync/atomic"
	"time"
)

const (
	// bufferBytes is what is read at once of either side.
	bufferBytes = 16 << 10
	// headBytes is the length of a message's type and of its length, which counts itself.
	headBytes, lengthBytes = 5, 4
	// The types of messages: of an error, and of the end of an answer.
	errorResponse, readyForQuery = 'E', 'Z'
)

// messages finds those of a server in a stream of bytes, in whatever pieces they arrive.
// https://www.postgresql.org/docs/current/protocol-overview.html#PROTOCOL-MESSAGE-CONCEPTS
type messages struct {
	head [headBytes]byte
	had  int // bytes of head
	left int // bytes of the message after its head
}

// begin returns how many messages that begin in b are errors, and how many end an answer.
func (m *messages) begin(b []byte) (failed, ready int) {
	for len(b) > 0 {
		if m.left > 0 {
			n := min(m.left, len(b))
			m.left, b = m.left-n, b[n:]
			continue
		}
		n := copy(m.head[m.had:], b)
		b = b[n:]
		if m.had += n; m.had < headBytes {
			return failed, ready
		}
		m.had, m.left = 0, max(0, int(binary.BigEndian.Uint32(m.head[1:]))-lengthBytes)
		switch m.head[0] {
		case errorResponse:
			failed++
		case readyForQuery:
			ready++
		}
	}
	return failed, ready
}

// turns measures how long a server takes: from the first bytes that it is sent to its being ready for more. Of queries that
// are sent at once the first one is measured. The login is none.
type turns struct {
	metrics  *Metrics
	begun    atomic.Int64 // since epoch; 0: nobody waits
	loggedIn bool
	messages messages
}

var epoch = time.Now()

// asked is told that the server is sent something.
func (t *turns) asked() {
	if t.begun.Load() == 0 {
		t.begun.Store(int64(time.Since(epoch)))
	}
}

// answered is told what the server has sent.
func (t *turns) answered(b []byte) {
	failed, ready := t.messages.begin(b)
	if failed > 0 {
		t.metrics.Errors[replied].Add(int64(failed))
	}
	if ready == 0 {
		return
	}
	if begun := t.begun.Swap(0); begun != 0 && t.loggedIn {
		t.metrics.Answered.Observe(time.Since(epoch) - time.Duration(begun))
	}
	t.loggedIn = true
}

// forward copies until either side ends, and has what is read seen before it is passed on.
func forward(to, from net.Conn, see func([]byte)) {
	b := make([]byte, bufferBytes)
	for {
		n, err := from.Read(b)
		see(b[:n])
		if n > 0 {
			if _, failed := to.Write(b[:n]); failed != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

package session

import (
	"io"
	"net"
	"sync"
	"syscall"
)

// bufferSize is what one read takes in at most, and the size from which on a command passes in pieces.
const bufferSize = 64 << 10

var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// wire is a connection that holds a buffer only while something unread is in it: a hundred idle clients cost no
// buffer at all.
type wire struct {
	net.Conn
	raw        syscall.RawConn // nil for TLS, whose readiness isn't the socket's
	data       *[bufferSize]byte
	start, end int // what is unread of data
	err        error
	receive    func(fd uintptr) bool // w.tryReceive, made once
}

func newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn}
	if socket, ok := conn.(*net.TCPConn); ok {
		w.raw, w.err = socket.SyscallConn()
		w.receive = w.tryReceive
	}
	return w
}

// unread is what was received and not yet consumed.
func (w *wire) unread() []byte {
	if w.data == nil {
		return nil
	}
	return w.data[w.start:w.end]
}

// full tells whether no more can be received until something is consumed.
func (w *wire) full() bool { return w.end-w.start == bufferSize }

// consume marks n bytes as read.
func (w *wire) consume(n int) {
	if w.start += n; w.start == w.end {
		w.release()
	}
}

func (w *wire) release() {
	if w.data != nil {
		buffers.Put(w.data)
		w.data, w.start, w.end = nil, 0, 0
	}
}

// fill waits for more and receives it. It moves what is unread, unless there is nothing.
func (w *wire) fill() error {
	if w.start > 0 {
		w.end, w.start = copy(w.data[:], w.data[w.start:w.end]), 0
	}
	if w.raw == nil {
		return w.read()
	}
	if err := w.raw.Read(w.receive); err != nil {
		return err
	}
	return w.err
}

func (w *wire) read() error {
	if w.data == nil {
		w.data = buffers.Get().(*[bufferSize]byte)
	}
	n, err := w.Conn.Read(w.data[w.end:])
	w.end += n
	if n > 0 {
		return nil
	}
	if w.start == w.end {
		w.release()
	}
	return err
}

// tryReceive returns false when there is nothing to receive yet.
func (w *wire) tryReceive(fd uintptr) bool {
	if w.data == nil {
		w.data = buffers.Get().(*[bufferSize]byte)
	}
	n, err := syscall.Read(int(fd), w.data[w.end:])
	for err == syscall.EINTR {
		n, err = syscall.Read(int(fd), w.data[w.end:])
	}
	switch {
	case n > 0:
		w.end += n
		w.err = nil
		return true
	case err == nil:
		err = io.EOF
	}
	w.err = err
	if w.start == w.end {
		w.release()
	}
	return err != syscall.EAGAIN
}

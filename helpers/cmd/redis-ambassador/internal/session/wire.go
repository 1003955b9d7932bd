package session

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// smallBuffer is what one read takes in at most, and the size from which on a command passes in pieces.
	smallBuffer = 16 << 10
	// largeBuffer is what it takes in when the read before was full: large values pass with fewer system calls.
	largeBuffer = 128 << 10
)

var (
	smallBuffers = sync.Pool{New: func() any { return new([smallBuffer]byte) }}
	largeBuffers = sync.Pool{New: func() any { return new([largeBuffer]byte) }}
)

func takeBuffer(large bool) []byte {
	if large {
		return largeBuffers.Get().(*[largeBuffer]byte)[:]
	}
	return smallBuffers.Get().(*[smallBuffer]byte)[:]
}

func returnBuffer(b []byte) {
	if len(b) == largeBuffer {
		largeBuffers.Put((*[largeBuffer]byte)(b))
		return
	}
	smallBuffers.Put((*[smallBuffer]byte)(b))
}

// wire is a connection that holds a buffer only while something unread is in it: a hundred idle clients cost no
// buffer at all.
//
// It asks the kernel no more than it must. A socket that gave less than there was room for has nothing left, so the
// next sign of it is awaited without trying to read first, which would cost a system call for every command (epoll(7)
// on edge-triggered use). One thing can be missed: an end of the stream that arrived together
// with the last bytes. LookAgain finds it.
type wire struct {
	net.Conn
	raw           syscall.RawConn // nil for TLS, whose readiness isn't the socket's
	data          []byte
	start, end    int  // what is unread of data
	flood         bool // the last read was full
	err           error
	handle        func() error
	onReadable    func(fd uintptr) bool // w.readable, made once
	onWritable    func(fd uintptr) bool // w.writable
	onWritableNow func(fd uintptr) bool // w.writable that doesn't wait
	onLook        func(fd uintptr)      // w.look
	out           []byte                // what is still to be written
	outErr        syscall.Errno
	assumed       atomic.Bool // that nothing is left, from a short read
}

func newWire(conn net.Conn) *wire {
	w := &wire{Conn: conn}
	if socket, ok := conn.(*net.TCPConn); ok {
		w.raw, w.err = socket.SyscallConn()
		w.onReadable, w.onWritable, w.onLook = w.readable, w.writable, w.look
		w.onWritableNow = func(fd uintptr) bool { w.writable(fd); return true }
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
func (w *wire) full() bool { return w.data != nil && w.end-w.start == len(w.data) }

// consume marks n bytes as read.
func (w *wire) consume(n int) {
	if w.start += n; w.start == w.end {
		w.release()
	}
}

func (w *wire) release() {
	if w.data != nil {
		returnBuffer(w.data)
		w.data, w.start, w.end = nil, 0, 0
	}
}

// each calls handle whenever something was received, until that or the connection gives an error. A read deadline
// that passes is no error: woken is called.
func (w *wire) each(handle, woken func() error) error {
	w.handle = handle
	for w.err == nil {
		var err error
		if w.raw == nil {
			if err = w.fill(); err == nil {
				w.err = handle()
			}
		} else {
			err = w.raw.Read(w.onReadable)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = w.SetReadDeadline(time.Time{})
			w.err = woken()
		case err != nil:
			w.err = err
		}
	}
	w.assumed.Store(false)
	return w.err
}

// readable reads and handles what there is. It returns false to wait for more.
func (w *wire) readable(fd uintptr) bool {
	for {
		w.makeRoom()
		room := len(w.data) - w.end
		n, err := rawRead(fd, w.data[w.end:])
		switch {
		case n > 0:
			w.end += n
			w.flood = n == room
			if w.err = w.handle(); w.err != nil {
				return true
			}
			if !w.flood {
				w.assumed.Store(true)
				return false
			}
			continue
		case err == syscall.EINTR:
			continue
		}
		if w.start == w.end {
			w.release()
		}
		if err == syscall.EAGAIN {
			w.assumed.Store(false)
			return false
		}
		if w.err = err; n == 0 {
			w.err = io.EOF
		}
		return true
	}
}

// Write writes all of b. Only one may write at a time.
func (w *wire) Write(b []byte) (n int, err error) {
	if w.raw == nil {
		return w.Conn.Write(b)
	}
	return w.write(b, w.onWritable)
}

// writeSome writes what of b can be written at once.
func (w *wire) writeSome(b []byte) (n int, err error) {
	if w.raw == nil {
		return 0, nil
	}
	return w.write(b, w.onWritableNow)
}

func (w *wire) write(b []byte, step func(fd uintptr) bool) (n int, err error) {
	w.out, w.outErr = b, 0
	err = w.raw.Write(step)
	if n = len(b) - len(w.out); err == nil && w.outErr != 0 {
		err = w.outErr
	}
	w.out = nil
	return n, err
}

// writable writes what there is. It returns false to wait until more can be written.
func (w *wire) writable(fd uintptr) bool {
	for len(w.out) > 0 {
		n, errno := rawWrite(fd, w.out)
		switch errno {
		case 0:
			w.out = w.out[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			w.outErr = errno
			return true
		}
	}
	return true
}

// shutDown ends the connection for both sides, also for those who read and write now. Only who reads may close it: in
// readable, Close would wait for its own caller.
func (w *wire) shutDown() {
	if socket, ok := w.Conn.(*net.TCPConn); ok {
		_ = socket.CloseRead()
		_ = socket.CloseWrite()
		return
	}
	_ = w.Close()
}

// closeWrite tells the other side that nothing more comes.
func (w *wire) closeWrite() {
	if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// LookAgain makes the reader read where it only assumed that nothing is left, and something is.
func (w *wire) LookAgain() {
	if w.assumed.CompareAndSwap(true, false) {
		_ = w.raw.Control(w.onLook)
	}
}

func (w *wire) look(fd uintptr) {
	if !nothingLeft(fd) {
		_ = w.SetReadDeadline(time.Now())
	}
}

// makeRoom sees to it that something can be received. It moves what is unread, unless there is nothing.
func (w *wire) makeRoom() {
	if w.data == nil {
		w.data = takeBuffer(w.flood)
	}
	if w.start > 0 {
		w.end, w.start = copy(w.data, w.data[w.start:w.end]), 0
	}
}

// fill waits for more and receives it, holding a buffer.
func (w *wire) fill() error {
	w.makeRoom()
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

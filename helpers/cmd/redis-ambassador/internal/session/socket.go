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

// socket is a connection that holds a buffer only while something unread is in it: a hundred idle clients cost no
// buffer at all.
//
// It asks the kernel no more than it must. A socket that gave less than there was room for has nothing left, so the
// next sign of it is awaited without trying to read first, which would cost a system call for every command (epoll(7)
// on edge-triggered use). One thing can be missed: an end of the stream that arrived together
// with the last bytes. Recheck finds it.
type socket struct {
	net.Conn
	raw           syscall.RawConn // nil for TLS, whose readiness isn't the socket's
	data          []byte
	start, end    int  // what is unread of data
	flood         bool // the last read was full
	insist        bool // to read until nothing is left, this once
	err           error
	handle        func() error
	onReadable    func(fd uintptr) bool // readable, made once
	onWritable    func(fd uintptr) bool // writable
	onWritableNow func(fd uintptr) bool // writable that doesn't wait
	onRecheck     func(fd uintptr)      // recheck
	out           []byte                // what is still to be written
	outErr        syscall.Errno
	assumed       atomic.Bool // that nothing is left, from a short read
}

func newSocket(conn net.Conn) *socket {
	s := &socket{Conn: conn}
	if tcp, ok := conn.(*net.TCPConn); ok {
		s.raw, s.err = tcp.SyscallConn()
		s.onReadable, s.onWritable, s.onRecheck = s.readable, s.writable, s.recheck
		s.onWritableNow = func(fd uintptr) bool { s.writable(fd); return true }
	}
	return s
}

// unread returns the bytes received and not yet consumed.
func (s *socket) unread() []byte {
	if s.data == nil {
		return nil
	}
	return s.data[s.start:s.end]
}

// full tells whether no more can be received until something is consumed.
func (s *socket) full() bool { return s.data != nil && s.end-s.start == len(s.data) }

// consume marks n bytes as read.
func (s *socket) consume(n int) {
	if s.start += n; s.start == s.end {
		s.release()
	}
}

func (s *socket) release() {
	if s.data != nil {
		returnBuffer(s.data)
		s.data, s.start, s.end = nil, 0, 0
	}
}

// each calls handle whenever something was received, until that or the connection gives an error. A read deadline
// that passes is no error: woken is called.
func (s *socket) each(handle, woken func() error) error {
	s.handle = handle
	for s.err == nil {
		var err error
		if s.raw == nil {
			if err = s.fill(); err == nil {
				s.err = handle()
			}
		} else {
			err = s.raw.Read(s.onReadable)
		}
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			_ = s.SetReadDeadline(time.Time{})
			s.err = woken()
		case err != nil:
			s.err = err
		}
	}
	s.assumed.Store(false)
	return s.err
}

// readable reads and handles what there is. It returns false to wait for more.
func (s *socket) readable(fd uintptr) bool {
	for {
		s.makeRoom()
		room := len(s.data) - s.end
		n, err := rawRead(fd, s.data[s.end:])
		switch {
		case n > 0:
			s.end += n
			s.flood = n == room
			if s.err = s.handle(); s.err != nil {
				return true
			}
			if !s.flood && !s.insist {
				s.assumed.Store(true)
				return false
			}
			s.insist = false
			continue
		case err == syscall.EINTR:
			continue
		}
		if s.start == s.end {
			s.release()
		}
		if err == syscall.EAGAIN {
			s.assumed.Store(false)
			return false
		}
		if s.err = err; n == 0 {
			s.err = io.EOF
		}
		return true
	}
}

// Write writes all of b. Only one may write at a time.
func (s *socket) Write(b []byte) (n int, err error) {
	if s.raw == nil {
		return s.Conn.Write(b)
	}
	return s.write(b, s.onWritable)
}

// writeSome writes what of b can be written at once.
func (s *socket) writeSome(b []byte) (n int, err error) {
	if s.raw == nil {
		return 0, nil
	}
	return s.write(b, s.onWritableNow)
}

func (s *socket) write(b []byte, step func(fd uintptr) bool) (n int, err error) {
	s.out, s.outErr = b, 0
	err = s.raw.Write(step)
	if n = len(b) - len(s.out); err == nil && s.outErr != 0 {
		err = s.outErr
	}
	s.out = nil
	return n, err
}

// writable writes what there is. It returns false to wait until more can be written.
func (s *socket) writable(fd uintptr) bool {
	for len(s.out) > 0 {
		n, errno := rawWrite(fd, s.out)
		switch errno {
		case 0:
			s.out = s.out[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return false
		default:
			s.outErr = errno
			return true
		}
	}
	return true
}

// shutDown ends the connection for both sides, also for those who read and write now. Only who reads may close it: in
// readable, Close would wait for its own caller.
func (s *socket) shutDown() {
	if tcp, ok := s.Conn.(*net.TCPConn); ok {
		_ = tcp.CloseRead()
		_ = tcp.CloseWrite()
		return
	}
	_ = s.Close()
}

// closeWrite tells the other side that nothing more comes.
func (s *socket) closeWrite() {
	if half, ok := s.Conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
	}
}

// Recheck makes the reader read where it only assumed that nothing is left, and something is.
func (s *socket) Recheck() {
	if s.assumed.CompareAndSwap(true, false) {
		_ = s.raw.Control(s.onRecheck)
	}
}

func (s *socket) recheck(fd uintptr) {
	if !nothingLeft(fd) {
		_ = s.SetReadDeadline(time.Now())
	}
}

// makeRoom sees to it that something can be received. It moves what is unread, unless there is nothing.
func (s *socket) makeRoom() {
	if s.data == nil {
		s.data = takeBuffer(s.flood)
	}
	if s.start > 0 {
		s.end, s.start = copy(s.data, s.data[s.start:s.end]), 0
	}
}

// fill waits for more and receives it, holding a buffer.
func (s *socket) fill() error {
	s.makeRoom()
	n, err := s.Conn.Read(s.data[s.end:])
	s.end += n
	if n > 0 {
		return nil
	}
	if s.start == s.end {
		s.release()
	}
	return err
}

package session

import (
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how much a client may leave unread before the server has to wait for it.
	patience = 256 << 10
	// DefaultMaxUnread is how much is kept for a client that doesn't read while others wait.
	DefaultMaxUnread = 64 << 20
	// slowClientTimeout is how long a client may take nothing when there is no room for more.
	slowClientTimeout = 5 * time.Second
	// lookAgain is the time after which who waits for a client sees whether others have begun to wait.
	lookAgain = 50 * time.Millisecond
)

var errUnread = errors.New("the client leaves too much unread")

// outputBuffer is what a client hasn't taken yet. While little lies in it, or nobody else waits, who has more waits for
// the client, and the server for the buffer. But when the client's own commands can't go on before its replies are
// out of the way, or others' replies are in line behind them, the buffer takes them in: else a client that sends all
// before it reads, as Redis lets it, would wait for ever, and others for it.
type outputBuffer struct {
	client *socket
	behind atomic.Bool // something is in it: what comes has to go behind it

	mu      sync.Mutex
	changed sync.Cond
	chunks  [][]byte
	size    int
	hurried int // how many wait for replies to be out of the way
	taken   time.Time
	err     error
}

func (o *outputBuffer) open(client *socket) {
	o.client = client
	o.changed.L = &o.mu
}

// write writes what the client takes at once, and keeps the rest. Only one may write at a time.
func (o *outputBuffer) write(b []byte, from carrier, most int) error {
	if !o.behind.Load() {
		n, err := o.client.writeSome(b)
		if err != nil || n == len(b) {
			return err
		}
		b = b[n:]
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.awaitRoom(len(b), from, most); err != nil {
		return err
	}
	o.add(b)
	if !o.behind.Swap(true) {
		o.taken = time.Now()
		go o.empty()
	}
	return nil
}

// awaitRoom waits until so many bytes may be added. The lock is held.
func (o *outputBuffer) awaitRoom(n int, from carrier, most int) error {
	if o.err != nil || o.size == 0 || o.size+n <= patience {
		return o.err
	}
	defer from.stall()()
	for o.err == nil && o.size > 0 && o.size+n > patience {
		if o.hurried > 0 || !from.patient() {
			if o.size+n <= most {
				return nil
			}
			if time.Since(o.taken) > slowClientTimeout {
				o.err = errUnread
				break
			}
		}
		again := time.AfterFunc(lookAgain, o.changed.Broadcast)
		o.changed.Wait()
		again.Stop()
	}
	return o.err
}

// add keeps bytes. The lock is held.
func (o *outputBuffer) add(b []byte) {
	o.size += len(b)
	for len(b) > 0 {
		last := len(o.chunks) - 1
		if last < 0 || len(o.chunks[last]) == cap(o.chunks[last]) {
			o.chunks = append(o.chunks, takeBuffer(o.size > smallBuffer)[:0])
			last++
		}
		chunk := o.chunks[last]
		n := copy(chunk[len(chunk):cap(chunk)], b)
		o.chunks[last] = chunk[:len(chunk)+n]
		b = b[n:]
	}
}

// empty writes what is kept until nothing is.
func (o *outputBuffer) empty() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for len(o.chunks) > 0 && o.err == nil {
		chunk := o.chunks[0]
		o.chunks[0] = nil
		o.chunks = o.chunks[1:]
		o.mu.Unlock()
		_, err := o.client.Write(chunk)
		o.mu.Lock()
		o.size -= len(chunk)
		returnBuffer(chunk[:cap(chunk)])
		o.taken = time.Now()
		if err != nil && o.err == nil {
			o.err = err
		}
		o.changed.Broadcast()
	}
	if o.err == nil {
		o.chunks = nil
		o.behind.Store(false)
	}
}

// hurry keeps nobody waiting for the client, within bounds, until relax.
func (o *outputBuffer) hurry() { o.addHurried(1) }

func (o *outputBuffer) relax() { o.addHurried(-1) }

func (o *outputBuffer) addHurried(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.hurried += n
	o.changed.Broadcast()
}

// await waits until the client has taken everything, or is gone.
func (o *outputBuffer) await() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.size > 0 && o.err == nil {
		o.changed.Wait()
	}
}

// close ends all waiting.
func (o *outputBuffer) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = errClosed
	}
	o.changed.Broadcast()
}

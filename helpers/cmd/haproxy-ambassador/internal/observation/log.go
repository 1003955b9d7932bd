package observation

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"net"
	"os"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"podpatterns.dev/helpers/internal/exposition"
)

const (
	bufferBytes = 64 << 10
	// restTime is left between two reads, so that a busy HAProxy wakes us a few times a second and not for each line. It
	// holds what comes meanwhile.
	restTime = 20 * time.Millisecond
)

// Upstream is what was observed of one.
type Upstream struct {
	Name   string
	HTTP   bool
	Took   exposition.Histogram
	Errors [len(Classes)]atomic.Int64
}

// Log takes HAProxy's lines.
type Log struct {
	listener net.Listener
	dropped  atomic.Int64

	mu        sync.Mutex
	upstreams map[string]*Upstream
}

// Listen takes lines at a socket.
func Listen(path string) (*Log, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	l := &Log{listener: listener, upstreams: map[string]*Upstream{}}
	go l.accept()
	return l, nil
}

// Close takes no more.
func (l *Log) Close() error { return l.listener.Close() }

// Follow has samples of upstreams from now on, whether anything was observed of them or not, and of no others. It is told
// which speak HTTP.
func (l *Log) Follow(upstreams map[string]bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	maps.DeleteFunc(l.upstreams, func(name string, u *Upstream) bool {
		http, wanted := upstreams[name]
		return !wanted || http != u.HTTP
	})
	for name, http := range upstreams {
		l.upstream(name, http)
	}
}

// Upstreams returns those that there are, by name.
func (l *Log) Upstreams() []*Upstream {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []*Upstream
	for _, name := range slices.Sorted(maps.Keys(l.upstreams)) {
		found = append(found, l.upstreams[name])
	}
	return found
}

// Dropped returns how many lines HAProxy had no room for.
func (l *Log) Dropped() int64 { return l.dropped.Load() }

func (l *Log) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.take(conn) // of one worker
	}
}

func (l *Log) take(conn net.Conn) {
	defer conn.Close()
	b := make([]byte, bufferBytes)
	had := 0 // bytes of a line that goes on
	for {
		n, err := conn.Read(b[had:])
		if err != nil {
			return
		}
		rest := b[:had+n]
		l.mu.Lock()
		for {
			line, after, ended := bytes.Cut(rest, []byte("\n"))
			if !ended {
				break
			}
			l.observe(line)
			rest = after
		}
		l.mu.Unlock()
		if had = copy(b, rest); had == len(b) {
			return // that is nothing of HAProxy's
		}
		time.Sleep(restTime)
	}
}

// observe counts what a line tells. The lock is held.
func (l *Log) observe(b []byte) {
	one, ok := parse(b)
	if !ok {
		l.dropped.Add(droppedIn(b))
		return
	}
	u := l.upstreams[string(one.upstream)]
	if u == nil {
		u = l.upstream(string(one.upstream), one.isHTTP)
	}
	if one.measured {
		u.Took.Observe(one.took)
	}
	if one.class != noError {
		u.Errors[one.class].Add(1)
	}
}

// upstream returns the one of a name. The lock is held.
func (l *Log) upstream(name string, http bool) *Upstream {
	u := l.upstreams[name]
	if u == nil {
		u = &Upstream{Name: name, HTTP: http}
		l.upstreams[name] = u
	}
	return u
}

// droppedIn reads what HAProxy writes once there is room again: 3 events dropped.
func droppedIn(b []byte) int64 {
	number, rest, _ := bytes.Cut(bytes.TrimSpace(b), []byte(" "))
	count, err := strconv.ParseInt(string(number), 10, 64)
	if err != nil || !bytes.HasPrefix(rest, []byte("event")) || !bytes.HasSuffix(rest, []byte("dropped")) {
		return 0
	}
	return count
}

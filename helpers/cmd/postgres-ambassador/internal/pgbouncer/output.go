package pgbouncer

import (
	"bytes"
	"cmp"
	"io"
	"slices"
	"strings"
	"sync"
)

// keptBytes is as much of a line as is looked at.
const keptBytes = 4096

// ourAccess is in the lines about our own access to the console.
const ourAccess = " access from unix socket"

// output passes on what PgBouncer writes, and looks for the reasons that it gives.
type output struct {
	to io.Writer
	up chan struct{} // closed when it has started

	mu       sync.Mutex
	partial  []byte
	isUp     bool
	unheard  []string // addresses that it can't listen at
	lastLine string   // the last that is no mere information
}

func newOutput(to io.Writer) *output { return &output{to: to, up: make(chan struct{})} }

// Write takes a part of the output.
func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.partial = append(o.partial, b...)
	for {
		line, rest, found := bytes.Cut(o.partial, []byte("\n"))
		if !found {
			break
		}
		o.partial = rest
		o.see(string(line))
		if !bytes.Contains(line, []byte(ourAccess)) {
			_, _ = o.to.Write(append(slices.Clip(line), '\n'))
		}
	}
	o.partial = o.partial[max(0, len(o.partial)-keptBytes):]
	return len(b), nil
}

// see reads: DATE TIME ZONE [PID] LEVEL words.
func (o *output) see(line string) {
	_, said, found := strings.Cut(line, "] ")
	level, words, _ := strings.Cut(said, " ")
	switch {
	case !found:
		o.lastLine = line
	case strings.HasPrefix(words, "cannot listen on "):
		o.unheard = append(o.unheard, words)
	case strings.HasPrefix(words, "process up"):
		if !o.isUp {
			o.isUp = true
			close(o.up)
		}
	case level == "FATAL" || level == "ERROR":
		o.lastLine = words
	}
}

func (o *output) notListening() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Join(o.unheard, "; ")
}

func (o *output) reason() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return cmp.Or(o.lastLine, "it gave no reason")
}

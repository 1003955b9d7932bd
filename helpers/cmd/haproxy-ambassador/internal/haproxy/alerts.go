package haproxy

import (
	"bytes"
	"strings"
	"sync"
)

// alertBytes is as much of HAProxy's last alerts as is kept.
const alertBytes = 2048

// alerts collects what HAProxy itself gives as reasons, from all that it writes.
type alerts struct {
	mu      sync.Mutex
	partial []byte // a line that goes on
	lines   []string
}

// Write takes a part of the output.
func (a *alerts) Write(b []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.partial = append(a.partial, b...)
	for {
		line, rest, found := bytes.Cut(a.partial, []byte("\n"))
		if !found {
			break
		}
		if alert, found := alertIn(string(line)); found {
			a.lines = append(a.lines, alert)
		}
		a.partial = rest
	}
	for len(strings.Join(a.lines, "; ")) > alertBytes {
		a.lines = a.lines[1:]
	}
	a.partial = a.partial[max(0, len(a.partial)-alertBytes):]
	return len(b), nil
}

// String returns the alerts since those that were forgotten.
func (a *alerts) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return strings.Join(a.lines, "; ")
}

// forget makes room for the alerts of what comes next.
func (a *alerts) forget() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lines = nil
}

// alertIn returns the words of an alert. That an upstream has no server is no reason to end.
func alertIn(line string) (string, bool) {
	if !strings.Contains(line, "[ALERT]") || strings.Contains(line, "has no server available") {
		return "", false
	}
	_, words, _ := strings.Cut(line, " : ")
	return strings.TrimSpace(words), true
}

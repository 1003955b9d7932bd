package session

import "sync"

// admissionGate says who may get into line at a shared connection. Nobody gets in behind what keeps others waiting: a
// command that the server may answer late, or a client that doesn't read.
type admissionGate struct {
	mu      sync.Mutex
	changed sync.Cond
	inside  int // batches that were let in and aren't in line yet
	held    int // commands that may be answered late
	stalled bool
	closed  bool
}

// open makes the gate ready for use.
func (g *admissionGate) open() { g.changed.L = &g.mu }

// enter asks to let a batch in; inLine tells that its session is in line already, so that nobody waits longer for it.
func (g *admissionGate) enter(inLine bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.held > 0 || g.stalled && !inLine || g.closed {
		return false
	}
	g.inside++
	return true
}

// leave is told that a batch is in line, or doesn't come.
func (g *admissionGate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside--; g.inside == 0 && g.held > 0 {
		g.changed.Broadcast()
	}
}

// hold lets nobody in any more, until release, but a batch that ends with what may be answered late. It waits for those
// who are inside.
func (g *admissionGate) hold() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held++
	for g.inside > 0 && !g.closed {
		g.changed.Wait()
	}
	g.inside++
}

func (g *admissionGate) release() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.held--
}

// stall lets nobody in who isn't in line, until the returned function is called.
func (g *admissionGate) stall() (over func()) {
	g.setStalled(true)
	return func() { g.setStalled(false) }
}

func (g *admissionGate) setStalled(stalled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.stalled = stalled
}

// close lets nobody in for ever.
func (g *admissionGate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.changed.Broadcast()
}

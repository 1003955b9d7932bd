package session

// outstanding is replies that a shared connection is still to receive for one of its sessions.
type outstanding struct {
	conn  *upstreamConn // nil: they are to the connection's own setup
	n     int
	holds bool // the last one is awaited by others
}

// queue is outstanding replies in the order in which they will come.
type queue struct {
	entries []outstanding
	first   int
}

func (q *queue) all() []outstanding { return q.entries[q.first:] }

// head is the first one, empty when there is none.
func (q *queue) head() outstanding {
	if q.first == len(q.entries) {
		return outstanding{}
	}
	return q.entries[q.first]
}

func (q *queue) push(d outstanding) {
	if q.first > 0 && len(q.entries) == cap(q.entries) {
		kept := copy(q.entries, q.entries[q.first:])
		clear(q.entries[kept:])
		q.entries, q.first = q.entries[:kept], 0
	}
	q.entries = append(q.entries, d)
}

// settle takes replies off the first one. It tells whether that has ended a wait of others.
func (q *queue) settle(replies int) (released bool) {
	head := &q.entries[q.first]
	if head.n -= replies; head.n > 0 {
		return false
	}
	released = head.holds
	*head = outstanding{}
	if q.first++; q.first == len(q.entries) {
		q.entries, q.first = q.entries[:0], 0
	}
	return released
}

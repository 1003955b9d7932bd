package session

// debt is replies that a trunk owes over one of its links.
type debt struct {
	link  *link // nil: they are to the trunk's own setup
	n     int
	holds bool // the last one is awaited by others
}

// queue is debts in the order in which they will be paid.
type queue struct {
	debts []debt
	first int
}

func (q *queue) all() []debt { return q.debts[q.first:] }

// head is the first one, empty when there is none.
func (q *queue) head() debt {
	if q.first == len(q.debts) {
		return debt{}
	}
	return q.debts[q.first]
}

func (q *queue) push(d debt) {
	if q.first > 0 && len(q.debts) == cap(q.debts) {
		kept := copy(q.debts, q.debts[q.first:])
		clear(q.debts[kept:])
		q.debts, q.first = q.debts[:kept], 0
	}
	q.debts = append(q.debts, d)
}

// settle takes replies off the first one. It tells whether that has ended a wait of others.
func (q *queue) settle(replies int) (released bool) {
	head := &q.debts[q.first]
	if head.n -= replies; head.n > 0 {
		return false
	}
	released = head.holds
	*head = debt{}
	if q.first++; q.first == len(q.debts) {
		q.debts, q.first = q.debts[:0], 0
	}
	return released
}

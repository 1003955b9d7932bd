package session

// expectation is replies that are outstanding for the client, in the order of its commands.
type expectation struct {
	from   *upstreamConn // nil: the reply is local
	n      int
	writes uint64 // how many of the commands were writes: reads after them may have to go to the primary
	blocks bool   // it may be answered late
	then   func(reply []byte)
	local  []byte
}

// joins tells whether e only adds to the expectation before it.
func (e *expectation) joins(before *expectation) bool {
	return e.from != nil && e.from == before.from && e.blocks == before.blocks && e.then == nil && before.then == nil
}

func (e *expectation) join(other expectation) {
	e.n += other.n
	e.writes += other.writes
}

// order is a queue of expectations. Neighbours that are alike are one, so that a pipeline of any length that goes to
// one server is one expectation.
type order struct {
	all   []expectation
	first int
}

func (o *order) len() int { return len(o.all) - o.first }

func (o *order) head() *expectation {
	if o.first == len(o.all) {
		return nil
	}
	return &o.all[o.first]
}

func (o *order) push(e expectation) {
	if o.len() > 0 {
		if last := &o.all[len(o.all)-1]; e.joins(last) {
			last.join(e)
			return
		}
	}
	if o.first > 0 && len(o.all) == cap(o.all) {
		kept := copy(o.all, o.all[o.first:])
		clear(o.all[kept:])
		o.all, o.first = o.all[:kept], 0
	}
	o.all = append(o.all, e)
}

func (o *order) pop() {
	o.all[o.first] = expectation{}
	if o.first++; o.first == len(o.all) {
		o.all, o.first = o.all[:0], 0
	}
}

// pass makes the replies outstanding on one connection outstanding on another.
func (o *order) pass(from, to *upstreamConn) {
	for i := o.first; i < len(o.all); i++ {
		if o.all[i].from == from {
			o.all[i].from = to
		}
	}
}

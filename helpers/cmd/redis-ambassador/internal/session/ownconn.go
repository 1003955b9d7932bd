package session

// local is where replies of the ambassador itself come from. The client's goroutine may write them, which has to read on.
type local struct{ ownConn }

func (local) patient() bool { return false }

// ownConn carries an upstream connection that is one session's alone.
type ownConn struct{ socket *socket }

func (o ownConn) exclusive() bool { return true }

func (o ownConn) admit(bool) bool { return true }

func (o ownConn) hold() {}

func (o ownConn) expect() {}

func (o ownConn) withdraw() {}

func (o ownConn) stall() (over func()) { return func() {} }

func (o ownConn) patient() bool { return true }

func (o ownConn) close() { o.socket.shutDown() }

func (o ownConn) send(buffer []byte, pieces []piece) error {
	if len(pieces) == 1 {
		_, err := o.socket.Write(buffer[pieces[0].start:pieces[0].end])
		return err
	}
	// Copying small commands together is cheaper than a system call for each.
	joined := takeBuffer(len(buffer) > smallBuffer)
	defer returnBuffer(joined)
	n := 0
	for _, p := range pieces {
		n += copy(joined[n:], buffer[p.start:p.end])
	}
	_, err := o.socket.Write(joined[:n])
	return err
}

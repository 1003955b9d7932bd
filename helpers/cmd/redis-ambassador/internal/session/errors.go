package session

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"sync/atomic"
)

const (
	connectError     = "connect"     // a connection to a server could not be made
	timeoutError     = "timeout"     // it took too long to be made
	resetError       = "reset"       // one was lost that owed replies
	unavailableError = "unavailable" // a command was not sent, as there was no server for it
	otherError       = "other"       // a reply with another code
)

// ErrorClasses are the classes in which errors are counted: our own, and the codes that Redis gives its errors. No other
// code is one, so that neither a server nor a script makes series. (server.c, cluster.c, t_stream.c)
var ErrorClasses = [...]string{
	connectError, timeoutError, resetError, unavailableError, otherError,
	"ERR", "WRONGTYPE", "NOAUTH", "NOPERM", "WRONGPASS", "READONLY", "MASTERDOWN", "LOADING", "BUSY", "BUSYKEY", "BUSYGROUP", "NOGROUP",
	"NOSCRIPT", "NOREPLICAS", "MISCONF", "OOM", "EXECABORT", "MOVED", "ASK", "CROSSSLOT", "CLUSTERDOWN", "TRYAGAIN", "UNKILLABLE", "NOTBUSY",
}

// replyCodes is where the codes begin.
const replyCodes = 5

// Errors counts them by class.
type Errors struct {
	of [len(ErrorClasses)]atomic.Int64
}

// Count returns how many there were of the class at a place in ErrorClasses.
func (e *Errors) Count(place int) int64 { return e.of[place].Load() }

func (e *Errors) add(class string) { e.of[slices.Index(ErrorClasses[:], class)].Add(1) }

// addReply counts an error that a server replied, by the beginning of the reply.
func (e *Errors) addReply(head []byte) {
	code, _, _ := bytes.Cut(bytes.TrimPrefix(head, []byte("-")), []byte(" "))
	for place := replyCodes; place < len(ErrorClasses); place++ {
		if ErrorClasses[place] == string(code) {
			e.of[place].Add(1)
			return
		}
	}
	e.add(otherError)
}

// addDial counts a connection that could not be made.
func (e *Errors) addDial(err error) {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		e.add(timeoutError)
	} else {
		e.add(connectError)
	}
}

package observation

import (
	"bytes"
	"strconv"
	"time"
)

// line is one of HAProxy's, of a request or a session.
type line struct {
	upstream []byte
	took     time.Duration
	measured bool
	isHTTP   bool
	class    int // of its error; noError without one
}

// Classes are those in which errors are counted.
var Classes = [...]string{
	unavailable: "unavailable", connect: "connect", timeout: "timeout", reset: "reset", invalid: "invalid", refused: "4xx", failed: "5xx",
}

const (
	unavailable = iota // there was no healthy server
	connect            // a server did not take the connection
	timeout            // a server took too long to take it, or to answer
	reset              // a server ended the connection too early, or was found down
	invalid            // what a server answered isn't HTTP
	refused            // 400 to 499
	failed             // 500 to 599, where HAProxy gives no other reason
	noError
)

// noServer is HAProxy's name for none.
const noServer = "<NOSRV>"

// parse reads: UPSTREAM SERVER MILLISECONDS STATE and, for HTTP, STATUS.
func parse(b []byte) (l line, ok bool) {
	b, ok = bytes.CutPrefix(b, []byte(mark))
	if !ok {
		return l, false
	}
	var words [5][]byte
	n := 0
	for more := true; more && n < len(words); n++ {
		words[n], b, more = bytes.Cut(b, []byte(" "))
	}
	l.upstream, l.isHTTP = words[0], n == len(words)
	took, err := strconv.Atoi(string(words[2]))
	if n < len(words)-1 || err != nil || len(words[3]) != 2 {
		return l, false
	}
	// HAProxy cuts times to whole milliseconds: it took less than one more.
	l.took, l.measured = time.Duration(took+1)*time.Millisecond, took >= 0
	status := 0
	if l.isHTTP {
		status, _ = strconv.Atoi(string(words[4])) // without an answer it is -1
	}
	l.class = classOf(words[3][0], words[3][1], string(words[1]) == noServer, status)
	return l, true
}

// classOf tells the class by who ended a session in which state: https://docs.haproxy.org/2.6/configuration.html#8.5
func classOf(by, state byte, withoutServer bool, status int) int {
	switch by {
	case 'C', 'c': // the application
		return noError
	case 'S':
		switch {
		case state == 'C' && withoutServer:
			return unavailable
		case state == 'C':
			return connect
		}
		return reset
	case 's':
		if state == 'D' && status == 0 { // timeouts.idle, at work
			return noError
		}
		return timeout
	case 'D':
		return reset
	case 'P':
		if state == 'H' || state == 'D' {
			return invalid
		}
	}
	switch status / 100 {
	case 4:
		return refused
	case 5:
		return failed
	}
	return noError
}

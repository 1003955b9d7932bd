// Package resp finds where the elements of Redis' protocol begin and end, RESP2 and RESP3
// (https://redis.io/docs/latest/develop/reference/protocol-spec/), in whatever pieces they arrive.
package resp

import "bytes"

const (
	// maxBulk is the largest string that is let through, the largest proto-max-bulk-len that is common (512 MB).
	maxBulk = 512 << 20
	// maxElements bounds the elements of a reply that are still to come.
	maxElements = 1 << 31
	// headSize is how much of a reply's first line is kept, enough for every error code.
	headSize = 24
)

// Replies finds the ends of replies in a stream of bytes without keeping them: a reply of any size passes in
// pieces. Nested replies need no stack, only a count of the elements that are still to come.
// The zero value is at the start of a reply.
type Replies struct {
	step    step
	kind    byte  // the type of the element whose first line is read
	number  int64 // that line's number so far
	minus   bool
	digits  int
	left    int64 // elements still to come, the current one included; 0 between replies
	skip    int64 // bytes of a string's body still to come, its CRLF included
	line    int64 // bytes of the current line so far
	head    [headSize]byte
	headLen int
}

type step uint8

const (
	atType step = iota
	inNumber
	inLine
	inBody
)

// Head is the beginning of the reply that is under way or has just ended: its type and the first bytes of its
// first line.
func (r *Replies) Head() []byte { return r.head[:r.headLen] }

// Between tells whether the next byte begins a new reply.
func (r *Replies) Between() bool { return r.left == 0 }

// Scan reads on in b up to the end of the reply that is under way. It returns how many bytes belong to it and whether
// it has ended.
func (r *Replies) Scan(b []byte) (n int, ended bool, err error) {
	if r.left == 0 {
		r.left, r.headLen = 1, 0
	}
	for n < len(b) {
		switch r.step {
		case inBody:
			if rest := int64(len(b) - n); rest < r.skip {
				r.skip -= rest
				return len(b), false, nil
			}
			n += int(r.skip)
			r.skip, r.step = 0, atType
			r.left--
		case inLine:
			end := bytes.IndexByte(b[n:], '\n')
			if end < 0 {
				r.remember(b[n:])
				if r.line += int64(len(b) - n); r.line > maxBulk {
					return n, false, tooLarge("a line", r.line, maxBulk)
				}
				return len(b), false, nil
			}
			r.remember(b[n : n+end])
			if r.headLen > 1 && r.head[r.headLen-1] == '\r' {
				r.headLen--
			}
			n += end + 1
			r.step = atType
			r.left--
		case atType:
			if err := r.begin(b[n]); err != nil {
				return n, false, err
			}
			n++
		case inNumber:
			if err := r.numeral(b[n]); err != nil {
				return n, false, err
			}
			n++
		}
		if r.left == 0 {
			return n, true, nil
		}
	}
	return n, false, nil
}

func (r *Replies) remember(b []byte) {
	if r.left == 1 && r.headLen < headSize && r.head[0] == r.kind {
		r.headLen += copy(r.head[r.headLen:], b)
	}
}

func (r *Replies) begin(kind byte) error {
	r.kind = kind
	if r.headLen == 0 {
		r.head[0], r.headLen = kind, 1
	}
	switch kind {
	case '+', '-', ':', '_', ',', '#', '(':
		r.step, r.line = inLine, 0
	case '$', '=', '!', '*', '~', '%', '>', '|':
		r.step, r.number, r.minus, r.digits = inNumber, 0, false, 0
	default:
		return malformed("a reply's type", kind)
	}
	return nil
}

// numeral takes a byte of the first line of a string or an aggregate.
func (r *Replies) numeral(c byte) error {
	switch {
	case c >= '0' && c <= '9' && r.digits < 10:
		r.number = r.number*10 + int64(c-'0')
		r.digits++
	case c == '-' && r.digits == 0 && !r.minus:
		r.minus = true
	case c == '\r' && r.digits > 0:
		// The line feed decides.
	case c == '\n' && r.digits > 0:
		return r.sized()
	default:
		return malformed("a length", c)
	}
	return nil
}

func (r *Replies) sized() error {
	r.step = atType
	if r.minus { // RESP2's null: $-1 or *-1
		r.left--
		return nil
	}
	switch r.kind {
	case '$', '=', '!':
		if r.number > maxBulk {
			return tooLarge("a string", r.number, maxBulk)
		}
		r.step, r.skip = inBody, r.number+2
		return nil
	case '%':
		r.left += 2*r.number - 1
	case '|': // attributes come before the element that they belong to
		r.left += 2 * r.number
	default:
		r.left += r.number - 1
	}
	if r.left > maxElements {
		return tooLarge("a reply's elements", r.left, maxElements)
	}
	return nil
}

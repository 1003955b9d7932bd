package receiver

import (
	"bufio"
	"bytes"
	"errors"
)

// ErrLong means that a message was longer than MaxMessage; it was skipped.
var ErrLong = errors.New("the message is too long")

// Next reads a message up to one of the bytes that end it, without that byte. A last one without an end comes with the
// error that ends the connection.
func Next(from *bufio.Reader, ends string) (string, error) {
	scanned, long := 0, false
	for {
		ahead, _ := from.Peek(from.Buffered())
		if at := bytes.IndexAny(ahead[scanned:], ends); at >= 0 {
			text := string(ahead[:scanned+at])
			_, _ = from.Discard(scanned + at + 1)
			if long {
				return "", ErrLong
			}
			return text, nil
		}
		scanned = len(ahead)
		if scanned == from.Size() {
			_, _ = from.Discard(scanned)
			scanned, long = 0, true
		}
		if _, err := from.Peek(scanned + 1); err != nil {
			text := string(ahead[:scanned])
			_, _ = from.Discard(scanned)
			if long {
				return "", ErrLong // the next one has the error
			}
			return text, err
		}
	}
}

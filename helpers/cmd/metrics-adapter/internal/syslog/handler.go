package syslog

import (
	"bufio"
	"errors"
	"io"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/receiver"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

// maxDigits is how long a length may be that is in front of a message.
const maxDigits = 7

// handler hands messages to a feed.
type handler struct {
	feed   *rule.Feed
	parser *parser
}

// NewHandler returns a handler of packets and connections for a feed.
func NewHandler(feed *rule.Feed) receiver.Handler { return &handler{feed, newParser()} }

func (h *handler) Packet(message string) {
	if text, header, ok := h.parser.parse(message); ok {
		h.feed.Message(text, &header)
	} else {
		h.feed.Unmatched()
	}
}

// Read takes a message in either framing of RFC 6587: with its length in front, or with a byte behind it. That is a newline,
// or the NUL of C's and Python's libraries.
func (h *handler) Read(from *bufio.Reader) error {
	message, err := next(from)
	switch {
	case errors.Is(err, receiver.ErrLong):
		h.feed.Unmatched()
	case message != "":
		h.Packet(message)
	}
	return err
}

func next(from *bufio.Reader) (string, error) {
	length, digits := counted(from)
	if digits == 0 {
		return receiver.Next(from, "\n\x00")
	}
	_, _ = from.Discard(digits + 1)
	if length > from.Size() {
		_, _ = from.Discard(length)
		return "", receiver.ErrLong
	}
	message := make([]byte, length)
	n, err := io.ReadFull(from, message)
	return string(message[:n]), err
}

// counted reads the length in front of a message without taking it: 42 <13>… No other message begins with a digit.
func counted(from *bufio.Reader) (length, digits int) {
	for digits < maxDigits {
		ahead, err := from.Peek(digits + 1)
		if err != nil {
			return 0, 0
		}
		switch c := ahead[digits]; {
		case c == ' ':
			return length, digits
		case c < '0' || c > '9':
			return 0, 0
		default:
			length = 10*length + int(c-'0')
		}
		digits++
	}
	return 0, 0
}

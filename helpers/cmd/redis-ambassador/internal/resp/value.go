package resp

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

const (
	// The bounds of what is read whole: the replies to questions about roles and commands. COMMAND is the largest,
	// 300 KB and 5 levels deep.
	maxWholeString   = 1 << 20
	maxWholeElements = 1 << 20
	maxDepth         = 12
)

// Error is an error that a server replied.
type Error string

func (e Error) Error() string { return string(e) }

// Code is the error's first word, such as NOAUTH.
func (e Error) Code() string {
	code, _, _ := strings.Cut(string(e), " ")
	return code
}

// Value is a RESP2 reply that is read whole: string, int64, []Value, Error or nil.
type Value any

// Read reads a reply.
func Read(r *bufio.Reader) (Value, error) {
	budget := maxWholeElements
	return read(r, &budget, 0)
}

func read(r *bufio.Reader, budget *int, depth int) (Value, error) {
	if *budget--; *budget < 0 || depth > maxDepth {
		return nil, ProtocolError("a reply is larger or deeper than expected")
	}
	line, err := r.ReadSlice('\n')
	if err != nil {
		return nil, err
	}
	if len(line) < 3 || line[len(line)-2] != '\r' {
		return nil, ProtocolError("a line without its end")
	}
	kind, text := line[0], string(line[1:len(line)-2])
	switch kind {
	case '+':
		return text, nil
	case '-':
		return Error(text), nil
	}
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return nil, ProtocolError(fmt.Sprintf("expected a number, got %q", text))
	}
	switch {
	case kind == ':':
		return number, nil
	case kind == '$' && number < 0, kind == '*' && number < 0:
		return nil, nil
	case kind == '$':
		return readString(r, number)
	case kind == '*':
		return readArray(r, number, budget, depth)
	}
	return nil, malformed("a RESP2 type", kind)
}

func readString(r *bufio.Reader, size int64) (Value, error) {
	if size > maxWholeString {
		return nil, tooLarge("a string", size, maxWholeString)
	}
	body := make([]byte, size+2)
	if _, err := io.ReadFull(r, body); err != nil {
		return nil, err
	}
	return string(body[:size]), nil
}

func readArray(r *bufio.Reader, size int64, budget *int, depth int) (Value, error) {
	var all []Value // grows with what arrives: the announced size isn't to be trusted
	for range size {
		element, err := read(r, budget, depth+1)
		if err != nil {
			return nil, err
		}
		all = append(all, element)
	}
	return all, nil
}

func appendHeader(b []byte, sign byte, number int) []byte {
	b = strconv.AppendInt(append(b, sign), int64(number), 10)
	return append(b, '\r', '\n')
}

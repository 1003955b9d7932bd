package resp

import "fmt"

// ProtocolError says what is wrong with the bytes; nothing after it can be understood.
type ProtocolError string

func (e ProtocolError) Error() string { return string(e) }

func malformed(what string, got byte) error {
	return ProtocolError(fmt.Sprintf("expected %s, got %q", what, got))
}

func tooLarge(what string, size, most int64) error {
	return ProtocolError(fmt.Sprintf("%s of %d is more than %d", what, size, most))
}

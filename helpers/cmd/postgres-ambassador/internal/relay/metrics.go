package relay

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"sync/atomic"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/wire"
	"podpatterns.dev/helpers/internal/exposition"
)

// Metrics are a relay's, counted from its start.
type Metrics struct {
	Connected exposition.Histogram // until a connection to a server was made
	Answered  exposition.Histogram // from what a client sends to the server's being ready for more
	Errors    [len(ErrorClasses)]atomic.Int64
}

// ErrorClasses are why connections get no server, and what servers say.
var ErrorClasses = [...]string{unavailable: "unavailable", refused: "connect", late: "timeout", unverified: "tls", replied: "reply"}

const (
	unavailable = iota // none was right
	refused
	late
	unverified
	replied // a server answered with an error, as to a login or a statement
)

// classOf tells the class of an error of connecting.
func classOf(err error) int {
	var timeout net.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return late
	case errors.As(err, new(*tls.CertificateVerificationError)), errors.As(err, new(tls.AlertError)), errors.As(err, new(tls.RecordHeaderError)),
		errors.Is(err, wire.ErrNoTLS):
		return unverified
	}
	return refused
}

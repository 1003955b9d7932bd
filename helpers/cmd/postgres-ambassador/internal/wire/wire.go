// Package wire is what PostgreSQL's protocol has before a session begins: https://www.postgresql.org/docs/current/protocol-flow.html
package wire

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"
)

const (
	sslRequest    = 80877103
	cancelRequest = 80877102

	// requestLength is the length of a request without a body: its length and its code.
	requestLength = 8
	cancelLength  = 16

	// CannotConnectNow is the SQLSTATE of a server that can't serve yet.
	CannotConnectNow = "57P03"
)

// ErrNoTLS is a server's answer that it has none.
var ErrNoTLS = errors.New("the server offers no TLS: switch it on there (ssl), or take tls out here")

// keepAlive finds out within half a minute that a server is gone without a word.
var keepAlive = net.KeepAliveConfig{Enable: true, Idle: 15 * time.Second, Interval: 5 * time.Second, Count: 3}

// Dial connects with a server, by TLS if config is not nil. Every version of PostgreSQL takes TLS by an SSLRequest.
func Dial(ctx context.Context, address string, config *tls.Config) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive}
	plain, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil || config == nil {
		return plain, err
	}
	conn, err := secure(ctx, plain, config)
	if err != nil {
		plain.Close()
	}
	return conn, err
}

func secure(ctx context.Context, plain net.Conn, config *tls.Config) (net.Conn, error) {
	stop := context.AfterFunc(ctx, func() { plain.Close() })
	defer stop()
	request := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, requestLength), sslRequest)
	if _, err := plain.Write(request); err != nil {
		return nil, err
	}
	// One byte, and nothing after it: what comes before TLS could be anybody's (CVE-2021-23222).
	answer := make([]byte, 1)
	if _, err := io.ReadFull(plain, answer); err != nil {
		return nil, fmt.Errorf("no answer to the request for TLS: %w", err)
	}
	if answer[0] != 'S' {
		return nil, ErrNoTLS
	}
	conn := tls.Client(plain, config)
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, fmt.Errorf("TLS: %w", err)
	}
	return conn, nil
}

// First is what a client says first.
type First struct {
	Bytes []byte // all of a request to cancel, or the beginning of something else
	// Cancel tells that it is a request to cancel what another connection does.
	Cancel bool
}

// ReadFirst reads what a client says first.
func ReadFirst(client io.Reader) (First, error) {
	head := make([]byte, requestLength)
	if _, err := io.ReadFull(client, head); err != nil {
		return First{}, err
	}
	if binary.BigEndian.Uint32(head[4:]) != cancelRequest {
		return First{Bytes: head}, nil
	}
	whole := append(head, make([]byte, cancelLength-requestLength)...)
	_, err := io.ReadFull(client, whole[requestLength:])
	return First{whole, true}, err
}

// Refusal is the message to a client that there is no session for it.
func Refusal(why string) []byte {
	message := pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: CannotConnectNow, Message: why}
	encoded, err := message.Encode(nil)
	if err != nil {
		return nil // longer than a message can be
	}
	return encoded
}

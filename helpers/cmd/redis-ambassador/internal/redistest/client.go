package redistest

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// waitTimeout bounds every wait of a test. A busy machine takes its time; only what never comes reaches it.
const waitTimeout = time.Minute

// Client is a connection whose replies are told as they are on the wire.
type Client struct {
	t      testing.TB
	conn   net.Conn
	unread []byte
}

// Connect connects with a server or an ambassador. The connection ends with the test.
func Connect(t testing.TB, addr string) *Client {
	t.Helper()
	c, err := connect(t, addr)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func connect(t testing.TB, addr string) (*Client, error) {
	conn, err := net.DialTimeout("tcp", addr, waitTimeout)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { conn.Close() })
	return &Client{t: t, conn: conn}, nil
}

// Close ends the connection.
func (c *Client) Close() { c.conn.Close() }

// CloseWrite ends the client's side of the connection.
func (c *Client) CloseWrite() { _ = c.conn.(*net.TCPConn).CloseWrite() }

// Port is the client's own port.
func (c *Client) Port() string {
	_, port, _ := net.SplitHostPort(c.conn.LocalAddr().String())
	return port
}

// Send sends a command.
func (c *Client) Send(args ...string) { c.SendRaw(string(resp.Append(nil, args...))) }

// SendLines sends commands at once, each a line of words.
func (c *Client) SendLines(lines string) {
	var b []byte
	for line := range strings.Lines(lines) {
		b = resp.Append(b, strings.Fields(line)...)
	}
	c.SendRaw(string(b))
}

// SendRaw sends bytes. That it fails is seen by who reads the reply.
func (c *Client) SendRaw(bytes string) { _, _ = c.conn.Write([]byte(bytes)) }

// Read reads a reply, or a push.
func (c *Client) Read() string {
	c.t.Helper()
	reply, err := c.TryRead()
	if err != nil {
		c.t.Fatalf("%v, after %q", err, c.unread)
	}
	return reply
}

// TryRead is Read that may fail.
func (c *Client) TryRead() (string, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(waitTimeout))
	var replies resp.Replies
	for seen := 0; ; {
		n, ended, err := replies.Scan(c.unread[seen:])
		if err != nil {
			return "", err
		}
		if seen += n; ended {
			reply := string(c.unread[:seen])
			c.unread = c.unread[seen:]
			return reply, nil
		}
		b := make([]byte, 64<<10)
		n, err = c.conn.Read(b)
		if n == 0 {
			return "", err
		}
		c.unread = append(c.unread, b[:n]...)
	}
}

// ReadAll reads to the end of the connection.
func (c *Client) ReadAll() string {
	c.t.Helper()
	_ = c.conn.SetReadDeadline(time.Now().Add(waitTimeout))
	all, err := io.ReadAll(c.conn)
	if err != nil {
		return string(all) + err.Error()
	}
	return string(all)
}

// Silent tells whether nothing comes for a moment.
func (c *Client) Silent(moment time.Duration) bool {
	_ = c.conn.SetReadDeadline(time.Now().Add(moment))
	b := make([]byte, 4<<10)
	n, _ := c.conn.Read(b)
	c.unread = append(c.unread, b[:n]...)
	return len(c.unread) == 0
}

// Do sends a command and reads its reply.
func (c *Client) Do(args ...string) string {
	c.t.Helper()
	c.Send(args...)
	return c.Read()
}

// Want is Do that fails the test when the reply is another one.
func (c *Client) Want(reply string, args ...string) {
	c.t.Helper()
	if got := c.Do(args...); got != reply {
		c.t.Fatalf("%q: got %q, want %q", args, got, reply)
	}
}

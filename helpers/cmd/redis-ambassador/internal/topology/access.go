package topology

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strconv"
	"strings"
	"syscall"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

const (
	// dialTimeout bounds a connection's making, TLS included.
	dialTimeout = 2 * time.Second
	// lostAfter is how long a connection is borne over which nothing gets through.
	lostAfter = 20 * time.Second
	// tcpUserTimeout is TCP_USER_TIMEOUT (tcp(7)), which package syscall lacks.
	tcpUserTimeout = 18
)

// KeepAlive makes an idle connection end lostAfter its other side has vanished without a word.
var KeepAlive = net.KeepAliveConfig{Enable: true, Idle: lostAfter / 4, Interval: lostAfter / 4, Count: 3}

// Access has all that it takes to reach servers.
type Access struct {
	TLS      *tls.Config // nil: plain TCP. Without ServerName the address' host is checked.
	Username string      // empty: Redis' default user
	Password string      // empty: no AUTH is sent
}

// Auth is the command that logs in, nil for none.
func (a Access) Auth() []string {
	switch {
	case a.Password == "":
		return nil
	case a.Username == "":
		return []string{"AUTH", a.Password}
	}
	return []string{"AUTH", a.Username, a.Password}
}

// dial connects with the server of a name at an address, without logging in.
func (a Access) dial(ctx context.Context, name, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	dialer := net.Dialer{KeepAliveConfig: KeepAlive, Control: boundLoss}
	if a.TLS == nil {
		return dialer.DialContext(ctx, "tcp", addr)
	}
	config := a.TLS
	if config.ServerName == "" {
		config = config.Clone()
		config.ServerName, _, _ = net.SplitHostPort(name)
	}
	return (&tls.Dialer{NetDialer: &dialer, Config: config}).DialContext(ctx, "tcp", addr)
}

// boundLoss makes a connection end when nobody has taken in for lostAfter what was sent: keep-alive is silent then, and
// the kernel by itself would try for a quarter of an hour.
func boundLoss(_, _ string, conn syscall.RawConn) error {
	var err error
	if failed := conn.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(lostAfter.Milliseconds()))
	}); failed != nil {
		return failed
	}
	return err
}

// client asks a server questions.
type client struct {
	conn    net.Conn
	replies *bufio.Reader
}

func (a Access) client(ctx context.Context, addr string) (*client, error) {
	conn, err := a.dial(ctx, addr, addr)
	if err != nil {
		return nil, err
	}
	c := &client{conn, bufio.NewReaderSize(conn, 4<<10)}
	if auth := a.Auth(); auth != nil {
		if err := c.logIn(auth); err != nil {
			conn.Close()
			return nil, err
		}
	}
	return c, nil
}

func (c *client) logIn(auth []string) error {
	replies, err := c.ask(dialTimeout, auth)
	if err != nil {
		return err
	}
	if refused, ok := replies[0].(resp.Error); ok {
		return refused
	}
	return nil
}

// ask sends commands at once and returns their replies.
func (c *client) ask(timeout time.Duration, commands ...[]string) ([]resp.Value, error) {
	if err := c.conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return nil, err
	}
	var request []byte
	for _, command := range commands {
		request = resp.Append(request, command...)
	}
	if _, err := c.conn.Write(request); err != nil {
		return nil, err
	}
	replies := make([]resp.Value, len(commands))
	for i := range replies {
		reply, err := resp.Read(c.replies)
		if err != nil {
			return nil, err
		}
		replies[i] = reply
	}
	return replies, nil
}

// identity is what stays while a server runs.
type identity struct {
	run     string
	started time.Time
}

// identify asks a server who it is. A node of a Redis Cluster is refused.
func (c *client) identify() (identity, error) {
	replies, err := c.ask(checkTimeout, []string{"INFO", "server"})
	if err != nil {
		return identity{}, err
	}
	info, _ := replies[0].(string) // else it doesn't tell; what it must tell is asked later
	if field(info, "redis_mode") == "cluster" {
		return identity{}, errCluster
	}
	uptime, _ := strconv.Atoi(field(info, "uptime_in_seconds"))
	return identity{field(info, "run_id"), time.Now().Add(-time.Duration(uptime) * time.Second)}, nil
}

// observe asks a server for its role; one that may not tell is what others say it is, if they do. An error means that it
// doesn't answer as a Redis does.
func (c *client) observe(timeout time.Duration, otherwise Role) (observation, error) {
	o := observation{at: time.Now()}
	replies, err := c.ask(timeout, []string{"ROLE"}, []string{"INFO", "replication"}, []string{"PING"})
	if err != nil {
		return observation{}, err
	}
	info, _ := replies[1].(string)
	role, err := array(replies[0])
	switch {
	case err == nil:
		o.readRole(role)
	case !denied(err):
		return o, err
	case info != "":
		o.readInfo(info)
	default:
		o.role, o.linked = otherwise, true
	}
	if o.role == "" {
		return o, errors.Join(err, errors.New("it is neither a primary nor a replica"))
	}
	o.id, o.priorID = field(info, "master_replid"), field(info, "master_replid2")
	if strings.Trim(o.priorID, "0") == "" { // none
		o.priorID = ""
	}
	ping, _ := replies[2].(resp.Error) // else it says LOADING, MASTERDOWN, …
	o.serves = replies[2] == "PONG" || ping.Code() == "NOPERM"
	return o, nil
}

func (o *observation) readRole(role []resp.Value) {
	switch role[0] {
	case "master": // master, offset, replicas
		if len(role) > 1 {
			o.offset, _ = role[1].(int64)
		}
		o.role = Primary
	case "slave": // slave, host, port, state of the link, offset
		if len(role) > 4 {
			o.linked = role[3] == "connected"
			o.offset, _ = role[4].(int64)
		}
		o.role = Replica
	}
}

// readInfo reads the role where only INFO tells it.
func (o *observation) readInfo(info string) {
	offset := "master_repl_offset"
	switch field(info, "role") {
	case "master":
		o.role = Primary
	case "slave":
		o.role, o.linked, offset = Replica, field(info, "master_link_status") == "up", "slave_repl_offset"
	}
	o.offset, _ = strconv.ParseInt(field(info, offset), 10, 64)
}

// busy tells whether the error says that a script runs (BUSY), which is no reason to leave a server.
func busy(err error) bool {
	var reply resp.Error
	return errors.As(err, &reply) && reply.Code() == "BUSY"
}

func array(reply resp.Value) ([]resp.Value, error) {
	switch value := reply.(type) {
	case resp.Error:
		return nil, value
	case []resp.Value:
		if len(value) > 0 {
			return value, nil
		}
	}
	return nil, errors.New("unexpected reply; is this a Redis?")
}

// field is a value of INFO's lines.
func field(info, name string) string {
	for line := range strings.SplitSeq(info, "\r\n") {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			return value
		}
	}
	return ""
}

package pgbouncer

import (
	"cmp"
	"fmt"
	"strings"

	"podpatterns.dev/helpers/internal/loopback"
)

// MaxClients is how many clients a port takes.
const MaxClients = 4000

// MaxPassword is the length of a password with which SCRAM works in PgBouncer 1.18.
const MaxPassword = 1000

// Mode says when a connection of a server is free for another client: after a session, or after a transaction.
type Mode string

// The modes.
const (
	Session     Mode = "session"
	Transaction Mode = "transaction"
)

// Settings are those of one port.
type Settings struct {
	Port           int
	Database       string // empty for any
	User, Password string
	Mode           Mode
	Size           int // connections to the servers, for each database; 0 for no limit
}

// ini returns PgBouncer's configuration. https://www.pgbouncer.org/config.html
//
// A client that is on localhost needs no password, but says who it is. At the console is only who comes by the Unix
// socket as the same user of the system, so nobody is in admin_users.
func (s Settings) ini(directory, server string) string {
	addresses := "127.0.0.1"
	if loopback.HasIPv6() {
		addresses += ",::1"
	}
	return fmt.Sprintf(`[databases]
%s = host=%s port=%d

[pgbouncer]
listen_addr = %s
listen_port = %d
unix_socket_dir = %s
unix_socket_mode = 0700
auth_type = trust
auth_file = %s/%s
max_client_conn = %d
pool_mode = %s
default_pool_size = %d
server_idle_timeout = 60
server_tls_sslmode = disable
server_login_retry = 1
server_connect_timeout = %d
query_wait_timeout = %d
ignore_startup_parameters = extra_float_digits
log_connections = 0
log_disconnections = 0
log_stats = 0
`, cmp.Or(s.Database, "*"), server, ServerPort, addresses, s.Port, directory, directory, usersFile,
		MaxClients, s.Mode, cmp.Or(s.Size, MaxClients), connectSeconds, waitSeconds)
}

// users returns the file of the one that may log in, and does at the servers.
func (s Settings) users() string {
	return fmt.Sprintf("%s %s\n", quoted(s.User), quoted(s.Password))
}

func quoted(text string) string {
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}

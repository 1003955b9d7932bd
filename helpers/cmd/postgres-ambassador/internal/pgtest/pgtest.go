// Package pgtest runs real PostgreSQL servers.
package pgtest

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"podpatterns.dev/helpers/internal/certtest"
	"podpatterns.dev/helpers/internal/processtest"
)

const (
	// Owner is the superuser, by the server's own socket alone.
	Owner = "owner"
	// User, Password and Database are those of an application. There is no user postgres.
	User, Password, Database = "shop", `it's "a" p\w`, "shop"
)

// Programs returns the directory of PostgreSQL's.
var Programs = sync.OnceValue(func() string {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	slices.Sort(found)
	return found[len(found)-1]
})

// Unprivileged returns the words to put before a command that refuses to be root's: files stay root's.
func Unprivileged() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	return []string{"unshare", "--user", "--map-user=nobody", "--"}
}

// Server is one PostgreSQL.
type Server struct {
	t       testing.TB
	data    string
	sockets string
	Port    int
	Addr    string
	process *exec.Cmd
	log     processtest.Log
	// Authority signed its certificate, for 127.0.0.1 and no name; nil without TLS.
	Authority *certtest.Authority
}

var blankDirectory string

// blank is a cluster with the application's user and database; copying one is faster than making it.
var blank = sync.OnceValues(func() (string, error) {
	directory, err := os.MkdirTemp("", "pg")
	if err != nil {
		return "", err
	}
	blankDirectory = directory
	data := filepath.Join(directory, "data")
	if output, err := command("initdb", "-D", data, "-U", Owner, "-A", "trust", "--no-sync").CombinedOutput(); err != nil {
		return "", fmt.Errorf("initdb: %w: %s", err, output)
	}
	sql := fmt.Sprintf("CREATE USER %s PASSWORD '%s' REPLICATION;\nCREATE DATABASE %s OWNER %[1]s;\n", User, strings.ReplaceAll(Password, "'", "''"), Database)
	single := command("postgres", "--single", "-D", data, "postgres")
	single.Stdin = strings.NewReader(sql)
	if output, err := single.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, output)
	}
	return data, nil
})

// Tidy removes what all servers began as.
func Tidy() {
	if blankDirectory != "" {
		os.RemoveAll(blankDirectory)
	}
}

func command(program string, arguments ...string) *exec.Cmd {
	words := append(Unprivileged(), append([]string{filepath.Join(Programs(), program)}, arguments...)...)
	return exec.Command(words[0], words[1:]...)
}

// Start runs a server whose pg_hba.conf lets the application in from everywhere by SCRAM: by TLS alone, if there is an
// authority for its certificate.
func Start(t testing.TB, authority *certtest.Authority) *Server {
	t.Helper()
	s := create(t, authority)
	data, err := blank()
	if err != nil {
		t.Fatal(err)
	}
	s.run(exec.Command("cp", "-a", data, s.data))
	access := "host"
	if authority != nil {
		access = "hostssl"
	}
	s.write("pg_hba.conf", "local all "+Owner+" trust\nlocal replication "+Owner+" trust\n"+access+" all,replication "+User+" all scram-sha-256\n")
	s.certify()
	s.Restart()
	return s
}

// Standby runs a replica of s.
func (s *Server) Standby() *Server {
	s.t.Helper()
	r := create(s.t, s.Authority)
	s.run(command("pg_basebackup", "-h", s.sockets, "-p", strconv.Itoa(s.Port), "-U", Owner, "-D", r.data, "-X", "stream", "-c", "fast", "--no-sync"))
	r.write("standby.signal", "")
	r.write("postgresql.auto.conf", fmt.Sprintf("primary_conninfo = 'host=%s port=%d user=%s'\nwal_retrieve_retry_interval = 200\n", s.sockets, s.Port, Owner))
	r.certify()
	r.Restart()
	return r
}

func create(t testing.TB, authority *certtest.Authority) *Server {
	t.Helper()
	directory, err := os.MkdirTemp("", "pg") // a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, data: filepath.Join(directory, "data"), sockets: directory, Port: processtest.FreePort(t), Authority: authority}
	s.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(s.Port))
	t.Cleanup(func() {
		s.Stop()
		os.RemoveAll(directory)
		if t.Failed() {
			t.Logf("log of %s:\n%s", s.Addr, s.log.String())
		}
	})
	return s
}

func (s *Server) certify() {
	s.t.Helper()
	if s.Authority == nil {
		return
	}
	cert, key := s.Authority.Issue("127.0.0.1")
	s.write("server.crt", cert)
	s.write("server.key", key)
	s.write("ca.crt", s.Authority.PEM)
}

func (s *Server) write(name, content string) {
	s.t.Helper()
	if err := os.WriteFile(filepath.Join(s.data, name), []byte(content), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// Access exchanges the lines of pg_hba.conf for applications.
func (s *Server) Access(lines string) {
	s.t.Helper()
	s.write("pg_hba.conf", "local all "+Owner+" trust\nlocal replication "+Owner+" trust\n"+lines+"\n")
	s.Do("SELECT pg_reload_conf()")
}

// Address returns the server's, without its port.
func (s *Server) Address() netip.Addr { return netip.MustParseAddrPort(s.Addr).Addr() }

// Restart starts the server, or starts it anew.
func (s *Server) Restart() {
	s.t.Helper()
	s.Stop()
	settings := []string{"-D", s.data, "-c", "port=" + strconv.Itoa(s.Port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=" + s.sockets,
		"-c", "fsync=off", "-c", "shared_buffers=16MB", "-c", "wal_level=replica", "-c", "hot_standby=on", "-c", "dynamic_shared_memory_type=mmap"}
	if s.Authority != nil {
		settings = append(settings, "-c", "ssl=on", "-c", "ssl_ca_file=ca.crt")
	}
	s.process = command("postgres", settings...)
	s.process.Stdout, s.process.Stderr = &s.log, &s.log
	s.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.process.Start(); err != nil {
		s.t.Fatal(err)
	}
	processtest.Eventually(s.t, "PostgreSQL starts", func() bool { return s.psql("postgres", "").Run() == nil })
}

// Stop ends the server at once, and its connections.
func (s *Server) Stop() {
	if s.process == nil {
		return
	}
	s.Hang(false)
	_ = s.process.Process.Signal(syscall.SIGQUIT)
	_ = s.process.Wait()
	s.process = nil
}

// Hang stops all the server's processes, or lets them go on.
func (s *Server) Hang(hang bool) {
	signal := syscall.SIGCONT
	if hang {
		signal = syscall.SIGSTOP
	}
	// The postmaster makes groups of its own for its children.
	for _, pid := range append(children(s.process.Process.Pid), s.process.Process.Pid) {
		_ = syscall.Kill(pid, signal)
	}
}

func children(parent int) []int {
	output, _ := exec.Command("ps", "-o", "pid=", "--ppid", strconv.Itoa(parent)).Output()
	var pids []int
	for _, field := range strings.Fields(string(output)) {
		if pid, err := strconv.Atoi(field); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *Server) psql(database, sql string) *exec.Cmd {
	return exec.Command(filepath.Join(Programs(), "psql"), "-h", s.sockets, "-p", strconv.Itoa(s.Port), "-U", Owner, "-d", database,
		"-v", "ON_ERROR_STOP=1", "-qAtX", "-c", sql)
}

// Do executes SQL as the owner, and returns its output.
func (s *Server) Do(sql string) string {
	s.t.Helper()
	return s.DoIn("postgres", sql)
}

// DoIn does so in another database.
func (s *Server) DoIn(database, sql string) string {
	s.t.Helper()
	output, err := s.psql(database, sql).CombinedOutput()
	if err != nil {
		s.t.Fatalf("%s: %v: %s", sql, err, output)
	}
	return strings.TrimSpace(string(output))
}

// Promote makes the primary of a replica.
func (s *Server) Promote() {
	s.t.Helper()
	if s.Do("SELECT pg_promote(true, 60)") != "t" {
		s.t.Fatal("not promoted")
	}
}

// Synced waits until a replica has what s has.
func (s *Server) Synced(replica *Server) {
	s.t.Helper()
	lsn := s.Do("SELECT pg_current_wal_lsn()")
	processtest.Eventually(s.t, "the replica has it all", func() bool {
		return replica.Do("SELECT pg_last_wal_replay_lsn() >= '"+lsn+"'::pg_lsn") == "t"
	})
}

// Log returns what the server has written.
func (s *Server) Log() string { return s.log.String() }

func (s *Server) run(c *exec.Cmd) {
	s.t.Helper()
	c.WaitDelay = time.Minute
	if output, err := c.CombinedOutput(); err != nil {
		s.t.Fatalf("%v: %v: %s", c.Args, err, output)
	}
}

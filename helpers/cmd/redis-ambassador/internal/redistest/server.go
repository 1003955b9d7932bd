// Package redistest starts real Redis servers for tests, and talks to them and to what stands before them.
package redistest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

// Server is a redis-server that runs.
type Server struct {
	t       testing.TB
	Addr    string
	args    []string
	command *exec.Cmd
	ended   chan struct{}
	log     processtest.Log
}

// Start starts a server on a free port of 127.0.0.1, with settings as on redis-server's command line. It ends with the
// test.
func Start(t testing.TB, settings ...string) *Server {
	t.Helper()
	return StartAt(t, processtest.FreeAddress(t), settings...)
}

// StartAt is Start at an address.
func StartAt(t testing.TB, addr string, settings ...string) *Server {
	t.Helper()
	s := &Server{t: t, Addr: addr}
	host, port, _ := net.SplitHostPort(addr)
	s.args = append([]string{"--port", port, "--bind", host, "--dir", t.TempDir(), "--save", "",
		"--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}, settings...)
	t.Cleanup(func() {
		s.Kill()
		if t.Failed() {
			t.Logf("warnings of redis-server %s:\n%s", s.Addr, s.warnings())
		}
	})
	s.Restart()
	return s
}

func (s *Server) waitAnswers() {
	s.t.Helper()
	processtest.Eventually(s.t, s.Addr+" answers", func() bool {
		reply := s.ask("PING")
		return reply == "+PONG\r\n" || strings.HasPrefix(reply, "-NOAUTH")
	})
}

// Restart starts the server anew, as it was started first, on the same port, and waits until it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.command = exec.Command("redis-server", s.args...)
	s.command.Stdout = &s.log
	s.command.Stderr = &s.log
	if err := s.command.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan struct{})
	s.ended = ended
	command := s.command
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	s.waitAnswers()
}

// StartReplica starts a replica and waits until it follows.
func StartReplica(t testing.TB, primary *Server, settings ...string) *Server {
	t.Helper()
	s := Start(t, append([]string{"--replicaof", "127.0.0.1 " + primary.Port()}, settings...)...)
	s.waitLinked()
	return s
}

func (s *Server) waitLinked() {
	s.t.Helper()
	processtest.Eventually(s.t, s.Addr+" follows its primary", func() bool {
		return bytes.Contains([]byte(s.ask("INFO", "replication")), []byte("master_link_status:up"))
	})
}

// Port is the server's port.
func (s *Server) Port() string {
	_, port, _ := net.SplitHostPort(s.Addr)
	return port
}

// Promote makes a replica a primary.
func (s *Server) Promote() { s.Do("REPLICAOF", "NO", "ONE") }

// Follow makes the server a replica of another one, and waits until it follows.
func (s *Server) Follow(primary *Server) {
	s.t.Helper()
	s.Do("REPLICAOF", "127.0.0.1", primary.Port())
	s.waitLinked()
}

// Do sends a command and fails the test when there is no answer.
func (s *Server) Do(args ...string) string {
	s.t.Helper()
	c := Connect(s.t, s.Addr)
	defer c.Close()
	return c.Do(args...)
}

// ask sends a command; without an answer it returns what went wrong.
func (s *Server) ask(args ...string) string {
	c, err := connect(s.t, s.Addr)
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	c.Send(args...)
	reply, err := c.TryRead()
	if err != nil {
		return err.Error()
	}
	return reply
}

// Kill ends the server as kill -9 does.
func (s *Server) Kill() {
	if s.ended == nil { // it could not be started
		return
	}
	_ = s.command.Process.Kill()
	<-s.ended
}

// Pause makes the server hang; its connections stay.
func (s *Server) Pause() { _ = s.command.Process.Signal(syscall.SIGSTOP) }

// Continue ends Pause.
func (s *Server) Continue() { _ = s.command.Process.Signal(syscall.SIGCONT) }

// Calls counts the calls of a command since the server's start or CONFIG RESETSTAT.
func (s *Server) Calls(command string) int {
	s.t.Helper()
	var calls int
	for line := range bytes.SplitSeq([]byte(s.Do("INFO", "commandstats")), []byte("\r\n")) {
		if rest, ok := bytes.CutPrefix(line, []byte("cmdstat_"+command+":calls=")); ok {
			_, _ = fmt.Sscanf(string(rest), "%d", &calls)
		}
	}
	return calls
}

// StartSentinel starts a Sentinel that watches the primary under a name. It finds no server down, however slow the
// machine is, until Suspect; then it fails over although no other Sentinel has seen anything.
func StartSentinel(t testing.TB, name string, primary *Server) *Server {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sentinel.conf")
	content := fmt.Sprintf("sentinel monitor %[1]s 127.0.0.1 %[2]s 1\nsentinel down-after-milliseconds %[1]s 3600000\n"+
		"sentinel failover-timeout %[1]s 10000\n", name, primary.Port())
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Addr: processtest.FreeAddress(t)}
	s.args = []string{file, "--sentinel", "--port", s.Port(), "--bind", "127.0.0.1"}
	t.Cleanup(s.Kill)
	s.Restart()
	return s
}

// Suspect makes a Sentinel find a primary down that doesn't answer for a second. Ask it of one Sentinel: of several that
// want to lead a failover at once none may win, and they begin again only after twice the failover's timeout.
// (https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-states-and-configuration-propagation)
func (s *Server) Suspect(name string) {
	s.Do("SENTINEL", "SET", name, "down-after-milliseconds", "1000")
}

// warnings returns the lines of the log that Redis marks with #.
func (s *Server) warnings() string {
	var found strings.Builder
	for line := range strings.Lines(s.log.String()) {
		if strings.Contains(line, " # ") {
			found.WriteString(line)
		}
	}
	return found.String()
}

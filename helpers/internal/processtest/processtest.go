// Package processtest runs the program under test as a process of its own.
//
// The test binary is the program: TestMain calls Main, and Command starts the binary anew. So the tests run exactly the
// code under test, with its signals and exit codes.
package processtest

import (
	"bytes"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	// asProgram is set in the environment of a test binary that is to be the program.
	asProgram = "PODPATTERNS_TEST_AS_PROGRAM"
	// waitTimeout bounds every wait of a test. A busy machine takes its time; only what never comes reaches it.
	waitTimeout = time.Minute
)

// Main runs the program where Command has started it, otherwise the tests, and what tidies up after them.
func Main(m *testing.M, program func(), tidy ...func()) {
	if os.Getenv(asProgram) != "" {
		program()
		return
	}
	code := m.Run()
	for _, after := range tidy {
		after()
	}
	os.Exit(code)
}

// Command returns the program with its arguments, to be started.
func Command(arguments ...string) *exec.Cmd {
	command := exec.Command(os.Args[0], arguments...)
	// A read-only image has no /tmp and no home.
	command.Env = append(os.Environ(), asProgram+"=1", "TMPDIR=/nonexistent", "HOME=/nonexistent")
	return command
}

// Process is a program that runs.
type Process struct {
	t       testing.TB
	command *exec.Cmd
	ended   chan struct{}
	log     Log
}

// Start starts the program. It is killed when the test ends; the log of a failed test has what it wrote.
func Start(t testing.TB, arguments ...string) *Process {
	t.Helper()
	p := &Process{t: t, command: Command(arguments...), ended: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = &p.log, &p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.Kill()
		if t.Failed() {
			t.Logf("log:\n%s", p.Log())
		}
	})
	return p
}

// PID returns the process's number.
func (p *Process) PID() int { return p.command.Process.Pid }

// Log returns what the program has written so far.
func (p *Process) Log() string { return p.log.String() }

// Terminate tells the program to end, as the kubelet does.
func (p *Process) Terminate() { _ = p.Signal(syscall.SIGTERM) }

// Signal sends the program a signal.
func (p *Process) Signal(signal os.Signal) error { return p.command.Process.Signal(signal) }

// Kill kills the program, and waits until it has ended.
func (p *Process) Kill() {
	_ = p.Signal(os.Kill)
	<-p.ended
}

// Ended tells whether the program has ended.
func (p *Process) Ended() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Wait waits until the program has ended, and returns its exit code.
func (p *Process) Wait() int {
	p.t.Helper()
	select {
	case <-p.ended:
	case <-time.After(waitTimeout):
		p.t.Fatalf("the program has not ended within %s", waitTimeout)
	}
	return p.command.ProcessState.ExitCode()
}

// Eventually waits until a condition holds. It fails at once when the program has ended before.
func (p *Process) Eventually(what string, holds func() bool) {
	p.t.Helper()
	Eventually(p.t, what, func() bool {
		if holds() {
			return true
		}
		select {
		case <-p.ended:
			p.t.Fatalf("the program has ended before: %s", what)
		default:
		}
		return false
	})
}

// Eventually waits until a condition holds.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(waitTimeout); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("not within %s: %s", waitTimeout, what)
		}
	}
}

// Log collects what a process writes.
type Log struct {
	mu      sync.Mutex
	written bytes.Buffer
}

// Write adds b.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written.Write(b)
}

// String returns what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.written.String()
}

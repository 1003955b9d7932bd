package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
)

// asProgram makes the test binary be redis-ambassador, so that the tests run exactly the code under test as a process.
const asProgram = "BE_REDIS_AMBASSADOR"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a redis-ambassador that runs.
type process struct {
	t       *testing.T
	command *exec.Cmd
	ended   chan struct{}
	addr    string // where it listens, when started by ambassador
	http    string

	mu     sync.Mutex
	stderr bytes.Buffer
}

// start runs redis-ambassador; it serves HTTP.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, http: redistest.FreeAddr(t), ended: make(chan struct{})}
	p.command = exec.Command(os.Args[0], append([]string{"--metrics-bind", p.http}, args...)...)
	p.command.Env = append(os.Environ(), asProgram+"=1")
	p.command.Stderr = p
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		if t.Failed() {
			t.Logf("log of redis-ambassador:\n%s", p.log())
		}
	})
	return p
}

// ambassador runs redis-ambassador before the servers and waits until it knows the primary and all replicas.
func ambassador(t *testing.T, servers []*redistest.Server, args ...string) *process {
	t.Helper()
	addr := redistest.FreeAddr(t)
	args = append([]string{"--listen", addr}, args...)
	for _, s := range servers {
		args = append(args, "--endpoint", s.Addr)
	}
	p := start(t, args...)
	p.addr = addr
	p.waitFit(servers...)
	return p
}

// waitFit waits until all these servers are in use.
func (p *process) waitFit(servers ...*redistest.Server) {
	p.t.Helper()
	for _, s := range servers {
		redistest.Eventually(p.t, s.Addr+" is in use", func() bool { return p.fit(s) })
	}
}

// waitPrimary waits until the server is the primary.
func (p *process) waitPrimary(s *redistest.Server) {
	p.t.Helper()
	redistest.Eventually(p.t, s.Addr+" is the primary", func() bool {
		for line := range strings.Lines(p.metrics()) {
			if strings.HasPrefix(line, "redis_ambassador_server_fit") && strings.Contains(line, `server="`+s.Addr+`",role="primary"} 1`) {
				return true
			}
		}
		return false
	})
}

func (p *process) fit(s *redistest.Server) bool {
	for line := range strings.Lines(p.metrics()) {
		if strings.HasPrefix(line, "redis_ambassador_server_fit") && strings.Contains(line, `server="`+s.Addr+`"`) {
			return strings.HasSuffix(line, " 1\n")
		}
	}
	return false
}

// connect makes a client.
func (p *process) connect() *redistest.Client { return redistest.Connect(p.t, p.addr) }

func (p *process) metrics() string {
	_, body := p.get("/metrics")
	return body
}

// hasMetric tells whether /metrics has the line.
func (p *process) hasMetric(line string) bool { return strings.Contains(p.metrics(), line+"\n") }

// hasConnections tells whether so many connections to a server are there for clients.
func (p *process) hasConnections(server string, n int) bool {
	return p.hasMetric(fmt.Sprintf(`redis_ambassador_server_connections{upstream="redis",server="%s"} %d`, server, n))
}

func (p *process) get(path string) (status int, body string) {
	response, err := http.Get("http://" + p.http + path)
	if err != nil {
		return 0, ""
	}
	defer response.Body.Close()
	content, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(content)
}

func (p *process) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.Write(b)
}

func (p *process) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.stderr.String()
}

func (p *process) terminate() { _ = p.command.Process.Signal(syscall.SIGTERM) }

// wait returns the exit code.
func (p *process) wait() int {
	p.t.Helper()
	redistest.Eventually(p.t, "redis-ambassador ends", func() bool {
		select {
		case <-p.ended:
			return true
		default:
			return false
		}
	})
	return p.command.ProcessState.ExitCode()
}

// trio is a primary and two replicas.
func trio(t *testing.T, settings ...string) []*redistest.Server {
	t.Helper()
	primary := redistest.Start(t, settings...)
	return []*redistest.Server{primary, redistest.StartReplica(t, primary, settings...), redistest.StartReplica(t, primary, settings...)}
}

func (p *process) residentMiB() int {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	var kib int
	for line := range strings.Lines(string(content)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			_, _ = fmt.Sscan(rest, &kib)
		}
	}
	return kib >> 10
}

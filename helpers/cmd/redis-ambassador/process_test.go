package main

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

// process is a redis-ambassador that runs.
type process struct {
	*processtest.Process
	t    *testing.T
	addr string // where it listens, when started by ambassador
	http string
}

// start runs redis-ambassador; it serves HTTP.
func start(t *testing.T, args ...string) *process {
	t.Helper()
	p := &process{t: t, http: processtest.FreeAddress(t)}
	p.Process = processtest.Start(t, append([]string{"--metrics-bind", p.http}, args...)...)
	return p
}

// ambassador runs redis-ambassador before the servers and waits until it knows the primary and all replicas.
func ambassador(t *testing.T, servers []*redistest.Server, args ...string) *process {
	t.Helper()
	addr := processtest.FreeAddress(t)
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
		processtest.Eventually(p.t, s.Addr+" is in use", func() bool { return p.fit(s) })
	}
}

// waitPrimary waits until the server is the primary.
func (p *process) waitPrimary(s *redistest.Server) {
	p.t.Helper()
	processtest.Eventually(p.t, s.Addr+" is the primary", func() bool {
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
	return processtest.Get("http://" + p.http + path)
}

// trio is a primary and two replicas.
func trio(t *testing.T, settings ...string) []*redistest.Server {
	t.Helper()
	primary := redistest.Start(t, settings...)
	return []*redistest.Server{primary, redistest.StartReplica(t, primary, settings...), redistest.StartReplica(t, primary, settings...)}
}

func (p *process) residentMiB() int {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
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

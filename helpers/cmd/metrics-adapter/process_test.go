package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// asProgram makes the test binary be metrics-adapter, so that the tests run exactly the code under test as a process.
const asProgram = "BE_METRICS_ADAPTER"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

func command(args ...string) *exec.Cmd {
	c := exec.Command(os.Args[0], args...)
	// A read-only image has no /tmp and no home.
	c.Env = append(os.Environ(), asProgram+"=1", "TMPDIR=/nonexistent", "HOME=/nonexistent")
	return c
}

// process is a metrics-adapter that runs.
type process struct {
	t       *testing.T
	command *exec.Cmd
	ended   chan struct{}
	dir     string // with the configuration, and the volume logs
	port    int

	mu     sync.Mutex
	stderr bytes.Buffer
}

// start runs an adapter with a configuration, in which {{port}} stands for the metrics' port.
func start(t *testing.T, config string, args ...string) *process {
	t.Helper()
	p := &process{t: t, ended: make(chan struct{}), dir: t.TempDir(), port: freePort(t)}
	if err := os.Mkdir(filepath.Join(p.dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.configure(config)
	p.command = command(append([]string{"--config", p.path("config.yaml"), "--volumes", p.dir, "--bind", "127.0.0.1"}, args...)...)
	p.command.Stderr = p
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait()
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.ended:
			if code := p.command.ProcessState.ExitCode(); code != 0 {
				t.Errorf("exit status %d", code)
			}
		case <-time.After(10 * time.Second):
			t.Error("doesn't stop when told to")
			_ = p.command.Process.Kill()
		}
		if t.Failed() {
			t.Logf("log:\n%s", p.log())
		}
	})
	p.eventually("is there", func() bool { return p.get("/healthz", "") != "unreachable" })
	return p
}

// configure writes the configuration as the kubelet does: the file is a link into a directory that is replaced.
func (p *process) configure(config string) {
	p.t.Helper()
	made, err := os.MkdirTemp(p.dir, "..data-")
	if err != nil {
		p.t.Fatal(err)
	}
	write(p.t, filepath.Join(made, "config.yaml"), strings.ReplaceAll(config, "{{port}}", fmt.Sprint(p.port)))
	next := p.path("..data-next")
	if err := os.Symlink(made, next); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(next, p.path("..data")); err != nil {
		p.t.Fatal(err)
	}
	_ = os.Symlink("..data/config.yaml", p.path("config.yaml")) // there from the second time on
}

func (p *process) path(name string) string { return filepath.Join(p.dir, name) }

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

func (p *process) eventually(what string, holds func() bool) {
	p.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("not within 20 s: %s; there is\n%s", what, p.metrics())
		}
		select {
		case <-p.ended:
			p.t.Fatalf("ended before: %s", what)
		default:
		}
	}
}

// get is the body of the answer, or unreachable.
func (p *process) get(path, accept string) string {
	request, err := http.NewRequest(http.MethodGet, fmt.Sprintf("http://127.0.0.1:%d%s", p.port, path), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "unreachable"
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "unreachable"
	}
	return string(body)
}

func (p *process) metrics() string { return p.get("/metrics", "") }

// waitFor waits until the metrics have these lines.
func (p *process) waitFor(lines ...string) {
	p.t.Helper()
	p.eventually(strings.Join(lines, ", "), func() bool {
		shown := p.metrics()
		for _, line := range lines {
			if !strings.Contains("\n"+shown, "\n"+line+"\n") {
				return false
			}
		}
		return true
	})
}

// series are the metrics of the application, without comments and the adapter's own.
func (p *process) series() string {
	return regexp.MustCompile(`(?m)^(#|adapter_).*\n`).ReplaceAllString(p.metrics(), "")
}

// contract is what /contract says, but for the digest.
func (p *process) contract() string {
	var report map[string]any
	if err := json.Unmarshal([]byte(p.get("/contract", "")), &report); err != nil {
		return err.Error()
	}
	return fmt.Sprint(report["contract"], " ", report["satisfied"], " ", report["missing"])
}

// freePort is a port of loopback at which nobody listens. It is none of those that the kernel gives to
// connections (net.ipv4.ip_local_port_range, from 32768 on): one of the many under way would at times take it first.
func freePort(t *testing.T) int {
	t.Helper()
	for range 100 {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(10_000+rand.IntN(20_000))))
		if err == nil {
			defer listener.Close()
			return listener.Addr().(*net.TCPAddr).Port
		}
	}
	t.Fatal("no port of loopback is free")
	return 0
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// runAs runs a shell script and returns what ends it.
func runAs(t *testing.T, shell, script string) func() {
	t.Helper()
	c := exec.Command(shell, "-c", script)
	input, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	end := sync.OnceFunc(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = input.Close()
	})
	t.Cleanup(end)
	return end
}

// value of a series in Prometheus text, -1 if there is none.
func value(text, series string) float64 {
	for line := range strings.Lines(text) {
		if number, found := strings.CutPrefix(line, series+" "); found {
			var v float64
			if _, err := fmt.Sscan(number, &v); err == nil {
				return v
			}
		}
	}
	return -1
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

func TestMain(m *testing.M) { processtest.Main(m, main) }

// process is a metrics-adapter that runs.
type process struct {
	*processtest.Process
	t    *testing.T
	dir  string // with the configuration, and the volume logs
	port int
}

// start runs an adapter with a configuration, in which {{port}} stands for the metrics' port. It has to stop in good
// order when the test ends.
func start(t *testing.T, config string, args ...string) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir(), port: processtest.FreePort(t)}
	if err := os.Mkdir(filepath.Join(p.dir, "logs"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.configure(config)
	p.Process = processtest.Start(t, append([]string{"--config", p.path("config.yaml"), "--volumes", p.dir, "--bind", "127.0.0.1"}, args...)...)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("metrics:\n%s", p.metrics())
		}
		p.Terminate()
		if code := p.Wait(); code != 0 {
			t.Errorf("exit status %d", code)
		}
	})
	p.Eventually("is there", func() bool { return p.get("/healthz", "") != "unreachable" })
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
	p.Eventually(strings.Join(lines, ", "), func() bool {
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

// contract returns the answer of /contract, without the digest.
func (p *process) contract() string {
	var report map[string]any
	if err := json.Unmarshal([]byte(p.get("/contract", "")), &report); err != nil {
		return err.Error()
	}
	return fmt.Sprint(report["contract"], " ", report["satisfied"], " ", report["missing"])
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

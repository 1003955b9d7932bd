package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"podpatterns.dev/helpers/internal/processtest"
)

// A configuration with a source that misbehaves and one that doesn't.
const troubled = `
contract: {name: custom, metrics: [{name: app_x_total, type: counter}, {name: app_good_total, type: counter}]}
metrics: {port: {{port}}}
sources:
- {name: bad, type: json, json: {url: "%s", interval: 300ms}}
- {name: page, type: prometheus, prometheus: {url: "%[1]s", interval: 300ms}}
- {name: good, type: log, log: {volume: logs, path: access.log}}
rules:
- {source: bad, path: x, metric: app_x_total}
- {source: bad, path: x, metric: app_x_now}
- {source: page, path: x, metric: app_page_total}
- {source: good, regex: x, metric: app_good_total}
`

// Each trouble is told, harms no other source, and is over when it is over.
func TestASourceInTrouble(t *testing.T) {
	t.Parallel()
	for name, trouble := range map[string]http.HandlerFunc{
		"dead":    func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		"failing": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		"slow":    func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"garbage": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "\x00{[}x 1 2 3\xff") },
		"truncated": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			fmt.Fprint(w, "{")
		},
		"huge": func(w http.ResponseWriter, _ *http.Request) {
			for _, err := fmt.Fprint(w, `{"x":"`); err == nil; _, err = fmt.Fprint(w, strings.Repeat("x", 1<<20)) {
			}
		},
		"nested": func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat("[", 1<<20)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var well atomic.Bool
			well.Store(true)
			app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case !well.Load():
					trouble(w, r)
				case strings.HasPrefix(r.Header.Get("Accept"), "text/"):
					fmt.Fprintln(w, "x 5")
				default:
					fmt.Fprint(w, `{"x": 5}`)
				}
			}))
			defer app.Close()
			p := start(t, fmt.Sprintf(troubled, app.URL))
			p.waitFor(`adapter_source_up{source="bad"} 1`, `adapter_source_up{source="page"} 1`, "app_x_total 5", "app_x_now 5")
			well.Store(false)
			p.waitFor(`adapter_source_up{source="bad"} 0`, `adapter_source_up{source="page"} 0`, "app_x_total 5", "app_page_total 5")
			if strings.Contains(p.metrics(), "app_x_now") {
				t.Error("a gauge is told that nobody knows")
			}
			write(t, p.path("logs/access.log"), "x\nx\n")
			p.waitFor("app_good_total 2")
			// A page goes on without end. What is taken of two of them is a few times 4 MiB.
			if peak := p.peakMemory(); peak > 128<<20 {
				t.Errorf("took %d MiB", peak>>20)
			}
			well.Store(true)
			p.waitFor(`adapter_source_up{source="bad"} 1`, `adapter_source_up{source="page"} 1`, "app_x_total 5", "app_x_now 5")
		})
	}
}

// peakMemory is the most that was resident at once.
func (p *process) peakMemory() int {
	p.t.Helper()
	for line := range strings.Lines(read(p.t, fmt.Sprintf("/proc/%d/status", p.PID()))) {
		if kib, found := strings.CutPrefix(line, "VmHWM:"); found {
			n, err := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(kib), "kB")))
			if err != nil {
				p.t.Fatal(err)
			}
			return n << 10
		}
	}
	p.t.Fatal("no VmHWM")
	return 0
}

const sending = `
contract: {name: custom, metrics: [{name: app_x_total, type: counter}]}
metrics: {port: {{port}}}
sources:
- {name: sent, type: statsd, statsd: {port: %d}}
rules:
- {source: sent, path: x, metric: app_x_total}
`

func TestStatsdInTrouble(t *testing.T) {
	t.Parallel()
	port := processtest.FreePort(t)
	p := start(t, fmt.Sprintf(sending, port))
	p.waitFor(`adapter_source_up{source="sent"} 1`)
	stream := dial(t, "tcp", port)
	fmt.Fprint(stream, strings.Repeat("x", 1<<20)+"\nx:1|c\nx:1|c") // too long, fine, without an end
	stream.Close()
	p.waitFor("app_x_total 2", `adapter_unmatched_total{source="sent"} 1`)
	packet := dial(t, "udp", port)
	fmt.Fprint(packet, "\x00\xff")
	fmt.Fprint(packet, "x:1|c\nnonsense\nother:1|c\nx:1|c")
	p.waitFor("app_x_total 4", `adapter_unmatched_total{source="sent"} 4`)
	// More connections than there is room for, kept open: those that there is room for work.
	for range 100 {
		dial(t, "tcp", port)
	}
	fmt.Fprint(packet, "x:1|c")
	p.waitFor("app_x_total 5")
}

func TestAPortThatIsTakenIsWaitedFor(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	p := start(t, fmt.Sprintf(sending, port))
	p.waitFor(`adapter_source_up{source="sent"} 0`)
	taken.Close()
	p.waitFor(`adapter_source_up{source="sent"} 1`)
}

func dial(t *testing.T, network string, port int) net.Conn {
	t.Helper()
	connection, err := net.DialTimeout(network, fmt.Sprintf("127.0.0.1:%d", port), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { connection.Close() })
	return connection
}

func TestProcessesAreSeen(t *testing.T) {
	t.Parallel()
	p := start(t, `
contract: {name: custom, metrics: [{name: app_cpu_seconds_total, type: counter}]}
metrics: {port: {{port}}}
sources:
- {name: app, type: proc, proc: {command: proc-test, interval: 100ms}}
rules:
- {source: app, path: process_cpu_seconds_total, metric: app_cpu_seconds_total}
- {source: app, path: process_count, metric: app_processes}
- {source: app, path: process_open_fds, metric: app_open_fds}
- {source: app, path: process_resident_memory_bytes, metric: app_resident_bytes}
`)
	p.waitFor(`adapter_source_up{source="app"} 0`)
	shell, err := os.ReadFile("/bin/sh")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p.path("proc-test"), shell, 0o755); err != nil {
		t.Fatal(err)
	}
	busy := runAs(t, p.path("proc-test"), "while :; do :; done")
	idle := runAs(t, p.path("proc-test"), "read x")
	p.waitFor("app_processes 2", `adapter_source_up{source="app"} 1`)
	p.Eventually("the processor is used", func() bool { return value(p.series(), "app_cpu_seconds_total") >= 0.3 })
	if fds := value(p.series(), "app_open_fds"); fds < 4 {
		t.Errorf("%v open files", fds)
	}
	before := value(p.series(), "app_cpu_seconds_total")
	busy()
	p.waitFor("app_processes 1")
	if after := value(p.series(), "app_cpu_seconds_total"); after < before {
		t.Errorf("a process ended and the counter fell from %v to %v", before, after)
	}
	idle()
	p.waitFor(`adapter_source_up{source="app"} 0`)
	if strings.Contains(p.series(), "app_processes") {
		t.Error("a gauge of no process")
	}
}

package main

import (
	"fmt"
	"os/exec"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

// Real messages of logger(1), in both formats and framings, by all ways.
func TestMessagesOfLogger(t *testing.T) {
	t.Parallel()
	port := processtest.FreePort(t)
	p := start(t, fmt.Sprintf(`
metrics: {port: {{port}}}
sources:
- name: all
  type: syslog
  syslog: {port: %d, socket: {volume: logs, path: log}, streamSocket: {volume: logs, path: stream}}
- name: objects
  type: syslog
  syslog: {socket: {volume: logs, path: objects}, format: json}
rules:
- source: all
  regex: '^(?P<method>\S+) \S+ (?P<code>\d+)$'
  emit:
  - {metric: app_requests_total, labels: {app: "${app}", facility: "${facility}", code: "${code}"}}
  - {metric: app_errors_total, when: severity == "err"}
- {source: objects, path: "@", metric: app_seconds_total, labels: {severity: "${severity}", app: "${app}"}}
`, port))
	p.Eventually("listens", func() bool { return value(p.metrics(), `adapter_source_up{source="all"}`) == 1 })
	at := fmt.Sprint("--port=", port)
	for _, arguments := range [][]string{
		{"--udp", "--server=127.0.0.1", at, "--priority=mail.err", "--tag=udp"},
		{"--udp", "--server=127.0.0.1", at, "--rfc3164", "-i", "--tag=old"},
		{"--tcp", "--server=127.0.0.1", at, "--tag=tcp"},
		{"--tcp", "--server=127.0.0.1", at, "--octet-count", "--rfc3164", "--tag=counted"},
		{"--socket", p.path("logs/log"), "--priority=local3.warn", "--tag=unix"},
		{"--socket", p.path("logs/stream"), "--rfc5424", "--tag=stream"},
	} {
		send(t, append(arguments, "GET /cart 200")...)
	}
	send(t, "--socket", p.path("logs/objects"), "--tag=json", `{"ms": 1.5}`)
	send(t, "--socket", p.path("logs/log"), "no request")
	p.waitFor(
		"app_errors_total 1",
		`app_requests_total{app="counted",code="200",facility="user"} 1`,
		`app_requests_total{app="old",code="200",facility="user"} 1`,
		`app_requests_total{app="stream",code="200",facility="user"} 1`,
		`app_requests_total{app="tcp",code="200",facility="user"} 1`,
		`app_requests_total{app="udp",code="200",facility="mail"} 1`,
		`app_requests_total{app="unix",code="200",facility="local3"} 1`,
		`app_seconds_total{app="json",severity="notice"} 1`,
		`adapter_unmatched_total{source="all"} 1`,
	)
}

func send(t *testing.T, arguments ...string) {
	t.Helper()
	if out, err := exec.Command("logger", arguments...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

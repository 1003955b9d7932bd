package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"podpatterns.dev/helpers/internal/processtest"
)

var update = flag.Bool("update", false, "write testdata/*.prom anew")

// Each configuration in testdata beside what comes out of it: the same application, seen through each kind of source.
func TestOutputIsAsBefore(t *testing.T) {
	t.Parallel()
	configs, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(configs) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	for _, path := range configs {
		name := strings.TrimSuffix(filepath.Base(path), ".yaml")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := httptest.NewServer(http.FileServer(http.Dir("testdata/app")))
			defer app.Close()
			statsd := processtest.FreePort(t)
			config := strings.NewReplacer("{{app}}", app.URL, "{{statsd}}", fmt.Sprint(statsd)).Replace(read(t, path))
			p := start(t, config)
			p.speak(statsd)
			golden := strings.TrimSuffix(path, ".yaml") + ".prom"
			if *update {
				p.waitFor("adapter_contract_satisfied 1")
				write(t, golden, p.comparable())
			}
			want := read(t, golden)
			p.Eventually(golden+":\n"+want, func() bool { return p.comparable() == want })
		})
	}
}

// speak is the application that logs and sends.
func (p *process) speak(statsd int) {
	write(p.t, p.path("logs/access.log"), read(p.t, "testdata/app/access.log"))
	connection, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", statsd))
	if err != nil {
		return // this configuration has no StatsD
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, read(p.t, "testdata/app/statsd.txt")); err != nil {
		p.t.Fatal(err)
	}
}

// comparable is the output but for the digest, which the ports are in.
func (p *process) comparable() string {
	return regexp.MustCompile(`sha256="[0-9a-f]{10}"`).ReplaceAllString(p.metrics(), `sha256="…"`)
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// What promtool check metrics says of each output: it is this linter's text.
func TestPromtoolTakesTheOutput(t *testing.T) {
	outputs, err := filepath.Glob("testdata/*.prom")
	if err != nil || len(outputs) == 0 {
		t.Fatalf("no outputs: %v", err)
	}
	for _, path := range outputs {
		problems, err := promlint.New(strings.NewReader(read(t, path))).Lint()
		if err != nil {
			t.Errorf("%s: %v", path, err)
		}
		for _, one := range problems {
			if one.Text == "no help text" {
				continue // only a contract has one
			}
			t.Errorf("%s: %s: %s", path, one.Metric, one.Text)
		}
	}
}

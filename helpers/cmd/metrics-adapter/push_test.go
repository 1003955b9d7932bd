package main

import (
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	metrics "go.opentelemetry.io/proto/slim/otlp/metrics/v1"
	"google.golang.org/protobuf/proto"
)

// receiver takes what is pushed. The collector's own does in tests/integration/adapter/test_otlp.py.
type receiver struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc] // nil: all is well

	mu     sync.Mutex
	pushed []*collector.ExportMetricsServiceRequest
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if answer := r.answer.Load(); answer != nil {
			(*answer)(w, request)
			return
		}
		if request.Header.Get("Content-Encoding") == "gzip" {
			request.Body, _ = gzip.NewReader(request.Body)
		}
		body, err := io.ReadAll(request.Body)
		var message collector.ExportMetricsServiceRequest
		if err != nil || request.URL.Path != "/v1/metrics" || request.Header.Get("Content-Type") != "application/x-protobuf" || proto.Unmarshal(body, &message) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		r.mu.Lock()
		r.pushed = append(r.pushed, &message)
		r.mu.Unlock()
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(how http.HandlerFunc) { r.answer.Store(&how) }

// sums are the points of a counter's only series, one of each push that had it.
func (r *receiver) sums(name string) []*metrics.NumberDataPoint {
	r.mu.Lock()
	defer r.mu.Unlock()
	var points []*metrics.NumberDataPoint
	for _, message := range r.pushed {
		for _, m := range message.GetResourceMetrics()[0].GetScopeMetrics()[0].GetMetrics() {
			if m.GetName() == name {
				points = append(points, m.GetSum().GetDataPoints()...)
			}
		}
	}
	return points
}

// last is a counter's value in the last push, -1 if there is none.
func (r *receiver) last(name string) float64 {
	points := r.sums(name)
	if len(points) == 0 {
		return -1
	}
	return points[len(points)-1].GetAsDouble()
}

// pushingTo is the configuration of the reload tests with a receiver.
func pushingTo(endpoint string, more ...string) string {
	otlp := strings.Join(append([]string{"endpoint: " + endpoint, "interval: 1s"}, more...), ", ")
	return strings.Replace(before, "{{port}}", "{{port}}, otlp: {"+otlp+"}", 1)
}

func TestWhatIsServedIsPushed(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	began := time.Now()
	p := start(t, pushingTo(to.URL))
	log := p.path("logs/access.log")
	appendLine(t, log, "x")
	p.Eventually("the line is pushed", func() bool { return to.last("app_x_total") == 1 })
	appendLine(t, log, "x")
	p.Eventually("the next one is, too", func() bool { return to.last("app_x_total") == 2 })
	for _, point := range to.sums("app_x_total") {
		since, at := time.Unix(0, int64(point.GetStartTimeUnixNano())), time.Unix(0, int64(point.GetTimeUnixNano()))
		if since.Before(began) || !at.After(since) || since != time.Unix(0, int64(to.sums("app_x_total")[0].GetStartTimeUnixNano())) {
			t.Errorf("a point at %v since %v; the adapter began at %v", at, since, began)
		}
	}
	p.Eventually("so is what is told about that", func() bool { return to.last("adapter_unmatched_total") == 0 })
	p.Eventually("pushes are counted", func() bool {
		return value(p.metrics(), `adapter_otlp_pushes_total{outcome="taken"}`) >= 2
	})
}

func TestPushesAsTheReceiverWantsThem(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	p := start(t, pushingTo(to.URL, "compression: gzip", "temporality: delta"))
	log := p.path("logs/access.log")
	appendLine(t, log, "x")
	appendLine(t, log, "x")
	sum := func() (sum float64) {
		for _, point := range to.sums("app_x_total") {
			sum += point.GetAsDouble()
		}
		return sum
	}
	p.Eventually("both lines are pushed", func() bool { return sum() == 2 && to.last("app_x_total") == 0 })
}

// A page's total is the page's own: when it began isn't known, unless the page was read before and didn't have it.
func TestATotalOfAPageHasAnHonestStart(t *testing.T) {
	t.Parallel()
	page, to := atomic.Pointer[string]{}, newReceiver(t)
	show := func(text string) { page.Store(&text) }
	show(`{"hits": 1000}`)
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, *page.Load()) }))
	defer app.Close()
	began := time.Now()
	p := start(t, fmt.Sprintf(`
contract: {name: custom, metrics: [{name: app_hits_total, type: counter}]}
metrics: {port: {{port}}, otlp: {endpoint: %q, interval: 1s}}
sources:
- {name: stats, type: json, json: {url: %q, interval: 100ms}}
rules:
- {source: stats, path: hits, metric: app_hits_total}
- {source: stats, path: misses, metric: app_misses_total}
`, to.URL, app.URL))
	p.Eventually("two pushes", func() bool { return len(to.sums("app_hits_total")) >= 2 })
	hits := to.sums("app_hits_total")
	if first := hits[0]; first.GetStartTimeUnixNano() != first.GetTimeUnixNano() {
		t.Errorf("the first point pretends to know that it began at %d", first.GetStartTimeUnixNano())
	}
	if hits[1].GetStartTimeUnixNano() != hits[0].GetTimeUnixNano() {
		t.Errorf("the second point begins at %d and not with the first", hits[1].GetStartTimeUnixNano())
	}
	show(`{"hits": 5, "misses": 7}`)
	p.Eventually("the source began anew", func() bool { return to.last("app_hits_total") == 1005 && to.last("app_misses_total") == 7 })
	hits = to.sums("app_hits_total")
	if hits[len(hits)-1].GetStartTimeUnixNano() != hits[0].GetTimeUnixNano() {
		t.Error("the sum goes on, and its start does not")
	}
	misses := to.sums("app_misses_total")[0]
	if since := time.Unix(0, int64(misses.GetStartTimeUnixNano())); since.Before(began) || misses.GetStartTimeUnixNano() >= misses.GetTimeUnixNano() {
		t.Errorf("what a page has anew begins at %v", since)
	}
}

// A receiver in trouble keeps no scrape and no source waiting, is told of, and gets everything when it is well.
func TestAReceiverInTrouble(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		trouble http.HandlerFunc
		outcome string
	}{
		"dead":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "silent"},
		"slow":    {func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() }, "silent"},
		"failing": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }, "refused"},
		"crowded": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}, "refused"},
		"choosy": {func(w http.ResponseWriter, _ *http.Request) {
			answer, _ := proto.Marshal(&collector.ExportMetricsServiceResponse{
				PartialSuccess: &collector.ExportMetricsPartialSuccess{RejectedDataPoints: 3, ErrorMessage: "too old"},
			})
			w.Header().Set("Content-Type", "application/x-protobuf")
			_, _ = w.Write(answer)
		}, "partial"},
		"moved": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/v1/metrics" {
				http.Redirect(w, r, "/login", http.StatusFound)
			}
		}, "refused"},
		"somebody else": {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>who are you?</html>") }, "refused"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for _, err := fmt.Fprint(w, "x"); err == nil; _, err = fmt.Fprint(w, strings.Repeat("x", 1<<20)) {
			}
		}, "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			to := newReceiver(t)
			to.answers(c.trouble)
			p := start(t, pushingTo(to.URL, "timeout: 500ms"))
			outcome := fmt.Sprintf(`adapter_otlp_pushes_total{outcome=%q}`, c.outcome)
			p.Eventually("it is counted", func() bool { return value(p.metrics(), outcome) >= 2 })
			appendLine(t, p.path("logs/access.log"), "x")
			p.waitFor("app_x_total 1")
			if said := strings.Count(p.Log(), "doesn't take the metrics"); said > 1 || said == 0 && c.outcome != "taken" {
				t.Errorf("told %d times", said)
			}
			to.answer.Store(nil)
			p.Eventually("all arrives", func() bool { return to.last("app_x_total") == 1 })
		})
	}
}

func TestPushingIsTurnedOnAndOff(t *testing.T) {
	t.Parallel()
	first, second := newReceiver(t), newReceiver(t)
	p := start(t, before)
	log := p.path("logs/access.log")
	appendLine(t, log, "x")
	p.waitFor("app_x_total 1")
	if strings.Contains(p.metrics(), "otlp") {
		t.Error("pushes are counted where none are made")
	}
	p.configure(pushingTo(first.URL))
	p.Eventually("the first one gets all", func() bool { return first.last("app_x_total") == 1 })
	p.configure(pushingTo(second.URL + "/v1/metrics"))
	p.Eventually("the second one gets all", func() bool { return second.last("app_x_total") == 1 })
	appendLine(t, log, "x")
	p.Eventually("the second one gets the rest", func() bool { return second.last("app_x_total") == 2 })
	if first.last("app_x_total") == 2 {
		t.Error("the first one still gets it")
	}
	p.configure(pushingTo("collector:4318"))
	p.waitFor("adapter_config_valid 0")
	appendLine(t, log, "x")
	p.Eventually("the last good configuration goes on", func() bool { return second.last("app_x_total") == 3 })
	p.configure(before)
	p.waitFor("adapter_config_valid 1", "app_x_total 3")
	appendLine(t, log, "x")
	p.waitFor("app_x_total 4")
	pushed, again := len(second.sums("app_x_total")), len(first.sums("app_x_total"))
	p.configure(pushingTo(first.URL))
	p.Eventually("the first one gets all again", func() bool {
		return first.last("app_x_total") == 4 && len(first.sums("app_x_total")) >= again+2
	})
	if len(second.sums("app_x_total")) != pushed {
		t.Error("still pushed to the second one")
	}
}

// Secrets change while the adapter runs.
func TestAReceiverThatAsksWhoWeAre(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer new" || r.Header.Get("Tenant") != "a" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		to.Config.Handler.ServeHTTP(w, r)
	}))
	defer secure.Close()
	secrets := t.TempDir()
	if err := os.Mkdir(filepath.Join(secrets, "otlp"), 0o755); err != nil {
		t.Fatal(err)
	}
	headers, ca := filepath.Join(secrets, "otlp", "headers"), filepath.Join(secrets, "otlp", "ca.crt")
	p := start(t, pushingTo(secure.URL, "headersSecretRef: {name: otlp, key: headers}", "caSecretRef: {name: otlp, key: ca.crt}"), "--secrets", secrets)
	counted := func(outcome string) {
		t.Helper()
		line := fmt.Sprintf("adapter_otlp_pushes_total{outcome=%q}", outcome)
		before := value(p.metrics(), line)
		p.Eventually(outcome, func() bool { return value(p.metrics(), line) > before })
	}
	appendLine(t, p.path("logs/access.log"), "x")
	counted("silent") // nothing is there yet
	write(t, headers, "authorization=Bearer%20old,tenant=a\n")
	write(t, ca, "no certificate")
	counted("silent")
	write(t, ca, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})))
	counted("refused")
	write(t, headers, "authorization=Bearer%20new,tenant=a\n")
	p.Eventually("the right headers are sent", func() bool { return to.last("app_x_total") == 1 })
	if strings.Contains(p.Log(), "Bearer") {
		t.Error("the log tells the headers")
	}
}

func TestTheLastPush(t *testing.T) {
	t.Parallel()
	to := newReceiver(t)
	p := start(t, strings.Replace(pushingTo(to.URL), "interval: 1s", "interval: 1h", 1))
	appendLine(t, p.path("logs/access.log"), "x")
	p.waitFor("app_x_total 1")
	p.Terminate()
	p.Wait()
	if got := to.last("app_x_total"); got != 1 {
		t.Errorf("%v was pushed at the end", got)
	}

	to.answers(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body); <-r.Context().Done() })
	p = start(t, pushingTo(to.URL, "timeout: 1h"))
	began := time.Now()
	p.Terminate()
	p.Wait()
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("a receiver that hangs keeps it up for %v", took)
	}
	if !strings.Contains(p.Log(), "doesn't take the metrics") {
		t.Error("what was not pushed at the end is not told")
	}
}

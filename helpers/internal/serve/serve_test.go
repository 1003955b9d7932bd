package serve

import (
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestPages(t *testing.T) {
	for name, test := range map[string]struct {
		page   http.Handler
		status int
		body   string
	}{
		"healthy":       {Health(func(*http.Request) (string, bool) { return "ok", true }), http.StatusOK, "ok\n"},
		"unhealthy":     {Health(func(*http.Request) (string, bool) { return "no endpoint", false }), http.StatusServiceUnavailable, "no endpoint\n"},
		"configuration": {Configuration(func() (string, string) { return "abc", "" }), http.StatusOK, "abc\n"},
		"refused":       {Configuration(func() (string, string) { return "abc", "bad\nfile" }), http.StatusOK, "abc\nbad\nfile\n"},
		"metrics":       {Metrics(func(*http.Request) []byte { return []byte("a 1\n") }), http.StatusOK, "a 1\n"},
	} {
		answer := httptest.NewRecorder()
		test.page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		if answer.Code != test.status || answer.Body.String() != test.body {
			t.Errorf("%s: %d %q", name, answer.Code, answer.Body)
		}
	}
}

func TestNothingAnswersAfterTheStop(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + listener.Addr().String()
	stop := Start(listener, Health(func(*http.Request) (string, bool) { return "ok", true }), slog.New(slog.NewTextHandler(io.Discard, nil)))
	answer, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	stop()
	if answer, err := http.Get(url); err == nil {
		answer.Body.Close()
		t.Error("it still answers")
	}
}

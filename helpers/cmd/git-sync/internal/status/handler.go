package status

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
)

// Handler serves /healthz, /readyz, /metrics and /sync, which calls demand.
func (s *Status) Handler(demand func()) http.Handler {
	mux := http.NewServeMux()
	health := func(w http.ResponseWriter, _ *http.Request) {
		if !s.Healthy() {
			http.Error(w, "no successful sync yet", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	}
	mux.HandleFunc("GET /{$}", health)
	mux.HandleFunc("GET /healthz", health)
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if s.Stale() {
			http.Error(w, "no successful sync yet, or none for longer than --stale-after", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("POST /sync", func(w http.ResponseWriter, _ *http.Request) {
		demand()
		w.WriteHeader(http.StatusAccepted)
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(s.metrics())
	})
	return mux
}

// metrics returns the Prometheus text format. It is written by hand because prometheus/client_golang would make
// the program 2.7 MB, more than a quarter, larger, and eight families need none of what it does.
func (s *Status) metrics() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.set(stale, "", 0)
	if s.isStale() {
		s.set(stale, "", 1)
	}
	var b bytes.Buffer
	for _, f := range Families {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s %s\n", f.Name, f.Help, f.Name, f.Type)
		series := s.series[f.Name]
		for _, labels := range slices.Sorted(maps.Keys(series)) {
			name := f.Name
			if labels != "" {
				name += "{" + labels + "}"
			}
			fmt.Fprintf(&b, "%s %s\n", name, strconv.FormatFloat(series[labels], 'g', -1, 64))
		}
	}
	return b.Bytes()
}

// Package serve offers a program's pages over HTTP: metrics, health, and which configuration is in effect.
package serve

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

const (
	// transferTime bounds reading a request, and writing its answer.
	transferTime = 10 * time.Second
	// idleTime is how long a connection may wait for the next request.
	idleTime = 2 * time.Minute
	// maxHeader bounds the memory that a request's header takes.
	maxHeader = 16 << 10
)

// Start serves pages at listener until the returned function is called, which closes the listener and all connections.
func Start(listener net.Listener, pages http.Handler, log *slog.Logger) (stop func()) {
	server := &http.Server{
		Handler: pages, ReadTimeout: transferTime, WriteTimeout: transferTime, IdleTimeout: idleTime, MaxHeaderBytes: maxHeader,
	}
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("serving HTTP failed", "error", err)
		}
	}()
	return func() { _ = server.Close() }
}

// Health makes a page for a probe. Where check finds the program unhealthy, its status is 503.
func Health(check func(*http.Request) (text string, healthy bool)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		text, healthy := check(r)
		if !healthy {
			http.Error(w, text, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, text)
	}
}

// Configuration makes the page that the operator reads: the hash of the configuration in effect and, from the second line
// on, why a newer one is not. No refusal is empty.
func Configuration(state func() (hash, refusal string)) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		hash, refusal := state()
		fmt.Fprintln(w, hash)
		if refusal != "" {
			fmt.Fprintln(w, refusal)
		}
	}
}

// Metrics makes a page in Prometheus' text format.
func Metrics(text func(*http.Request) []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(text(r))
	}
}

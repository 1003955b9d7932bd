package serve

import (
	"net/http"
	"strings"
	"sync/atomic"
)

// Startup makes a page for a startupProbe. From the first time on that check returns no reason against it, the program
// has started.
func Startup(check func(*http.Request) (why string)) http.HandlerFunc {
	var started atomic.Bool
	return Health(func(r *http.Request) (string, bool) {
		if !started.Load() {
			if why := check(r); why != "" {
				return why, false
			}
			started.Store(true)
		}
		return "ok", true
	})
}

// Upstream is one of a proxy's, as its probes tell of it.
type Upstream struct {
	Text     string // its name, and what is known of its endpoints
	Healthy  bool
	Optional bool
}

// Unhealthy returns why the application should not be sent work, empty when it should; and what is to be said besides of
// upstreams that it can do without.
func Unhealthy(upstreams []Upstream) (why, optional string) {
	var required, others []string
	for _, u := range upstreams {
		switch {
		case u.Healthy:
		case u.Optional:
			others = append(others, u.Text)
		default:
			required = append(required, u.Text)
		}
	}
	if len(others) > 0 {
		optional = "\nno healthy endpoint for optional: " + strings.Join(others, ", ")
	}
	if len(required) > 0 {
		why = "no healthy endpoint for: " + strings.Join(required, ", ") + optional
	}
	return why, optional
}

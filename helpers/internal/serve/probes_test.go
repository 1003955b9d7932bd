package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestWhatHasStartedStaysSo(t *testing.T) {
	why := "no primary yet"
	page := Startup(func(*http.Request) string { return why })
	status := func() int {
		answer := httptest.NewRecorder()
		page.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/", nil))
		return answer.Code
	}
	for _, step := range []struct {
		why    string
		status int
	}{{"no primary yet", 503}, {"", 200}, {"no primary any more", 200}} {
		why = step.why
		if got := status(); got != step.status {
			t.Errorf("%q: %d", step.why, got)
		}
	}
}

func TestOnlyRequiredUpstreamsAreAReason(t *testing.T) {
	a, b := Upstream{Text: "a (down)"}, Upstream{Text: "b (down)", Optional: true}
	well := Upstream{Text: "c", Healthy: true}
	for _, test := range []struct {
		upstreams     []Upstream
		why, optional string
	}{
		{[]Upstream{well}, "", ""},
		{[]Upstream{b, well}, "", "\nno healthy endpoint for optional: b (down)"},
		{[]Upstream{a, b}, "no healthy endpoint for: a (down)\nno healthy endpoint for optional: b (down)", "\nno healthy endpoint for optional: b (down)"},
		{[]Upstream{a, well, a}, "no healthy endpoint for: a (down), a (down)", ""},
	} {
		if why, optional := Unhealthy(test.upstreams); why != test.why || optional != test.optional {
			t.Errorf("%v: %q %q", test.upstreams, why, optional)
		}
	}
}

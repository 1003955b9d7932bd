package serve

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestLocalPagesAreForThePodAlone(t *testing.T) {
	pages := Local(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for from, want := range map[string]int{
		"127.0.0.1:1":          http.StatusOK,
		"[::1]:1":              http.StatusOK,
		"[::ffff:127.0.0.1]:1": http.StatusOK,
		"10.0.0.1:1":           http.StatusForbidden,
		"[fd00::1]:1":          http.StatusForbidden,
		"":                     http.StatusForbidden,
	} {
		request := httptest.NewRequest(http.MethodGet, "/stats", nil)
		request.RemoteAddr = from
		answer := httptest.NewRecorder()
		pages.ServeHTTP(answer, request)
		if answer.Code != want {
			t.Errorf("%q: %d, want %d", from, answer.Code, want)
		}
	}
}

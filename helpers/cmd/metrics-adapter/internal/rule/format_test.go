package rule

import (
	"fmt"
	"testing"
)

func TestLogfmt(t *testing.T) {
	for line, want := range map[string]string{
		`level=info msg="it \"works\"" ms=12.5 ok`: `map[level:info ms:12.5 msg:it "works" ok:true]`,
		`a= b=c=d  e="f g" h="i`:                   `map[a: b:c=d e:f g h:"i]`,
		`  `:                                       "map[]",
		"=x \ty=1":                                 "map[y:1]",
	} {
		if got := fmt.Sprint(parseLogfmt(line)); got != want {
			t.Errorf("%s: %s", line, got)
		}
	}
}

// Fields are groups, in any order.
func TestLinesOfAFormat(t *testing.T) {
	for format, lines := range map[string][]string{
		"json": {
			`{"status": 200, "ms": 12.5, "http": {"method": "GET"}}`, `{"http": {"method": "GET"}, "ms": 100, "status": 503}`,
			`{"msg": "hello"}`, "not JSON", `[1]`,
		},
		"logfmt": {"status=200 ms=12.5 method=GET", `method="GET" ms=100 status=503`, "msg=hello", "", "="},
	} {
		path := "[@][?status].{code: status, ms: ms, method: http.method || method}"
		a := newAdapter(t, fmt.Sprintf(`
sources:
- {name: access, type: log, log: {volume: logs, path: access.log, format: %s}}
rules:
- source: access
  path: "%s"
  emit:
  - {metric: app_requests_total, labels: {code: "${code}", method: "${method}"}}
  - {metric: app_errors_total, when: "code >= 500"}
  - {metric: app_request_duration_seconds, value: ms, scale: 0.001}
- {source: access, path: "msg", metric: app_messages_total, labels: {text: "${value}"}}
`, format, path))
		for _, line := range lines {
			a.feeds["access"].Line(line)
		}
		a.wants(
			"app_errors_total 1", `app_messages_total{text="hello"} 1`, "app_request_duration_seconds_sum 0.1125",
			"app_request_duration_seconds_count 2", `app_requests_total{code="200",method="GET"} 1`, `app_requests_total{code="503",method="GET"} 1`,
		)
		a.wantsOwn(`adapter_unmatched_total{source="access"} 2`)
	}
}

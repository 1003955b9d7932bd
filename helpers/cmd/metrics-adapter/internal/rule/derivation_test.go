package rule

import "testing"

// Groups of lines, by regular expressions and tables, in labels, conditions and values.
func TestDerivedGroups(t *testing.T) {
	a := newAdapter(t, `
sources:
- {name: access, type: log, log: {volume: logs, path: access.log}}
- {name: sent, type: statsd, statsd: {port: 8125}}
rules:
- source: access
  regex: '^(?P<code>\S+) (?P<state>\S*)$'
  groups:
  - {name: class, from: code, regex: '(\d)\d\d', replacement: '${1}xx', default: other}
  - {name: state, from: state, map: {"0": up, "1": down}}
  - {name: down, from: state, map: {down: "1"}, default: "0"}
  emit:
  - {metric: app_requests_total, labels: {class: "${class}", state: "${state}"}}
  - {metric: app_errors_total, when: class == "5xx"}
  - {metric: app_down, value: down}
`)
	for _, line := range []string{"200 0", "204 0", "503 1", "x5030 ", "5030 7"} {
		a.feeds["access"].Line(line)
	}
	a.wants(
		"app_down 0", "app_errors_total 1",
		`app_requests_total{class="2xx",state="up"} 2`,
		`app_requests_total{class="5xx",state="down"} 1`,
		`app_requests_total{class="other"} 2`,
	)
}

// A page's total is followed by what it is itself, whatever its labels are made of.
func TestDerivedGroupsOfAPage(t *testing.T) {
	a := newAdapter(t, `
sources:
- {name: stats, type: prometheus, prometheus: {url: "http://127.0.0.1/"}}
rules:
- source: stats
  path: hits_total
  groups: [{name: code, from: code, regex: '(\d)..', replacement: '${1}xx'}]
  metric: app_requests_total
  labels: {code: "${code}"}
`)
	page := func(ok, gone float64) {
		a.feeds["stats"].Page(func(r *Rule) []Finding {
			var found []Finding
			for code, value := range map[string]float64{"200": ok, "204": gone} {
				groups := make([]string, len(r.Groups()))
				groups[0] = code
				found = append(found, Finding{Identity: code, Value: value, Groups: groups})
			}
			return found
		})
	}
	page(5, 10)
	page(6, 1) // one of them has started anew
	a.wants(`app_requests_total{code="2xx"} 17`)
}

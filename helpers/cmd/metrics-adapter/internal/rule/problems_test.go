package rule

import (
	"strings"
	"testing"
)

// A spec and all that is wrong with it, one problem a line.
var refused = map[string][2]string{
	"empty": {``, `
sources: there must be one at least`},

	"a contract that nothing is made for": {`
  contract: {name: red/v1}
  sources:
  - {name: stats, type: json, json: {url: "http://127.0.0.1/"}}
`, `
rules: no rule makes app_requests_total, a counter that red/v1 wants; add one, or choose another contract
rules: no rule makes app_errors_total, a counter that red/v1 wants; add one, or choose another contract
rules: no rule makes app_request_duration_seconds, a histogram that red/v1 wants; add one, or choose another contract`},

	"gauges": {`
  sources:
  - {name: stats, type: json, json: {url: "http://127.0.0.1/"}}
  - {name: exporter, type: prometheus, prometheus: {url: "http://127.0.0.1/"}}
  rules:
  - {source: stats, path: a, metric: app_x, aggregation: max}
  - {source: stats, path: b, metric: app_x}
  - {source: stats, path: a, metric: app_y_total, aggregation: sum}
  - {source: stats, path: a, metric: app_z, aggregation: median}
  - {source: stats, path: "a[*]", metric: app_a, identity: "("}
  - {source: exporter, path: a, metric: app_other, identity: id}
`, `
rules[3].aggregation: must be sum, min, max or avg
rules[5].identity: the source exporter is of type prometheus; only the lists of a JSON page have elements to tell apart
rules[4].identity: not a JMESPath expression such as id: SyntaxError: Incomplete expression
rules[1].aggregation: app_x is the max of what another rule finds, and cannot be the sum as well; say the same in both
rules[2].aggregation: app_y_total is a counter, which is always added up; leave it out`},

	"derived groups and pairs": {`
  sources:
  - {name: access, type: log, log: {volume: logs, path: access.log}}
  - {name: exporter, type: prometheus, prometheus: {url: "http://127.0.0.1/"}}
  rules:
  - source: access
    regex: '(?P<code>\d+)'
    groups:
    - {name: a-b, from: code, regex: x, replacement: y}
    - {name: a, from: code}
    - {name: b, from: code, regex: x, map: {x: y}}
    - {name: c, from: code, regex: x}
    - {name: d, from: status, regex: "(", replacement: y}
    metric: app_x_total
    labels: {a: "${a}", e: "${e}"}
  - {source: exporter, path: a / b, metric: app_y_total}
  - {source: exporter, path: a + b, metric: app_z_total}
`, `
rules[0].groups[0].name: must be letters, digits and underscores such as class
rules[0].groups[1]: give either regex or map
rules[0].groups[2]: give either regex or map
rules[0].groups[3].replacement: belongs to regex: required with it, and with it alone
rules[0].groups[4].from: the regex has no group "status"; it has ["code"]
rules[0].groups[4].regex: not a regular expression in RE2 syntax: error parsing regexp: missing closing ): ` + "`(`" + `
rules[0].labels.e: the regex has no group "e"; it has ["code"]
rules[1].metric: app_y_total is a counter, which never falls; of a / b only a gauge can be made`},

	"syslog": {`
  metrics: {port: 9090}
  sources:
  - {name: a, type: syslog, syslog: {}}
  - {name: b, type: syslog, syslog: {port: 9090, format: xml, socket: {volume: run, path: log}, streamSocket: {volume: run, path: log}}}
  - {name: c, type: syslog, syslog: {port: 5140, format: json}}
  - {name: d, type: statsd, statsd: {port: 5140}}
  - {name: e, type: syslog, syslog: {port: 5141}}
  rules:
  - {source: c, regex: x, metric: app_x_total}
  - {source: e, path: x, metric: app_x_total}
  - {source: e, regex: x, metric: app_x_total, labels: {a: "${severity}", b: "${level}"}}
`, `
sources[0].syslog: give port, socket or streamSocket
sources[1].syslog.streamSocket: is the same file as socket; choose another
sources[1].syslog.format: must be regex, json or logfmt
sources[1].syslog.port: metrics.port is the same; choose another
sources[3].statsd.port: the source c listens on it already; choose another
rules[0].regex: the source c is of type syslog in json, whose rules have a path
rules[1].path: the source e is of type syslog, whose rules have a regex
rules[2].labels.b: the regex has no group "level"; it has []`},

	"a regex, a condition, a value and a group": {strict + `
  rules:
  - source: access
    regex: '(?P<code>\d+'
    metric: app_x_total
  - source: access
    regex: '(?P<code>\d+)'
    emit:
    - {metric: app_x_total, when: "status > 3"}
    - {metric: app_x_total, when: "code > "}
    - {metric: app_x_total, value: size}
    - {metric: app_x_total, labels: {code: "${status}", a: "${code"}}
`, `
rules[0].regex: not a regular expression in RE2 syntax: error parsing regexp: missing closing ): ` + "`(?P<code>\\d+`" + `
rules[1].emit[0].when: the regex has no group "status"; it has ["code"]
rules[1].emit[1].when: not a condition such as code >= 500 && method == "GET": 1:8: expected operand, found 'EOF'
rules[1].emit[2].value: the regex has no group "size"; it has ["code"]
rules[1].emit[3].labels.a: ${ without }; write ${group}
rules[1].emit[3].labels.code: the regex has no group "status"; it has ["code"]`},

	"a path": {strict + `
  - {name: stats, type: json, json: {url: "http://127.0.0.1/"}}
  - {name: top, type: proc, proc: {command: app}}
  rules:
  - {source: stats, path: "http..hits", metric: app_x_total}
  - {source: top, path: rss, metric: app_y}
  - {source: other, path: rss, metric: app_y}
  - {source: stats, regex: rss, metric: app_y}
  - {source: access, path: rss, metric: app_y}
`, `
rules[2].source: there is no source "other"; the sources are access, stats, top
rules[3].regex: the source stats is of type json, whose rules have a path
rules[4].path: the source access is of type log, whose rules have a regex
rules[0].path: not a JMESPath expression such as http.hits: SyntaxError: Expected identifier, lbracket, or lbrace
rules[1].path: a source of type proc has no rss; it has [process_cpu_seconds_total process_resident_memory_bytes process_virtual_memory_bytes process_open_fds process_max_fds process_threads process_count]`},

	"names": {strict + `
  rules:
  - source: access
    regex: '(?P<ms>\d+)'
    emit:
    - {metric: app_x_total}
    - {metric: app_time_ms}
    - {metric: appRequests}
    - {metric: "app:x"}
    - {metric: app_x}
    - {metric: adapter_x}
    - {metric: app_x_total, labels: {le: a, __name__: b, ok: c}}
`, `
rules[0].emit[5].metric: must be a metric's name such as app_requests_total; adapter_… are the adapter's own
rules[0].emit[6].labels: "__name__" cannot be a label: use letters, digits and underscores, and neither le nor quantile nor two underscores in front
rules[0].emit[6].labels: "le" cannot be a label: use letters, digits and underscores, and neither le nor quantile nor two underscores in front
warning: rules[0].emit[1].metric: app_time_ms, a gauge: metric names should not contain abbreviated units (prometheus.io/docs/practices/naming)
warning: rules[0].emit[2].metric: appRequests, a gauge: metric names should be written in 'snake_case' not 'camelCase' (prometheus.io/docs/practices/naming)
warning: rules[0].emit[3].metric: app:x, a gauge: metric names should not contain ':' (prometheus.io/docs/practices/naming)
rules[0].emit[4].metric: app_x and app_x_total cannot both be there: in OpenMetrics both have the name app_x`},

	"a contract": {`
  contract: {name: use/v1, metrics: [{name: app_x}]}
  sources:
  - {name: stats, type: json, json: {url: "http://127.0.0.1/"}}
  rules:
  - {source: stats, path: a, metric: app_resource_utilization_ratio}
  - {source: stats, path: a, metric: app_resource_saturation, labels: {resource: queue}}
`, `
contract.metrics: belongs to the contract custom; use/v1 has its own
rules[0].labels: use/v1 wants the label resource on app_resource_utilization_ratio; give it here or in contract.labels
rules: no rule makes app_resource_errors_total, a counter that use/v1 wants; add one, or choose another contract`},

	"a contract of one's own": {`
  contract:
    name: custom
    buckets: [2, 1]
    metrics:
    - {name: app_x, type: counter}
    - {name: app_y, type: summary}
    - {name: app_z_seconds, type: histogram, buckets: [1, 1]}
    - {name: app_g, type: gauge, buckets: [1]}
    - {name: app_g, type: gauge}
  sources:
  - {name: stats, type: json, json: {url: "http://127.0.0.1/"}}
  rules:
  - {source: stats, path: a, metric: app_z_seconds}
  - {source: stats, path: a, metric: app_z_seconds_sum, scale: -1}
  - {source: stats, path: a, metric: app_g, scale: -1}
  - {source: stats, path: a, metric: app_x}
`, `
contract.buckets: must be rising numbers; +Inf is added
warning: contract.metrics[0].name: app_x, a counter: counter metrics should have "_total" suffix (prometheus.io/docs/practices/naming)
contract.metrics[1].type: must be counter, gauge or histogram
contract.metrics[2].buckets: must be rising numbers; +Inf is added
contract.metrics[3].buckets: only a histogram has buckets
contract.metrics[4].name: app_g is there already
rules[0].metric: app_z_seconds is a histogram of single values, of which a source of type json knows only totals; give app_z_seconds_sum and app_z_seconds_count instead
rules[1].scale: must be above 0: app_z_seconds is a histogram, which never falls
warning: rules[3].metric: app_x, a counter: counter metrics should have "_total" suffix (prometheus.io/docs/practices/naming)`},

	"fields": {`
  metrics: {port: 0, path: /healthz, maxSeries: 0, otlp: {endpoint: "collector:4318", interval: 500ms, timeout: 0s, headersSecretRef: {name: a, key: ..}, caSecretRef: {key: b}}}
  contract: {name: red/v2}
  sources:
  - {name: A, type: json, json: {url: "localhost:80", interval: 0s}}
  - {name: a, type: log, log: {volume: "", path: ../x}}
  - {name: a, type: statsd, statsd: {port: 70000}, log: {volume: a, path: b}}
  - {name: b, type: statsd, statsd: {port: 8125}}
  - {name: c, type: statsd, statsd: {port: 8125}}
  - {name: d, type: snmp}
  - {name: e, type: proc, proc: {command: a-name-that-is-too-long}, pid: 3}
  rules:
  - {source: a, metric: app_x}
  - {source: a, regex: x, path: z, metric: app_x, emit: [{metric: app_y}], scale: 1}
  - {source: a, regex: x, metric: app_x, scale: three}
`, `
sources[6]: unknown field "pid"
rules[2]: cannot unmarshal string into Go struct field Rule.scale of type float64
metrics.port: must be from 1 to 65535
metrics.maxSeries: must be 1 at least
metrics.path: /healthz is taken by the adapter itself; choose another such as /metrics
metrics.otlp.endpoint: must be an http or https URL such as http://collector:4318
metrics.otlp.interval: must be a time of 1s at least such as 60s
metrics.otlp.timeout: must be a time above 0 such as 10s
metrics.otlp.headersSecretRef: must be the name and the key of a Secret
metrics.otlp.caSecretRef: must be the name and the key of a Secret
sources[0].name: must be lower-case letters, digits and dashes, 63 at most
sources[0].json.url: must be an http or https URL such as http://127.0.0.1:8801/stats
sources[0].json.interval: must be a time above 0 such as 15s
sources[1].log.volume: must be the name of a shared volume
sources[1].log.path: must be a path inside the volume such as access.log or access-*.log
sources[2].name: there is another source "a"; give each its own name
sources[2].log: belongs to type log: required with it, and with it alone
sources[4].statsd.port: the source b listens on it already; choose another
sources[5].type: must be json, prometheus, log, statsd, syslog or proc
sources[6].proc.command: must have 1 to 15 characters, which is what Linux keeps of a name
rules[0]: give either path or regex
rules[1]: give either path or regex
rules[1]: give either metric or emit
rules[1]: labels, scale and aggregation go with metric; inside emit each metric has its own
rules[1].path: the source a is of type log, whose rules have a regex
rules[2].scale: must be a number other than 0
contract.name: must be red/v1, use/v1 or custom; without one nothing is demanded`},

	"not YAML":            {"a: [", `spec: not an Adapter's spec in YAML: yaml: line 1: did not find expected node content`},
	"not an object":       {"- a", `spec: not an Adapter's spec in YAML: json: cannot unmarshal array into Go value of type map[string]json.RawMessage`},
	"a field given twice": {"sources: []\nsources: []", `spec: not an Adapter's spec in YAML: yaml: unmarshal errors: line 2: mapping key "sources" already defined at line 1`},
}

const strict = `
  contract: {name: custom, metrics: [{name: app_x_total, type: counter}]}
  sources:
  - {name: access, type: log, log: {volume: logs, path: access.log}}
`

func TestWhatIsWrongIsSaidWithItsField(t *testing.T) {
	for name, c := range refused {
		t.Run(name, func(t *testing.T) {
			_, problems := Compile([]byte(c[0]))
			if got, want := problems.Error(), strings.TrimSpace(c[1]); got != want {
				t.Errorf("got\n%s\nand not\n%s", got, want)
			}
		})
	}
}

func TestAWholeAdapterIsTakenAsItsSpecIs(t *testing.T) {
	set, problems := Compile([]byte(`
apiVersion: podpatterns.dev/v1alpha1
kind: Adapter
spec:
  template: {spec: {containers: []}}
` + strict + `
  rules:
  - {source: access, regex: x, metric: app_x_total}
`))
	if err := problems.Err(); err != nil || len(set.Sources) != 1 {
		t.Fatal(err)
	}
}

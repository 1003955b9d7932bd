package rule

import (
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series/seriestest"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

// adapter is rules with a store and feeds, without anything that is read.
type adapter struct {
	t     *testing.T
	store *series.Store
	tell  *telemetry.Telemetry
	set   *Set
	feeds map[string]*Feed
	watch *seriestest.Watch
}

func newAdapter(t *testing.T, text string) *adapter {
	t.Helper()
	a := &adapter{t: t, store: series.New(0), tell: telemetry.New(), feeds: map[string]*Feed{}}
	a.watch = seriestest.New(t, a.store)
	a.configure(text)
	return a
}

func (a *adapter) configure(text string) {
	a.t.Helper()
	set, problems := Compile([]byte(text))
	if err := problems.Err(); err != nil {
		a.t.Fatal(err)
	}
	for _, s := range set.Sources {
		if a.feeds[s.Name] == nil {
			a.feeds[s.Name] = NewFeed(a.store, a.tell.Source(s.Name))
		}
	}
	set.TakeOver(a.store, a.set, a.feeds)
	a.set = set
}

// wants compares all series but those of a histogram's buckets, one a line.
func (a *adapter) wants(lines ...string) {
	a.t.Helper()
	var got []string
	for line := range strings.SplitSeq(strings.TrimSpace(a.watch.Text()), "\n") {
		if line != "" && !strings.HasPrefix(line, "#") && !strings.Contains(line, "_bucket{") {
			got = append(got, line)
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(lines) {
		a.t.Errorf("got\n\t%s\nand not\n\t%s", strings.Join(got, "\n\t"), strings.Join(lines, "\n\t"))
	}
}

// custom is a configuration whose contract is the metrics named, each as "name type".
func custom(rest string, metrics ...string) string {
	var b strings.Builder
	b.WriteString("contract:\n  name: custom\n  metrics:\n")
	for _, m := range metrics {
		name, kind, _ := strings.Cut(m, " ")
		fmt.Fprintf(&b, "  - {name: %s, type: %s}\n", name, kind)
	}
	return b.String() + rest
}

const logSource = `
sources:
- {name: access, type: log, log: {volume: logs, path: access.log}}
rules:
- source: access
  regex: '^(?P<method>\S+) \S+ (?P<code>\d+) (?P<ms>[\d.]+)ms(?: (?P<tag>.*))?$'
  emit:
`

func TestLines(t *testing.T) {
	a := newAdapter(t, `contract: {name: red/v1, labels: {team: shop}}`+logSource+`
  - {metric: app_requests_total, labels: {code: "${code}", class: "${method}-${tag}", none: "${tag}"}}
  - {metric: app_errors_total, when: "code >= 500 && method != \"PUT\""}
  - {metric: app_request_duration_seconds, value: ms, scale: 0.001}
  - {metric: app_last_duration_seconds, value: ms, scale: 0.001}
`)
	feed := a.feeds["access"]
	for _, line := range []string{
		"GET /a 200 12.5ms", "GET /b 500 100ms", "PUT /b 503 1ms x", "nonsense", "", "GET /c 9 1.2.3ms",
	} {
		feed.Line(line)
	}
	a.wants(
		`app_errors_total{team="shop"} 1`,
		`app_last_duration_seconds{team="shop"} 0.001`,
		`app_request_duration_seconds_sum{team="shop"} 0.1135`,
		`app_request_duration_seconds_count{team="shop"} 3`,
		`app_requests_total{class="GET-",code="200",team="shop"} 1`,
		`app_requests_total{class="GET-",code="500",team="shop"} 1`,
		`app_requests_total{class="GET-",code="9",team="shop"} 1`,
		`app_requests_total{class="PUT-x",code="503",none="x",team="shop"} 1`,
	)
	a.wantsOwn(`adapter_unmatched_total{source="access"} 2`)
	a.wantsOwn(`adapter_dropped_samples_total{reason="not_a_number",source="access"} 2`)
}

func (a *adapter) wantsOwn(line string) {
	a.t.Helper()
	families, err := a.tell.Gather()
	if err != nil {
		a.t.Fatal(err)
	}
	var all []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			var labels []string
			for _, l := range m.GetLabel() {
				labels = append(labels, fmt.Sprintf("%s=%q", l.GetName(), l.GetValue()))
			}
			all = append(all, fmt.Sprintf("%s{%s} %v", f.GetName(), strings.Join(labels, ","), m.GetCounter().GetValue()+m.GetGauge().GetValue()))
		}
	}
	for _, got := range all {
		if got == line {
			return
		}
	}
	a.t.Errorf("no %s among\n\t%s", line, strings.Join(all, "\n\t"))
}

func TestLabelsAreBounded(t *testing.T) {
	a := newAdapter(t, custom(logSource+`
  - {metric: app_x_total, labels: {tag: "${tag}"}}
`, "app_x_total counter"))
	feed := a.feeds["access"]
	feed.Line("GET / 200 1ms " + strings.Repeat("é", 1000))
	feed.Line("GET / 200 1ms " + strings.Repeat("é", 2000))
	feed.Line("GET / 200 1ms \xff\"\\")
	a.wants(
		`app_x_total{tag="`+strings.Repeat("é", maxLabelBytes/2)+`"} 2`,
		`app_x_total{tag="�\"\\"} 1`,
	)
}

func TestNoMoreSeriesThanAllowed(t *testing.T) {
	a := newAdapter(t, `metrics: {maxSeries: 20}`+logSource+`
  - {metric: app_requests_total, labels: {code: "${code}"}}
  - {metric: app_errors_total}
  - {metric: app_request_duration_seconds, value: ms}
`)
	for i := range 1000 {
		a.feeds["access"].Line(fmt.Sprintf("GET / %d 1ms", i))
	}
	a.watch.Check(20)
	// The histogram is 14, the errors are 1.
	a.wantsOwn(`adapter_dropped_samples_total{reason="max_series",source="access"} 995`)
	if a.store.Size() != 20 {
		t.Errorf("%d series", a.store.Size())
	}
	// Those that are there go on.
	a.feeds["access"].Line("GET / 0 1ms")
	if !strings.Contains(a.watch.Text(), `app_requests_total{code="0"} 2`) {
		t.Error("a series that was there doesn't go on")
	}
}

func TestConditions(t *testing.T) {
	groups := []string{"code", "name"}
	index := func(name string) (int, error) {
		if name == "type" {
			return 1, nil
		}
		for i, g := range groups {
			if g == name {
				return i, nil
			}
		}
		return 0, fmt.Errorf("no group %q", name)
	}
	for _, c := range []struct {
		text, code, name string
		want             bool
	}{
		{"code >= 500", "500", "", true},
		{"code >= 500", "499", "", false},
		{"code >= 500", "5e2", "", true},
		{"code >= 500", "-", "", false},
		{"code < 500", "-", "", false},
		{"!(code < 500)", "-", "", true},
		{"code != 200", "-", "", true},
		{"code == 200", "200.0", "", true},
		{"code == -1", "-1", "", true},
		{`code == "200"`, "200.0", "", true},
		{`name == "GET"`, "", "GET", true},
		{`name == "GET" || name == "HEAD"`, "", "HEAD", true},
		{`name == "GET" && code > 1 || code == 0`, "0", "x", true},
		{`name != ""`, "", "", false},
		{"name == code", "a", "a", true},
		{"code == 1", "NaN", "", false},
		{`type == "a" && code == 1`, "1", "a", true}, // named like a keyword of Go
	} {
		holds, err := compileCondition(c.text, index)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
		} else if got := holds([]string{c.code, c.name}); got != c.want {
			t.Errorf("%s with code %q and name %q: %v", c.text, c.code, c.name, got)
		}
	}
	for _, text := range []string{
		"", "code", "code >=", "code + 1 == 2", "f(code)", "code == 'x'", "code == other", "code & 1", "code == 0x10",
		"code = 1", "code == []", `code == "a" + "b"`, "code.x == 1", "1 < code < 3", "func() {}",
	} {
		if _, err := compileCondition(text, index); err == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		path, name string
		want       bool
		captures   []string
	}{
		{"api.hits", "api.hits", true, nil},
		{"api.hits", "api.hits.x", false, nil},
		{"api.*.hits", "api.cart.hits", true, []string{"cart", ""}},
		{"api.*.hits", "api.cart.a.hits", false, nil},
		{"*.*", "a.b", true, []string{"a", "b", ""}},
		{"*.*", "a", false, nil},
		{"*", "", true, []string{""}},
		{"a*b", "axb", false, nil},
	} {
		n := newName(c.path)
		if got := n.Match(c.name); got != c.want {
			t.Errorf("%s and %s: %v", c.path, c.name, got)
		}
		for i, want := range c.captures {
			if got := n.Capture(c.name, i+1); got != want {
				t.Errorf("group %d of %s in %s: %q", i+1, c.path, c.name, got)
			}
		}
	}
}

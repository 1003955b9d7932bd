package promtext

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/model/textparse"
)

// prometheus is what Prometheus itself takes of a page, one series a line; its error ends a scrape.
func prometheus(page string, openMetrics bool) (all []string, err error) {
	parser := textparse.NewPromParser([]byte(page), labels.NewSymbolTable(), false)
	if openMetrics {
		parser = textparse.NewOpenMetricsParser([]byte(page), labels.NewSymbolTable())
	}
	for {
		entry, err := parser.Next()
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return all, err
		}
		if entry != textparse.EntrySeries {
			continue
		}
		_, _, value := parser.Series()
		var of labels.Labels
		parser.Labels(&of)
		if name, twice := of.HasDuplicateLabelNames(); twice {
			return all, fmt.Errorf("the label %s is there twice", name) // as the scrape says
		}
		all = append(all, fmt.Sprint(of.WithoutEmpty(), " ", value))
	}
}

// lineByLine is what Prometheus takes of each line by itself, as far as a page of nothing else.
func lineByLine(page string) (all []string) {
	for line := range strings.SplitSeq(page, "\n") {
		// Before a name Prometheus takes space for a part of it.
		if series, err := prometheus(strings.TrimLeft(line, " \t")+"\n", false); err == nil {
			all = append(all, series...)
		}
	}
	return all
}

func ours(page string) (all []string, bad int) {
	p := Parse(page)
	for _, samples := range p.samples {
		for _, s := range samples {
			pairs := []string{"__name__", s.Name}
			for _, l := range s.Labels {
				pairs = append(pairs, l.Name, l.Value)
			}
			all = append(all, fmt.Sprint(labels.FromStrings(pairs...), " ", s.Value))
		}
	}
	return all, p.Bad
}

func same(t *testing.T, page string, got, want []string) {
	t.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%q:\n%q\nand Prometheus\n%q", page, got, want)
	}
}

// Pages that Prometheus takes, or loses a line of.
func TestPagesArePrometheuss(t *testing.T) {
	ok := "x_total 5\n"
	for name, page := range map[string]string{
		"a second TYPE":              "# TYPE a counter\na{b=\"1\"} 1\n# TYPE a counter\na{b=\"2\"} 1\n" + ok,
		"a second HELP":              "# HELP a x\n# TYPE a counter\na{b=\"1\"} 1\n# HELP a x\na{b=\"2\"} 1\n" + ok,
		"TYPE after a sample":        "a{b=\"1\"} 1\n# TYPE a counter\na{b=\"2\"} 1\n" + ok,
		"families in pieces":         "# TYPE a counter\na{b=\"1\"} 1\nc 1\na{b=\"2\"} 1\n" + ok,
		"no newline at the end":      "x_total 5",
		"a label twice":              "x_total{a=\"1\",a=\"2\"} 5\n" + ok,
		"an empty label":             "x_total{a=\"\"} 5\n",
		"names in quotes":            "{\"http.requests\",method=\"GET\"} 5\n{\"x_total\",\"my.label\"=\"é\"} 4\n",
		"a time":                     "x_total 5 1395066363000\n",
		"a summary's _max":           "# TYPE a_seconds summary\na_seconds_sum 1\na_seconds_count 2\na_seconds_max 3\n" + ok,
		"no le":                      "# TYPE a histogram\na_bucket 1\na_sum 1\na_count 1\n" + ok,
		"le is no number":            "# TYPE a histogram\na_bucket{le=\"foo\"} 1\na_sum 1\na_count 1\n" + ok,
		"fractions of counts":        "# TYPE a histogram\na_bucket{le=\"1\"} 1.5\na_bucket{le=\"+Inf\"} 2.5\na_sum 1\na_count 2.5\n" + ok,
		"a quantile that isn't":      "# TYPE a summary\na{quantile=\"p50\"} 1\na{quantile=\"0.5\"} NaN\na_sum 0\na_count 0\n" + ok,
		"text that is no UTF-8":      "a{a=\"\xff\"} 5\n" + ok,
		"space":                      "  x_total\t{ a = \"1\" , }\t5\n{ } 1\nx {a=\"b\"}3\n",
		"numbers":                    "a 0x10\nb 1_000\nc 1,5\nd NAN\ne +inf\nf -Infinity\ng 1e400\nh 0x1p-2\ni .5\nj +3\nk 5e3 \n" + ok,
		"HTML":                       "<html>no</html>\n" + ok,
		"nothing":                    "",
		"a bad line":                 "ok 1\nthis is not a metric!\n" + ok,
		"names that are none":        "jvm.memory 1\nmy-metric 1\n9a 1\na:b 1\n:a 2\n" + ok,
		"a label's name":             "a{b:c=\"1\"} 1\na{9=\"1\"} 1\na{b=1} 1\na{b} 1\na{,} 1\na{=\"b\"} 1\na{b=\"1\",,} 1\na{b=\"1\" c=\"2\"} 1\n" + ok,
		"quotes":                     "a{b=\"c\"d\"} 1\na{b=\"c} 1\na{b=\"c\\\"d\\\\e\\nf\"} 1\na{b=\"C:\\dir\"} 1\na{b=\"}{, =\"} 2\n" + ok,
		"an unknown type":            "# TYPE a Counter\n# TYPE b meter\n# HELP a C:\\dir\n#nothing\n#\n# TYPE\n" + ok,
		"a native histogram":         "# TYPE a histogram\na {count:5,sum:1.0,schema:0,zero_threshold:1e-4,zero_count:0,positive_spans:[0:1],positive_buckets:[5]}\n" + ok,
		"something behind the value": "a 1 2 3\na 1 x\na 1 #\nb 1 \n" + ok,
		"the name as a label":        "a{__name__=\"b\"} 1\n{__name__=\"b\"} 1\n{\"a\",__name__=\"a\"} 1\n" + ok,
		"two names":                  "a{\"b\"} 1\n{\"a\",\"b\"} 1\n{\"a\"=\"b\"} 1\n{a=\"b\",\"c\"} 2\n" + ok,
	} {
		t.Run(name, func(t *testing.T) {
			got, _ := ours(page)
			same(t, page, got, lineByLine(page))
		})
	}
}

// Differences: what Prometheus refuses in one format and takes in the other is taken in both, and lines may end as on
// Windows.
func TestWhatIsTakenBeyond(t *testing.T) {
	for page, want := range map[string]string{
		"x_total 5\r\n# EOF\r\n":                         `[{__name__="x_total"} 5]`,
		"x_total 5 # {trace_id=\"abc\"} 1.0\n# EOF\nx 1": `[{__name__="x_total"} 5]`,
		"x_total 5 1395066363.001\n":                     `[{__name__="x_total"} 5]`,
		"x_total{a=\"b # c\"} 5 1 # {} 1\n":              `[{__name__="x_total", a="b # c"} 5]`,
	} {
		if got, bad := ours(page); fmt.Sprint(got) != want || bad > 0 {
			t.Errorf("%q: %v", page, got)
		}
	}
}

func TestOpenMetrics(t *testing.T) {
	page := `# HELP a x
# TYPE a_seconds counter
# UNIT a_seconds seconds
a_seconds_total{b="c"} 5 123.4 # {trace_id="abc"} 1.0 122.1
a_seconds_created{b="c"} 100.5
# TYPE s stateset
s{s="on"} 1
# TYPE i info
i_info{v="1"} 1
# TYPE u unknown
u 1
# TYPE g gaugehistogram
g_bucket{le="1.0"} 1
g_bucket{le="+Inf"} 2
# EOF
`
	want, err := prometheus(page, true)
	if err != nil {
		t.Fatal(err)
	}
	got, bad := ours(page)
	same(t, page, got, want)
	if bad > 0 {
		t.Errorf("%d bad lines", bad)
	}
}

// Random pages of pieces that may or may not fit together.
func TestRandomPagesArePrometheuss(t *testing.T) {
	pieces := []string{
		"a", "x_total", "{", "}", "\"", "=", ",", "le=\"1\"", "b=\"2\"", "c=\"\"", `d="\\"`, `e="\d"`, `"f.g"`, " ", "\t", " ", "1", "2.5",
		"NaN", "+Inf", "\n", "\n", "\n", "# TYPE a counter\n", "# HELP a \\x\n", "1395066363000", "-", ".", "é", "\xff", "e5", ":", "#", "_",
	}
	lines := []string{"a 1", "a{b=\"2\"} 2", "x_total{b=\"1\",a=\"3\"} NaN 5", "{\"q.r\",s=\"t\"} 1e5", "a_bucket{le=\"+Inf\"} 3"}
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 1))
		var page strings.Builder
		for range random.IntN(30) {
			if random.IntN(3) == 0 {
				page.WriteString(lines[random.IntN(len(lines))] + "\n")
			} else {
				page.WriteString(pieces[random.IntN(len(pieces))])
			}
		}
		if text := page.String(); !strings.Contains(text, " # ") {
			got, _ := ours(text)
			same(t, text, got, lineByLine(text))
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func TestHistogramsAndSummaries(t *testing.T) {
	page := Parse(`h_bucket{b="2",le="5.0",a="1"} 3
h_count{a="1",b="2"} 4
h_bucket{a="1",b="2",le="1"} 1
h_bucket{a="1",b="2",le="1.0"} 9
h_bucket{a="1",b="2",le="x"} 9
h_sum{b="2",a="1"} 7.5
h_bucket{le="+Inf"} 6
h_bucket{le="1"} 2
s{quantile="0.5"} 3
s_sum 4
s_count 2
s_max 9
t_count 1
t 7
`)
	show := func(name string, quantiles bool) (text string) {
		for _, m := range page.Find(name, quantiles) {
			if m.Histogram != nil {
				text += fmt.Sprintf("%v%v", m.Labels, *m.Histogram)
			} else {
				text += fmt.Sprintf("%v%v", m.Labels, m.Value)
			}
		}
		return text
	}
	for _, c := range []struct {
		name      string
		quantiles bool
		want      string
	}{
		{"h", false, "[{a 1} {b 2}]{7.5 4 [1 5] [1 3]}[]{0 6 [1] [2]}"},
		{"h_count", false, "[{a 1} {b 2}]4"},
		{"s", false, "[]{4 2 [] []}"},
		{"s", true, "[{quantile 0.5}]3"},
		{"s_max", false, "[]9"},
		{"t", false, "[]7"},
		{"t_count", false, "[]1"},
		{"u", false, ""},
	} {
		if got := show(c.name, c.quantiles); got != c.want {
			t.Errorf("%s: %s and not %s", c.name, got, c.want)
		}
	}
}

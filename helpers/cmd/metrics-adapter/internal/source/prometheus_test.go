package source

import (
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/promtext"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

func (r *reading) page(text string) {
	r.t.Helper()
	page := promtext.Parse(text)
	r.feed.Page(func(of *rule.Rule) []rule.Finding { return findPrometheus(of, page) })
}

func TestASeriesIsTheSetOfItsLabels(t *testing.T) {
	r := reads(t, "prometheus", "- {source: stats, path: hits_total, metric: app_x_total}")
	r.page(`hits_total{a="1",b="2",c="3"} 100`)
	r.page(`hits_total{c="3",a="1",b="2"} 100`)
	r.page(`hits_total{b="2",c="3",d="",a="1"} 101`)
	r.wants("app_x_total 101")
}

// A gauge is shown as Prometheus would keep it; NaN freezes nothing.
func TestNaNOfAPage(t *testing.T) {
	r := reads(t, "prometheus", `
- {source: stats, path: lag, metric: app_lag}
- {source: stats, path: temp, metric: app_temp}
- {source: stats, path: hits_total, metric: app_x_total}
`)
	r.page("lag 7\ntemp{z=\"a\"} 3\ntemp{z=\"b\"} 4\nhits_total 5\n")
	r.wants("app_lag 7", "app_temp 7", "app_x_total 5")
	r.page("lag NaN\ntemp{z=\"a\"} 3\ntemp{z=\"b\"} +Inf\nhits_total NaN\n")
	r.wants("app_lag NaN", "app_temp +Inf", "app_x_total 5")
	r.page("lag 8\ntemp{z=\"a\"} 3\ntemp{z=\"b\"} 4\nhits_total 6\n")
	r.wants("app_lag 8", "app_temp 7", "app_x_total 6")
}

// Series go together by their labels; what has no other, or is divided by 0, isn't known.
func TestArithmeticOfTwoMetrics(t *testing.T) {
	r := reads(t, "prometheus", `
- {source: stats, path: used / max, metric: app_use_ratio, labels: {pool: "${pool}"}}
- {source: stats, path: hits_total + misses_total, metric: app_lookups_total}
- {source: stats, path: max - used, metric: app_free, labels: {pool: "${pool}"}}
`)
	r.page(`
used{pool="a",z="1"} 3
used{pool="b"} 1
used{pool="c"} 1
max{z="1",pool="a"} 4
max{pool="b"} 0
hits_total 5
misses_total 2
`)
	r.wants(`app_free{pool="a"} 1`, `app_free{pool="b"} -1`, "app_lookups_total 7", `app_use_ratio{pool="a"} 0.75`, `app_use_ratio{pool="b"} NaN`)
	r.page("hits_total 6\nmisses_total 2\n")
	r.wants("app_lookups_total 8")
}

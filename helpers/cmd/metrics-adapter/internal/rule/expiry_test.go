package rule

import (
	"testing"
	"time"
)

// Series of which nothing is heard go, and make place for others; those that are known beforehand stay.
func TestSeriesExpire(t *testing.T) {
	a := newAdapter(t, "metrics: {maxSeries: 3}\n"+logSource+`
  - {metric: app_jobs_total, labels: {job: "${tag}"}}
  - {metric: app_lines_total}
`)
	feed, now := a.feeds["access"], time.Now()
	later := func(by time.Duration) {
		now = now.Add(by)
		a.store.Expire(now, time.Minute)
	}
	later(0)
	for _, job := range []string{"a", "b", "c"} {
		feed.Line("GET /a 200 1ms " + job)
	}
	a.wants(`app_jobs_total{job="a"} 1`, `app_jobs_total{job="b"} 1`, "app_lines_total 3")
	later(40 * time.Second)
	feed.Line("GET /a 200 1ms b")
	later(40 * time.Second)
	a.wants(`app_jobs_total{job="b"} 2`, "app_lines_total 4")
	feed.Line("GET /a 200 1ms c")
	a.wants(`app_jobs_total{job="b"} 2`, `app_jobs_total{job="c"} 1`, "app_lines_total 5")
	later(time.Hour)
	a.wants("app_lines_total 5")
	feed.Line("GET /a 200 1ms b")
	a.wants(`app_jobs_total{job="b"} 1`, "app_lines_total 6")
}

// What a page has doesn't expire, be it that it doesn't change.
func TestWhatAPageHasDoesNotExpire(t *testing.T) {
	a := newAdapter(t, pages+`- {source: stats, path: x, metric: app_x_total, labels: {id: "${id}"}}
- {source: stats, path: x, metric: app_y, labels: {id: "${id}"}}`)
	now := time.Now()
	for range 5 {
		now = now.Add(50 * time.Second)
		a.store.Expire(now, time.Minute)
		a.reads(page{"a": 5})
	}
	a.wants(`app_x_total{id="a"} 5`, `app_y{id="a"} 5`)
	a.watch.Forget()
	a.store.Expire(now.Add(2*time.Minute), time.Minute)
	a.wants()
	a.reads(page{"a": 6})
	a.wants(`app_x_total{id="a"} 6`, `app_y{id="a"} 6`)
}

package rule

import (
	"fmt"
	"testing"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

func BenchmarkLine(b *testing.B) {
	set, problems := Compile([]byte(logSource + `
  - {metric: app_requests_total, labels: {code: "${code}"}}
  - {metric: app_errors_total, when: "code >= 500"}
  - {metric: app_request_duration_seconds, value: ms, scale: 0.001}
`))
	if err := problems.Err(); err != nil {
		b.Fatal(err)
	}
	store := series.New(0)
	feed := NewFeed(store, telemetry.New().Source("access"))
	set.TakeOver(store, nil, map[string]*Feed{"access": feed})
	lines := make([]string, 1000)
	for i := range lines {
		lines[i] = fmt.Sprintf("GET /cart/%d %d %d.5ms", i, 200+i%5*100, i)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		feed.Line(lines[i%len(lines)])
	}
}

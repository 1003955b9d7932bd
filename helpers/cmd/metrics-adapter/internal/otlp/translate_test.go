package otlp

import (
	"maps"
	"slices"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

func store(t *testing.T) *series.Store {
	t.Helper()
	s := series.New(100)
	s.Lock()
	defer s.Unlock()
	get := func(name string, kind series.Type, bounds []float64, labels ...series.Label) *series.Series {
		made, err := s.Get(name, kind, labels, bounds, "What "+name+" is.")
		if err != nil {
			t.Fatal(err)
		}
		made.Begin(timestamppb.New(time.Unix(100, 5)))
		return made
	}
	duration := get("app_request_duration_seconds", series.Histogram, []float64{0.1, 1})
	for _, v := range []float64{0.05, 0.1, 0.5, 7} {
		if err := duration.Observe(v, 1); err != nil {
			t.Fatal(err)
		}
	}
	for series, v := range map[*series.Series]float64{
		get("app_requests_total", series.Counter, nil, series.Label{Name: "code", Value: "200"}): 3,
		get("app_requests_total", series.Counter, nil, series.Label{Name: "code", Value: "500"}): 1.5,
	} {
		if err := series.Add(v); err != nil {
			t.Fatal(err)
		}
	}
	if err := get("app_pool_bytes", series.Gauge, nil).Move(&series.Owner{}, -2, series.Sum); err != nil {
		t.Fatal(err)
	}
	totals := get("app_totals_seconds", series.Histogram, nil)
	if err := totals.AddCount(3); err != nil {
		t.Fatal(err)
	}
	if err := totals.AddSum(4.5); err != nil {
		t.Fatal(err)
	}
	return s
}

const translated = `
resource_metrics { resource {} scope_metrics { scope { name: "podpatterns.dev/metrics-adapter" }
  metrics { name: "app_pool_bytes" description: "What app_pool_bytes is." unit: "By"
    gauge { data_points { time_unix_nano: 200000000000 as_double: -2 } } }
  metrics { name: "app_request_duration_seconds" description: "What app_request_duration_seconds is." unit: "s"
    histogram { aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE
      data_points { start_time_unix_nano: 100000000005 time_unix_nano: 200000000000 count: 4 sum: 7.65
        explicit_bounds: [0.1, 1] bucket_counts: [2, 1, 1] } } }
  metrics { name: "app_requests_total" description: "What app_requests_total is."
    sum { aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE is_monotonic: true
      data_points { start_time_unix_nano: 100000000005 time_unix_nano: 200000000000 as_double: 3
        attributes { key: "code" value { string_value: "200" } } }
      data_points { start_time_unix_nano: 100000000005 time_unix_nano: 200000000000 as_double: 1.5
        attributes { key: "code" value { string_value: "500" } } } } }
  metrics { name: "app_totals_seconds" description: "What app_totals_seconds is." unit: "s"
    histogram { aggregation_temporality: AGGREGATION_TEMPORALITY_CUMULATIVE
      data_points { start_time_unix_nano: 100000000005 time_unix_nano: 200000000000 count: 3 sum: 4.5
        bucket_counts: [3] } } }
} }`

func TestWhatPrometheusScrapesIsPushed(t *testing.T) {
	now := timestamppb.New(time.Unix(200, 0))
	var want collector.ExportMetricsServiceRequest
	if err := prototext.Unmarshal([]byte(translated), &want); err != nil {
		t.Fatal(err)
	}
	if got := request(store(t).Offer(now), &resource.Resource{}, now); !proto.Equal(got, &want) {
		t.Errorf("got\n%s", prototext.Format(got))
	}
}

// A series whose start isn't known begins, for a reader, with the first point that was taken.
func TestAnUnknownStart(t *testing.T) {
	s := store(t)
	s.Lock()
	total, err := s.Get("app_pages_total", series.Counter, nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	total.Begin(nil)
	s.Unlock()
	start := func(at int64) int64 {
		for _, f := range s.Offer(timestamppb.New(time.Unix(at, 0))) {
			if f.GetName() == "app_pages_total" {
				return f.GetMetric()[0].GetCounter().GetCreatedTimestamp().GetSeconds()
			}
		}
		return -1
	}
	if got := start(10); got != 10 {
		t.Errorf("begins at %d and not with its first point", got)
	}
	if got := start(20); got != 20 {
		t.Errorf("begins at %d, which nobody took", got)
	}
	taken := timestamppb.New(time.Unix(30, 0))
	s.Offer(taken)
	s.Taken(taken)
	if got := start(40); got != 30 {
		t.Errorf("begins at %d and not where it was taken", got)
	}
	s.NewReader()
	if got := start(50); got != 50 {
		t.Errorf("begins at %d for another reader", got)
	}
	scraped, _ := s.Gather()
	if created := family(scraped, "app_pages_total").GetMetric()[0].GetCounter().CreatedTimestamp; created != nil {
		t.Errorf("a scrape is told a start, %v", created)
	}
}

func family(all []*dto.MetricFamily, name string) *dto.MetricFamily {
	return all[slices.IndexFunc(all, func(f *dto.MetricFamily) bool { return f.GetName() == name })]
}

func TestUnits(t *testing.T) {
	for name, want := range map[string]string{
		"app_requests_total": "", "app_cpu_seconds_total": "s", "app_size_bytes": "By", "app_use_ratio": "1",
		"seconds": "s", "app_seconds_left": "", "": "",
	} {
		if got := unit(name); got != want {
			t.Errorf("%s is in %q and not in %q", name, got, want)
		}
	}
}

func TestTheResource(t *testing.T) {
	for name, c := range map[string]struct{ environment, want map[string]string }{
		"nobody says": {nil, map[string]string{"service.name": "unknown_service:metrics-adapter"}},
		"the operator says": {
			map[string]string{"OTEL_SERVICE_NAME": "shop", "OTEL_RESOURCE_ATTRIBUTES": "service.name=no,k8s.pod.name=shop-0, a=b%2Cc ,empty="},
			map[string]string{"service.name": "shop", "k8s.pod.name": "shop-0", "a": "b,c"},
		},
		"what cannot be read": {
			map[string]string{"OTEL_RESOURCE_ATTRIBUTES": "x,=y,,a=%zz,b=%ff,service.name=shop"},
			map[string]string{"service.name": "shop"},
		},
	} {
		got := map[string]string{}
		for _, a := range Resource(func(key string) string { return c.environment[key] }).GetAttributes() {
			got[a.GetKey()] = a.GetValue().GetStringValue()
		}
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: %v and not %v", name, got, c.want)
		}
	}
}

package otlp

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	dto "github.com/prometheus/client_model/go"
	collector "go.opentelemetry.io/proto/slim/otlp/collector/metrics/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/access"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
)

const (
	// signalPath is where receivers take metrics, below the address that one gives for all signals.
	signalPath = "/v1/metrics"
	// maxAnswer is how much of an answer is read.
	maxAnswer = 64 << 10
	// maxPause is how long a receiver can ask us to wait.
	maxPause = 5 * time.Minute
	// maxReason is how much of a receiver's reason is logged.
	maxReason = 500
)

// Metrics are pushed.
type Metrics interface {
	// Offer gives all there is at the moment. Counters and histograms have a CreatedTimestamp.
	Offer(now *timestamppb.Timestamp) []*dto.MetricFamily
	// Taken tells that what was offered at that time has arrived.
	Taken(at *timestamppb.Timestamp)
}

// Outcome is the result of a push.
type Outcome string

// The outcomes that there are. A later push carries all that an earlier one did, so none is repeated.
const (
	Taken   Outcome = "taken"
	Partial Outcome = "partial" // the receiver dropped some of it
	Refused Outcome = "refused" // any other answer
	Silent  Outcome = "silent"  // no answer in time, or no connection
)

// Outcomes are all of them.
var Outcomes = []Outcome{Taken, Partial, Refused, Silent}

// Pusher brings metrics to one receiver.
type Pusher struct {
	url     string
	timeout time.Duration
	access  access.Access
	gzip    bool
	deltas  *deltas // nil where sums are cumulative
	metrics Metrics
	of      *resource.Resource
	count   func(Outcome)
	log     *slog.Logger

	clients access.Clients
	failing bool
	pause   time.Time // until then the receiver wants nothing
}

// New makes a pusher to a receiver, whose endpoint is with or without the path of metrics.
func New(to spec.OTLP, access access.Access, metrics Metrics, of *resource.Resource, count func(Outcome), log *slog.Logger) *Pusher {
	url := strings.TrimRight(to.Endpoint, "/")
	if !strings.HasSuffix(url, signalPath) {
		url += signalPath
	}
	p := &Pusher{
		url: url, timeout: to.Timeout.Value(), access: access, gzip: to.Compression == "gzip",
		metrics: metrics, of: of, count: count, log: log.With("receiver", url),
	}
	if to.Temporality == "delta" {
		p.deltas = &deltas{}
	}
	return p
}

// Run pushes at the interval until the context ends. One push is under way at a time: a slow receiver gets fewer.
func (p *Pusher) Run(ctx context.Context, interval time.Duration) {
	defer p.clients.Close()
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if time.Now().After(p.pause) {
				p.Push(ctx)
			}
		}
	}
}

// Push brings all there is, once. That the context was cancelled is nobody's failure.
func (p *Pusher) Push(ctx context.Context) {
	now := timestamppb.Now()
	message := request(p.metrics.Offer(now), p.of, now)
	if p.deltas != nil {
		p.deltas.reduce(message.ResourceMetrics[0].ScopeMetrics[0].Metrics)
	}
	outcome, err := p.push(ctx, message)
	if outcome == Silent && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	if outcome == Taken || outcome == Partial {
		p.metrics.Taken(now)
		if p.deltas != nil {
			p.deltas.arrived()
		}
	}
	p.count(outcome)
	switch {
	case err != nil && !p.failing:
		p.log.Warn("the receiver doesn't take the metrics; this is said once until it does", "outcome", outcome, "error", err)
	case err == nil && p.failing:
		p.log.Info("the receiver takes the metrics again")
	}
	p.failing = err != nil
}

func (p *Pusher) push(ctx context.Context, message *collector.ExportMetricsServiceRequest) (Outcome, error) {
	body, err := proto.Marshal(message)
	if err != nil {
		return Refused, err // texts that are no UTF-8: the store has none
	}
	if p.gzip {
		if body, err = compressed(body); err != nil {
			return Refused, err
		}
	}
	ctx, stop := context.WithTimeout(ctx, p.timeout)
	defer stop()
	post, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(body))
	if err != nil {
		return Silent, err
	}
	if err := p.access.Authorize(post); err != nil {
		return Silent, err
	}
	client, err := p.clients.With(p.access)
	if err != nil {
		return Silent, err
	}
	post.Header.Set("Content-Type", "application/x-protobuf")
	post.Header.Set("User-Agent", "podpatterns-metrics-adapter")
	if p.gzip {
		post.Header.Set("Content-Encoding", "gzip")
	}
	response, err := client.Do(post)
	if err != nil {
		return Silent, access.Reason(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	switch {
	case response.StatusCode/100 != 2:
		p.heed(response)
		return Refused, fmt.Errorf("%s", response.Status)
	case err != nil:
		return Silent, err
	}
	return judge(response.Header.Get("Content-Type"), answer)
}

func compressed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write(body)
	err = errors.Join(err, w.Close())
	return b.Bytes(), err
}

// heed waits as long as a receiver that is overloaded asks for.
func (p *Pusher) heed(response *http.Response) {
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > 0 {
		p.pause = time.Now().Add(min(time.Duration(seconds)*time.Second, maxPause))
	}
}

// judge reads what the receiver says of a push that it took.
func judge(contentType string, answer []byte) (Outcome, error) {
	var said collector.ExportMetricsServiceResponse
	kind, _, _ := mime.ParseMediaType(contentType)
	switch {
	case len(answer) == 0 || kind == "application/json": // some have nothing to say
		return Taken, nil
	case strings.HasPrefix(kind, "text/") || proto.Unmarshal(answer, &said) != nil:
		return Refused, fmt.Errorf("no receiver of OTLP: the answer is of type %.*s", maxReason, contentType)
	}
	if rejected := said.GetPartialSuccess().GetRejectedDataPoints(); rejected > 0 {
		return Partial, fmt.Errorf("%d values dropped: %.*s", rejected, maxReason, said.GetPartialSuccess().GetErrorMessage())
	}
	return Taken, nil
}

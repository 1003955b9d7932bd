package adapter

import (
	"context"
	"os"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/access"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/otlp"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

// lastPush bounds the one that is made when the adapter is told to stop.
const lastPush = 2 * time.Second

// pushing is metrics on their way to a receiver.
type pushing struct {
	to     spec.OTLP
	pusher *otlp.Pusher
	stop   context.CancelFunc
	ended  chan struct{}
}

// push brings the metrics where the configuration says, and no longer where another one said.
func (a *Adapter) push(wanted *spec.OTLP) {
	if a.pushing != nil {
		if wanted != nil && *wanted == a.pushing.to {
			return
		}
		if wanted == nil || wanted.Endpoint != a.pushing.to.Endpoint {
			a.store.NewReader()
		}
		a.pushing.end()
		a.pushing = nil
	}
	if wanted == nil {
		return
	}
	ctx, stop := context.WithCancel(context.Background()) // the adapter's own end is followed by a last push
	with := access.Access{Headers: wanted.HeadersSecretRef.File(a.place.Secrets), CA: wanted.CASecretRef.File(a.place.Secrets), Proxied: true}
	pusher := otlp.New(*wanted, with, &everything{a.store, a.tell}, otlp.Resource(os.Getenv), a.tell.Pushes(), a.log)
	a.pushing = &pushing{*wanted, pusher, stop, make(chan struct{})}
	go func(ended chan struct{}) {
		defer close(ended)
		pusher.Run(ctx, wanted.Interval.Value())
	}(a.pushing.ended)
}

func (p *pushing) end() {
	p.stop()
	<-p.ended
}

// finish brings what was counted last.
func (p *pushing) finish() {
	p.end()
	ctx, stop := context.WithTimeout(context.Background(), lastPush)
	defer stop()
	p.pusher.Push(ctx)
}

// everything gathers all that a scrape gets.
type everything struct {
	*series.Store
	own *telemetry.Telemetry
}

func (e *everything) Offer(now *timestamppb.Timestamp) []*dto.MetricFamily {
	own, err := e.own.Gather()
	if err != nil {
		own = nil // nobody is told less by the rest
	}
	return append(e.Store.Offer(now), own...)
}

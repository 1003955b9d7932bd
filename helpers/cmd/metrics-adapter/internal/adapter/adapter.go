// Package adapter puts sources, rules and series together, and follows the configuration file.
package adapter

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/source"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/spec"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
	"podpatterns.dev/helpers/internal/configfile"
)

// Adapter is the running whole.
type Adapter struct {
	file  string
	host  string // to serve on; empty for all addresses
	place source.Place
	log   *slog.Logger

	store *series.Store
	tell  *telemetry.Telemetry

	mu      sync.RWMutex // of what a reload changes
	set     *rule.Set
	digest  string // of the configuration in effect
	refused string // what is wrong with a newer one

	seen    configfile.Seen // the file, in effect or refused
	running map[string]*running
	server  *server
	pushing *pushing // nil as long as no receiver is wanted
}

// running is a source that is being read.
type running struct {
	identity string
	feed     *rule.Feed
	stop     context.CancelFunc
	ended    chan struct{}
}

// New makes an adapter that has not begun.
func New(file, host string, place source.Place, log *slog.Logger) *Adapter {
	a := &Adapter{
		file: file, host: host, place: place, log: log,
		store: series.New(0), tell: telemetry.New(), running: map[string]*running{},
	}
	a.tell.MustRegister(&contractCollector{a})
	return a
}

// Run goes on until the context ends. It fails if the file it begins with cannot be taken; later on, the last good one
// stays in effect.
func (a *Adapter) Run(ctx context.Context) error {
	defer a.end()
	if err := a.reload(ctx); err != nil {
		return err
	}
	configfile.Each(ctx, func() {
		a.expire()
		if err := a.reload(ctx); err != nil {
			a.refuse(err)
			a.log.Error("the configuration is refused; the last good one stays in effect", "error", err)
		}
	})
	return nil
}

// expire gives up what nothing is heard of any more.
func (a *Adapter) expire() {
	ttl := time.Duration(0)
	if wanted := a.set.Metrics.TTL; wanted != "" {
		ttl = wanted.Value()
	}
	a.store.Expire(time.Now(), ttl)
}

func (a *Adapter) refuse(err error) {
	a.mu.Lock()
	a.refused = err.Error()
	a.mu.Unlock()
	a.tell.ConfigValid(false)
}

func (a *Adapter) end() {
	for _, one := range a.running {
		one.stop()
	}
	for _, one := range a.running {
		<-one.ended
	}
	if a.pushing != nil {
		a.pushing.finish()
	}
	if a.server != nil {
		a.server.stop()
	}
}

// reload takes the file if it has changed.
func (a *Adapter) reload(ctx context.Context) error {
	text, err := Read(a.file)
	if err != nil {
		// Logged once as well.
		text = []byte(err.Error())
	}
	if !a.seen.Changed(text) {
		return nil
	}
	if err != nil {
		return err
	}
	set, problems := rule.Compile(text)
	if err := problems.Err(); err != nil {
		return err
	}
	server, err := a.listen(set.Metrics)
	if err != nil {
		return err
	}
	a.apply(ctx, set, configfile.Hash(text))
	a.serve(server, set.Metrics)
	a.push(set.Metrics.OTLP)
	a.tell.ConfigValid(true)
	for _, one := range problems.Warnings() {
		a.log.Warn("a name is off the conventions", "field", one.Field, "reason", one.Reason)
	}
	a.log.Info("configuration in effect", "sha256", a.digest, "contract", set.Contract.Name, "sources", len(set.Sources))
	return nil
}

// Read reads a configuration file.
func Read(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, spec.MaxBytes+1))
}

// apply stops the sources that are gone or changed, lets the others go on with new rules, and starts the rest.
func (a *Adapter) apply(ctx context.Context, set *rule.Set, digest string) {
	feeds, begin := map[string]*rule.Feed{}, map[string]spec.Source{}
	wanted := map[string]string{}
	for _, s := range set.Sources {
		wanted[s.Name] = identify(s)
	}
	for name, one := range a.running {
		if wanted[name] == one.identity {
			feeds[name] = one.feed
			continue
		}
		one.stop()
		<-one.ended
		delete(a.running, name)
		if _, replaced := wanted[name]; !replaced {
			a.tell.Forget(name)
		}
	}
	for _, s := range set.Sources {
		if feeds[s.Name] == nil {
			feeds[s.Name] = rule.NewFeed(a.store, a.tell.Source(s.Name))
			begin[s.Name] = s
		}
	}
	set.TakeOver(a.store, a.set, feeds)
	a.mu.Lock()
	a.set, a.digest, a.refused = set, digest, ""
	a.mu.Unlock()
	a.tell.ConfigDigest(digest)
	for _, name := range slices.Sorted(maps.Keys(begin)) {
		a.start(ctx, begin[name], feeds[name])
	}
}

func (a *Adapter) start(ctx context.Context, s spec.Source, feed *rule.Feed) {
	ctx, stop := context.WithCancel(ctx)
	one := &running{identify(s), feed, stop, make(chan struct{})}
	a.running[s.Name] = one
	go func() {
		defer close(one.ended)
		source.Run(ctx, s, a.place, feed, a.log)
	}()
}

// identify says what a source is, so that one that is the same in a new configuration is read on.
func identify(s spec.Source) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(fmt.Sprintf("a source of texts and numbers: %v", err))
	}
	return string(text)
}

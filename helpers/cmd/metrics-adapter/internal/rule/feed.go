package rule

import (
	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/telemetry"
)

// Feed takes what one source says. It stays while the rules behind it change.
type Feed struct {
	store *series.Store
	tell  *telemetry.Source
	rules []*Rule // under the store's lock
	round uint64
}

// NewFeed makes a feed without rules.
func NewFeed(store *series.Store, tell *telemetry.Source) *Feed {
	return &Feed{store: store, tell: tell}
}

// Up notes whether the source can be read.
func (f *Feed) Up(up bool) { f.tell.Up(up) }

// Unmatched counts something that cannot even be put to the rules.
func (f *Feed) Unmatched() { f.tell.Unmatched() }

// Line takes a line of a log.
func (f *Feed) Line(line string) { f.line(line, nil) }

// Message takes a message of syslog.
func (f *Feed) Message(text string, header *Header) { f.line(text, header) }

func (f *Feed) line(line string, header *Header) {
	f.store.Lock()
	defer f.store.Unlock()
	matched := false
	var fields map[string]any // of the line, if it has a format: read once for all rules
	for i, r := range f.rules {
		if r.format != nil {
			if i == 0 {
				fields = r.format(line)
			}
			matched = fields != nil && f.fields(r, fields, header) || matched
			continue
		}
		at := r.regex.FindStringSubmatchIndex(line)
		if at == nil {
			continue
		}
		matched = true
		for i, group := range r.positions {
			r.values[i] = ""
			if group < 0 {
				continue
			}
			if start := at[2*group]; start >= 0 {
				r.values[i] = line[start:at[2*group+1]]
			}
		}
		f.happened(r, header)
	}
	if !matched {
		f.tell.Unmatched()
	}
}

// fields takes what a rule's path leads to in a line.
func (f *Feed) fields(r *Rule, fields map[string]any, header *Header) bool {
	found, err := r.Query.Search(fields)
	for _, one := range found {
		one.Groups(r.groups, r.values)
		f.happened(r, header)
	}
	return err == nil && len(found) > 0
}

// happened makes metrics of a match whose values are the rule's.
func (f *Feed) happened(r *Rule, header *Header) {
	r.complete(r.values, header)
	for _, e := range r.emissions {
		ev := Event{Kind: Single, Weight: 1}
		if e.value < 0 {
			ev = Event{Kind: Count, Value: 1}
		}
		f.note(e, e.event(f.store, r.values, ev))
	}
}

// Sample is one value that was sent under a name, as StatsD's are.
type Sample interface {
	Name() string
	// Group gives the value of a group, empty if there is none.
	Group(of *Name, group string) string
}

// Sample takes one.
func (f *Feed) Sample(sample Sample, ev Event) {
	f.store.Lock()
	defer f.store.Unlock()
	matched := false
	for _, r := range f.rules {
		if !r.Name.Match(sample.Name()) {
			continue
		}
		matched = true
		for i, wanted := range r.groups {
			r.values[i] = sample.Group(r.Name, wanted)
		}
		r.complete(r.values, nil)
		for _, e := range r.emissions {
			f.note(e, e.event(f.store, r.values, ev))
		}
	}
	if !matched {
		f.tell.Unmatched()
	}
}

// Page takes a page that was read: find gives what a rule finds in it. All of it is seen by a scrape at once.
func (f *Feed) Page(find func(*Rule) []Finding) {
	f.settle(find)
	f.Up(true)
}

// NoPage notes that the source could not be read. Its gauges go, as those of a target that Prometheus cannot scrape do;
// its counters stay, and go on when it is back.
func (f *Feed) NoPage() {
	f.Up(false)
	f.settle(nil)
}

func (f *Feed) settle(find func(*Rule) []Finding) {
	f.store.Lock()
	defer f.store.Unlock()
	f.round++
	now := timestamppb.Now()
	for _, r := range f.rules {
		before := make([]map[*series.Series]*level, len(r.emissions))
		for i, e := range r.emissions {
			before[i] = e.levels
			e.levels = map[*series.Series]*level{}
		}
		if find != nil {
			f.findings(r, find(r))
		}
		for i, e := range r.emissions {
			fresh := e.fresh && find == nil
			if err := e.settle(f.store, f.round, before[i]); err != nil {
				f.note(e, err)
			}
			e.fresh = fresh
			if find != nil {
				e.seen = now
			}
		}
	}
}

func (f *Feed) findings(r *Rule, found []Finding) {
	if len(found) == 0 {
		f.tell.Unmatched()
	}
	for _, one := range found {
		r.complete(one.Groups, nil)
		for _, e := range r.emissions {
			f.note(e, e.found(f.store, one, f.round))
		}
	}
}

// note keeps why a value was not taken.
func (f *Feed) note(e *emission, err error) {
	if err == nil {
		e.made, e.failure = true, nil
		return
	}
	e.failure = err
	f.tell.Dropped(err)
}

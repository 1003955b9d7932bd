package rule

import (
	"iter"
	"slices"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// TakeOver puts the set's rules behind the feeds of its sources, in place of those of the set before it, which may be
// nil. Series that the set can make go on from where they are. It takes the store's lock, so that no line or page
// meets the rules of both.
func (s *Set) TakeOver(store *series.Store, before *Set, feeds map[string]*Feed) {
	store.Lock()
	defer store.Unlock()
	if before != nil {
		s.adopt(before)
	}
	owners := map[*series.Owner]bool{}
	for e := range s.emissions() {
		owners[e.owner] = true
	}
	store.Inherit(s.Metrics.MaxSeries, owners, s.makes, s.Contract.Help)
	for _, source := range s.Sources {
		feed := feeds[source.Name]
		feed.rules = s.rules[source.Name]
		if !source.Events() {
			continue
		}
		for _, r := range feed.rules {
			for _, e := range r.emissions {
				e.zero(store)
			}
		}
	}
}

// adopt goes on with the state of emissions that are the same in both sets.
func (s *Set) adopt(before *Set) {
	known := map[string]*emission{}
	for e := range before.emissions() {
		known[e.identity] = e
	}
	for e := range s.emissions() {
		old := known[e.identity]
		if old == nil {
			e.fresh = true
			continue
		}
		delete(known, e.identity)       // the same thing twice has two states
		e.target.Type = old.target.Type // as the page has it
		e.readings, e.levels, e.owner, e.how = old.readings, old.levels, old.owner, old.how
		e.seen, e.fresh, e.made, e.failure = old.seen, old.fresh, old.made, old.failure
		for _, r := range e.readings {
			r.round = 0 // a source that was changed counts its rounds anew
		}
	}
}

func (s *Set) emissions() iter.Seq[*emission] {
	return func(yield func(*emission) bool) {
		for _, source := range s.Sources {
			for _, r := range s.rules[source.Name] {
				for _, e := range r.emissions {
					if !yield(e) {
						return
					}
				}
			}
		}
	}
}

// makes tells whether an event or a total may still go into a series. Gauges that were read from a page don't count:
// the next page has them, or not.
func (s *Set) makes(one *series.Series) bool {
	for _, source := range s.Sources {
		for _, r := range s.rules[source.Name] {
			for _, e := range r.emissions {
				page := !source.Events()
				if one.Type() == series.Gauge && page {
					continue
				}
				if e.target.Name == one.Name() && e.target.Type == one.Type() && e.sameBuckets(one, page) && couldMake(e.labels, one.Labels()) {
					return true
				}
			}
		}
	}
	return false
}

// sameBuckets: those of a page's histogram are the page's own; totals go into whatever buckets there are.
func (e *emission) sameBuckets(one *series.Series, page bool) bool {
	return one.Type() != series.Histogram || page || e.target.Part != contract.Whole || slices.Equal(one.Bounds(), e.target.Bounds)
}

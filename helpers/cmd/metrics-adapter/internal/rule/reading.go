package rule

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// Finding is something that a rule found on a page: a total since the source's start, or a level.
type Finding struct {
	// Groups in the rule's order.
	Groups []string
	// Identity tells totals apart that are added up into one series: each of them starts anew on its own.
	Identity string
	Value    float64 // NaN for what is no number
	Totals   *Totals // of a histogram or summary, otherwise nil
	// Began is when the total was 0, nil if that isn't known.
	Began *timestamppb.Timestamp
}

// Totals is a histogram's state. A summary has no bounds.
type Totals struct {
	Sum    float64
	Bounds []float64
	Counts []float64 // per bucket, not cumulative; the last is beyond all bounds
}

// maxReadings bounds the totals that are remembered of an emission that a page no longer has. One that comes back later
// than that counts in full.
const maxReadings = 20_000

type readingKey struct {
	identity string
	series   *series.Series
}

// reading is a total as the source has it. What belongs to a histogram is read as one: sum first, then buckets.
type reading struct {
	last []float64 // nil before the first
	next []float64
	// bounds are those of a histogram's last buckets.
	bounds []float64
	round  uint64 // that next is of
	began  *timestamppb.Timestamp
}

// found notes what a page says. Several findings of one identity add up.
func (e *emission) found(store *series.Store, f Finding, round uint64) error {
	if e.when != nil && !e.when(f.Groups) {
		return nil
	}
	values, bounds, err := e.totals(f)
	if e.target.Type == series.Gauge && !errors.Is(err, series.ErrType) {
		return e.level(store, f.Groups, values, err)
	}
	if err != nil {
		return err
	}
	for _, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return series.ErrNumber
		}
		if v < 0 {
			return series.ErrNegative
		}
	}
	to, err := e.seriesOf(store, f.Groups, bounds)
	if errors.Is(err, series.ErrBuckets) {
		to, err = e.seriesOf(store, f.Groups, nil)
	}
	if err == nil && e.target.Type == series.Histogram && e.target.Part == contract.Whole {
		err = e.rebucket(store, to, bounds, round)
	}
	if err != nil {
		return err
	}
	key := readingKey{f.Identity, to}
	r := e.readings[key]
	if r == nil {
		r = &reading{began: f.Began}
		e.readings[key] = r
	}
	if r.round != round {
		r.round, r.next = round, slices.Clone(values)
		return nil
	}
	for i, v := range values {
		r.next[i] += v
	}
	return nil
}

// rebucket gives a histogram the buckets that the page has now. It cannot have those of two findings at once.
func (e *emission) rebucket(store *series.Store, to *series.Series, bounds []float64, round uint64) error {
	last, ours := e.bucketed[to]
	if !slices.Equal(to.Bounds(), bounds) {
		if !ours || last == round {
			return series.ErrBuckets
		}
		if err := store.Rebucket(to, bounds); err != nil {
			return err
		}
	}
	e.bucketed[to] = round
	return nil
}

// level is what a page has of a gauge. One value that isn't known makes the whole unknown.
type level struct {
	series.Level
	unknown bool
}

func (e *emission) level(store *series.Store, groups []string, values []float64, failure error) error {
	to, err := e.seriesOf(store, groups, nil)
	if err != nil {
		return err
	}
	l := e.levels[to]
	if l == nil {
		l = &level{}
		e.levels[to] = l
	}
	if failure != nil {
		l.unknown = true
		return failure
	}
	l.Add(values[0])
	return nil
}

// totals are the numbers to follow, scaled, and the bounds of the series they go into.
func (e *emission) totals(f Finding) ([]float64, []float64, error) {
	e.followType(f)
	histogram := e.target.Type == series.Histogram && e.target.Part == contract.Whole
	switch {
	case histogram != (f.Totals != nil):
		return nil, nil, series.ErrType
	case !histogram:
		v, err := e.number(f.Groups, f.Value)
		return []float64{v}, nil, err
	}
	values := append([]float64{f.Totals.Sum * e.scale}, f.Totals.Counts...)
	bounds := make([]float64, len(f.Totals.Bounds))
	for i, b := range f.Totals.Bounds {
		bounds[i] = b * e.scale
		if math.IsNaN(bounds[i]) || math.IsInf(bounds[i], 0) || i > 0 && bounds[i] <= bounds[i-1] {
			return nil, nil, series.ErrBuckets
		}
	}
	return values, bounds, nil
}

// followType makes a histogram of a page stay one where neither the contract nor the name says otherwise.
func (e *emission) followType(f Finding) {
	switch {
	case e.target.Known || e.target.Type == series.Counter:
	case f.Totals != nil:
		e.target.Type = series.Histogram
	default:
		e.target.Type = series.Gauge
	}
}

// settle adds what the round's totals have risen by, and gives up levels that the page doesn't have any more: a gauge
// that nobody measures isn't known.
func (e *emission) settle(store *series.Store, round uint64, before map[*series.Series]*level) (failure error) {
	for gauge := range before {
		if _, still := e.levels[gauge]; !still {
			store.Withdraw(gauge, e.owner)
		}
	}
	for gauge, l := range e.levels {
		if l.unknown {
			store.Withdraw(gauge, e.owner)
			delete(e.levels, gauge)
		} else if err := gauge.Put(e.owner, l.Level, e.how); err != nil {
			failure = err
		}
	}
	crowded := len(e.readings) > maxReadings
	for key, r := range e.readings {
		switch {
		case key.series.Removed() || crowded && r.round != round:
			delete(e.readings, key)
			delete(e.bucketed, key.series)
		case r.round == round:
			if err := e.rise(key.series, r); err != nil {
				failure = err
			}
		}
	}
	e.fresh = false
	return failure
}

// rise adds to the series what a total has grown by. A first total counts in full, since it is the source's own count
// since its start, and so does one that fell: the source has started anew. Only where an emission was changed while its
// series went on, the first total is just where it goes on from.
func (e *emission) rise(to *series.Series, r *reading) error {
	before, bounds := r.last, r.bounds
	r.last, r.bounds = r.next, to.Bounds()
	switch {
	case before == nil && e.fresh && to.Inherited():
		return nil
	case before == nil && to.Empty():
		to.Begin(cmp.Or(e.seen, r.began))
		before = make([]float64, len(r.next))
	case before == nil || !slices.Equal(bounds, r.bounds) || fell(before, r.next):
		before = make([]float64, len(r.next))
	}
	for i := range before {
		// What is less by rounding has not grown until it is more than it was.
		if i > 0 || len(before) == 1 {
			r.last[i] = max(r.last[i], before[i])
		}
	}
	if len(r.next) == 1 {
		v := r.next[0] - before[0]
		switch e.target.Part {
		case contract.Sum:
			return to.AddSum(v)
		case contract.Count:
			return to.AddCount(v)
		}
		return to.Add(v)
	}
	err := to.AddSum(max(r.next[0]-before[0], 0))
	for i := range r.next[1:] {
		if failure := to.AddBucket(i, r.next[i+1]-before[i+1]); failure != nil {
			err = failure
		}
	}
	return err
}

// rounding is how much smaller a total may be, in proportion, and is yet the same: a source that adds up in another order
// each time gets other last digits.
const rounding = 1e-9

// fell tells whether a source has started anew. Of a histogram the buckets tell; its sum may fall by a negative value.
func fell(before, next []float64) bool {
	if len(next) > 1 {
		before, next = before[1:], next[1:]
	}
	for i := range next {
		if next[i] < before[i]*(1-rounding) {
			return true
		}
	}
	return false
}

package rule

import (
	"math"
	"strconv"

	"google.golang.org/protobuf/types/known/timestamppb"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// emission makes one metric of what a rule found.
type emission struct {
	identity string
	target   contract.Target
	labels   []label // sorted by name
	when     condition
	value    int // the group that holds the value; -1: what was found is the value
	scale    float64
	// anyNumber takes NaN and the infinities too: what Prometheus keeps of a page's gauges.
	anyNumber bool

	cache    map[string]*series.Series // by the values of the groups in labels
	key      []byte
	readings map[readingKey]*reading
	// owner stands for the emission in the gauges that it gives to, made of several values by how.
	owner  *series.Owner
	how    series.Aggregation
	levels map[*series.Series]*level // gauges of the last reading
	// bucketed are histograms, each with the round in which it got its buckets.
	bucketed map[*series.Series]uint64
	// seen is when the page was last read: what it didn't have then began later. Nil before that.
	seen *timestamppb.Timestamp
	// fresh is true until the first reading after a change of configuration made the emission.
	fresh bool
	// made tells that a match of its rule was understood, be it that the condition didn't hold: no errors is good news.
	made    bool
	failure error // of the last value
}

// maxCached bounds the cache: values that are cut off or mended give the same series under many keys.
const maxCached = 8192

// seriesOf finds or makes the series. Bounds nil stands for whatever buckets there are.
func (e *emission) seriesOf(store *series.Store, groups []string, bounds []float64) (*series.Series, error) {
	e.key = e.key[:0]
	for _, l := range e.labels {
		for _, p := range l.value.parts {
			if p.group >= 0 {
				value := groups[p.group]
				e.key = strconv.AppendInt(e.key, int64(len(value)), 36)
				e.key = append(e.key, ':')
				e.key = append(e.key, cut(value)...)
			}
		}
	}
	if found := e.cache[string(e.key)]; found != nil && !found.Removed() {
		return found, nil
	}
	labels := make([]series.Label, 0, len(e.labels))
	for _, l := range e.labels {
		if value := l.value.render(groups); value != "" {
			labels = append(labels, series.Label{Name: l.name, Value: value})
		}
	}
	found, err := store.Get(e.target.Name, e.target.Type, labels, bounds, e.target.Help)
	if err != nil {
		return nil, err
	}
	if len(e.cache) >= maxCached {
		clear(e.cache)
	}
	e.cache[string(e.key)] = found
	return found, nil
}

// bounds of the series that events go into.
func (e *emission) bounds() []float64 {
	if e.target.Part == contract.Whole {
		return e.target.Bounds
	}
	return nil
}

// number is the value of a match: a group's, or what was found itself.
func (e *emission) number(groups []string, found float64) (float64, error) {
	v := found
	if e.value >= 0 {
		var number bool
		if v, number = ParseNumber(groups[e.value]); !number {
			return 0, series.ErrNumber
		}
	}
	if v *= e.scale; !e.anyNumber && (math.IsNaN(v) || math.IsInf(v, 0)) {
		return 0, series.ErrNumber
	}
	return v, nil
}

// zero makes the series before anything happened if it is known which it will be: a counter that is there from 0 on
// shows its first increase.
func (e *emission) zero(store *series.Store) {
	if e.target.Type == series.Gauge {
		return
	}
	for _, l := range e.labels {
		if !l.value.constant() {
			return
		}
	}
	if made, err := e.seriesOf(store, nil, e.bounds()); err == nil { // otherwise the first event says why there is none
		made.Keep()
	}
}

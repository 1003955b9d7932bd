package rule

import (
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/contract"
	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/series"
)

// Kind is the meaning of a value.
type Kind int

const (
	// Count is so many more: a counter rises by it, a gauge moves by it.
	Count Kind = iota
	// Level is how much there is now.
	Level
	// Single is one of many values: a histogram observes it, a counter adds it up, a gauge shows the last.
	Single
)

// Event is something that happened.
type Event struct {
	Kind  Kind
	Value float64
	// Weight is how many such events it stands for: 10 when a client sends every tenth.
	Weight float64
}

func (e *emission) event(store *series.Store, groups []string, ev Event) error {
	if e.when != nil && !e.when(groups) {
		return nil
	}
	v, err := e.number(groups, ev.Value)
	if err != nil {
		return err
	}
	if e.target.Type == series.Histogram && e.target.Part == contract.Whole && ev.Kind != Single {
		return series.ErrType
	}
	to, err := e.seriesOf(store, groups, e.bounds())
	if err != nil {
		return err
	}
	switch {
	case e.target.Part == contract.Sum:
		return to.AddSum(v * e.weight(ev))
	case e.target.Part == contract.Count:
		return to.AddCount(v * e.weight(ev))
	case e.target.Type == series.Histogram:
		return to.Observe(v, ev.Weight)
	case e.target.Type == series.Gauge && ev.Kind == Count:
		return to.Move(e.owner, v, e.how)
	case e.target.Type == series.Gauge:
		var last series.Level
		last.Add(v)
		return to.Put(e.owner, last, e.how)
	case e.target.Type == series.Counter && ev.Kind == Level:
		return series.ErrType
	}
	return to.Add(v * e.weight(ev))
}

// weight of what is added up. A counted value is scaled by its sender's rate already, and so are groups.
func (e *emission) weight(ev Event) float64 {
	if ev.Kind == Single && e.value < 0 {
		return ev.Weight
	}
	return 1
}

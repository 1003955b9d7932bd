package series

import (
	"slices"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// Store holds all series.
type Store struct {
	sync.Mutex
	families map[string]*family
	size     int
	limit    int
	clock    int64
}

type family struct {
	store  *Store
	name   string
	help   string
	kind   Type
	series map[string]*Series
	sorted []*Series // nil after a change
}

// New makes a store for so many series, as Prometheus counts them: a histogram is one for each bucket, its sum and
// its count.
func New(limit int) *Store {
	return &Store{families: map[string]*family{}, limit: limit, clock: time.Now().UnixNano()}
}

// Size is the number of series.
func (s *Store) Size() int { return s.size }

// Get returns the series, made anew if need be. The labels must be sorted by name, have valid values, and none may
// be empty: to Prometheus an empty label is one that isn't there. Bounds matter to histograms only; nil stands for
// whatever buckets there are, and for none in a new one.
func (s *Store) Get(name string, kind Type, labels []Label, bounds []float64, help string) (*Series, error) {
	f := s.families[name]
	if f != nil && f.kind != kind {
		return nil, ErrType
	}
	key := keyOf(labels)
	if f != nil {
		if found := f.series[key]; found != nil {
			if kind == Histogram && bounds != nil && !slices.Equal(found.bounds, bounds) {
				return nil, ErrBuckets
			}
			return found, nil
		}
	} else {
		f = &family{store: s, name: name, help: help, kind: kind, series: map[string]*Series{}}
	}
	made := &Series{family: f, key: key, since: timestamppb.Now(), heard: s.clock}
	if kind == Histogram {
		made.bounds = slices.Clone(bounds)
		made.counts = make([]float64, len(bounds)+1)
	}
	if s.size+made.size() > s.limit {
		return nil, ErrFull
	}
	made.labels = make([]Label, len(labels))
	for i, l := range labels {
		// Values are parts of pages and log buffers, which they would keep from being freed.
		own := Label{l.Name, strings.Clone(l.Value)}
		made.labels[i] = own
		made.pairs = append(made.pairs, &dto.LabelPair{Name: &made.labels[i].Name, Value: &made.labels[i].Value})
	}
	s.size += made.size()
	s.families[name] = f
	f.series[key] = made
	f.sorted = nil
	return made, nil
}

// Remove gives a series up.
func (s *Store) Remove(gone *Series) {
	if gone.removed {
		return
	}
	gone.removed = true
	s.size -= gone.size()
	f := gone.family
	delete(f.series, gone.key)
	f.sorted = nil
	if len(f.series) == 0 {
		delete(s.families, f.name)
	}
}

// Inherit begins a new configuration: what it no longer makes goes, the rest goes on from where it is. A lower limit
// leaves the series that there are. Owners are the rules that gauges may be made by.
func (s *Store) Inherit(limit int, owners map[*Owner]bool, keep func(*Series) bool, help func(name string) string) {
	s.limit = limit
	for _, f := range s.families {
		f.help = help(f.name)
		for _, one := range f.series {
			one.succeed(owners)
			if one.Owned() || keep(one) {
				one.inherited = true
			} else {
				s.Remove(one)
			}
		}
	}
}

// Expire gives up the series that nothing was heard of for so long, and sets the clock by which that is told. It takes the
// lock.
func (s *Store) Expire(now time.Time, after time.Duration) {
	s.Lock()
	defer s.Unlock()
	s.clock = now.UnixNano()
	if after == 0 {
		return
	}
	for _, f := range s.families {
		for _, one := range f.series {
			if !one.kept && s.clock-one.heard > int64(after) {
				s.Remove(one)
			}
		}
	}
}

// Each calls a function for every series of a metric.
func (s *Store) Each(name string, do func(*Series)) {
	if f := s.families[name]; f != nil {
		for _, one := range f.series {
			do(one)
		}
	}
}

// Gather returns all metrics in order of name and labels. It takes the lock.
func (s *Store) Gather() ([]*dto.MetricFamily, error) { return s.gather(nil), nil }

// Offer is Gather for a reader who wants each series to have a start. One whose start isn't known begins now
// for that reader, until Taken says that this has arrived. It takes the lock.
func (s *Store) Offer(now *timestamppb.Timestamp) []*dto.MetricFamily { return s.gather(now) }

// Taken notes that what was offered at that time has arrived: from then on this is where those series begin. It takes
// the lock.
func (s *Store) Taken(at *timestamppb.Timestamp) {
	s.begin(func(one *Series) {
		if one.offered == at {
			one.taken, one.offered = at, nil
		}
	})
}

// NewReader forgets what was taken: for another reader they begin at another time. It takes the lock.
func (s *Store) NewReader() {
	s.begin(func(one *Series) { one.taken, one.offered = nil, nil })
}

func (s *Store) begin(each func(*Series)) {
	s.Lock()
	defer s.Unlock()
	for _, f := range s.families {
		for _, one := range f.series {
			each(one)
		}
	}
}

func (s *Store) gather(now *timestamppb.Timestamp) []*dto.MetricFamily {
	s.Lock()
	defer s.Unlock()
	all := make([]*dto.MetricFamily, 0, len(s.families))
	for _, f := range s.families {
		all = append(all, f.gather(now))
	}
	slices.SortFunc(all, func(a, b *dto.MetricFamily) int { return strings.Compare(a.GetName(), b.GetName()) })
	return all
}

func (f *family) gather(now *timestamppb.Timestamp) *dto.MetricFamily {
	if f.sorted == nil {
		for _, one := range f.series {
			f.sorted = append(f.sorted, one)
		}
		slices.SortFunc(f.sorted, compareLabels)
	}
	name, kind := f.name, map[Type]dto.MetricType{
		Counter: dto.MetricType_COUNTER, Gauge: dto.MetricType_GAUGE, Histogram: dto.MetricType_HISTOGRAM,
	}[f.kind]
	shown := &dto.MetricFamily{Name: &name, Type: &kind, Metric: make([]*dto.Metric, len(f.sorted))}
	if f.help != "" {
		help := f.help
		shown.Help = &help
	}
	for i, one := range f.sorted {
		shown.Metric[i] = one.metric(now)
	}
	return shown
}

func keyOf(labels []Label) string {
	var b strings.Builder
	for _, l := range labels {
		// 0xff is in no label: it is in no UTF-8.
		b.WriteString(l.Name)
		b.WriteByte(0xff)
		b.WriteString(l.Value)
		b.WriteByte(0xff)
	}
	return b.String()
}

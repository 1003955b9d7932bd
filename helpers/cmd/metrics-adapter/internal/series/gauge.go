package series

import "slices"

// Aggregation makes one value of a gauge's several, named as PromQL's operators are.
type Aggregation string

// The aggregations that there are.
const (
	Sum Aggregation = "sum"
	Min Aggregation = "min"
	Max Aggregation = "max"
	Avg Aggregation = "avg"
)

// Level is what one rule knows of a gauge. The zero value is that of nothing.
type Level struct{ n, sum, min, max float64 }

// Add takes one more value. NaN makes NaN of the whole.
func (l *Level) Add(v float64) { l.merge(Level{1, v, v, v}) }

func (l *Level) merge(other Level) {
	if l.n == 0 {
		*l = other
		return
	}
	l.n, l.sum, l.min, l.max = l.n+other.n, l.sum+other.sum, min(l.min, other.min), max(l.max, other.max)
}

// Of aggregates.
func (l *Level) Of(how Aggregation) float64 {
	switch how {
	case Min:
		return l.min
	case Max:
		return l.max
	case Avg:
		return l.sum / l.n
	}
	return l.sum
}

// Owner is a rule that gauges are made by. A page's levels go with the rule; what happened once stays for another one.
type Owner struct{ Page bool }

// share is what one owner gives to a gauge. Without one it waits for the next rule that makes the gauge.
type share struct {
	owner *Owner
	level Level
}

// Put gives a gauge what an owner knows now, in place of what it knew before.
func (s *Series) Put(owner *Owner, level Level, how Aggregation) error {
	if s.family.kind != Gauge {
		return ErrType
	}
	s.share(owner).level = level
	s.aggregate(how)
	return nil
}

// Move changes what an owner knows of a gauge by so much.
func (s *Series) Move(owner *Owner, by float64, how Aggregation) error {
	switch {
	case s.family.kind != Gauge:
		return ErrType
	case !finite(s.value + by):
		return ErrNumber
	}
	of := s.share(owner)
	moved := Level{}
	moved.Add(of.level.sum + by)
	of.level = moved
	s.aggregate(how)
	return nil
}

func (s *Series) share(owner *Owner) *share {
	for i := range s.shares {
		if s.shares[i].owner == owner {
			return &s.shares[i]
		}
	}
	for i := range s.shares {
		if s.shares[i].owner == nil {
			s.shares[i].owner = owner
			return &s.shares[i]
		}
	}
	s.shares = append(s.shares, share{owner: owner})
	return &s.shares[len(s.shares)-1]
}

func (s *Series) aggregate(how Aggregation) {
	var all Level
	for _, one := range s.shares {
		all.merge(one.level)
	}
	s.how, s.value = how, all.Of(how)
	s.touch()
}

// Withdraw takes back what an owner gave to a gauge, which goes when nobody gives anything.
func (s *Store) Withdraw(from *Series, owner *Owner) {
	from.shares = slices.DeleteFunc(from.shares, func(one share) bool { return one.owner == owner })
	if len(from.shares) == 0 {
		s.Remove(from)
		return
	}
	from.aggregate(from.how)
}

// succeed leaves a gauge with those owners that there still are, and with what happened once.
func (s *Series) succeed(owners map[*Owner]bool) {
	s.shares = slices.DeleteFunc(s.shares, func(one share) bool {
		return one.owner != nil && one.owner.Page && !owners[one.owner]
	})
	for i, one := range s.shares {
		if !owners[one.owner] {
			s.shares[i].owner = nil
		}
	}
	if len(s.shares) > 0 {
		s.aggregate(s.how)
	}
}

// Owned tells whether a rule that there is gives to the gauge.
func (s *Series) Owned() bool {
	return slices.ContainsFunc(s.shares, func(one share) bool { return one.owner != nil })
}

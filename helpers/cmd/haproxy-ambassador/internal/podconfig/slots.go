package podconfig

import (
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
)

// Slots says which address each server of a template has. The zero Addr is none.
type Slots struct {
	taken map[string][]netip.Addr // by backend and prefix
}

// Change is a server that gets another address; none if Address is the zero Addr.
type Change struct {
	Backend, Server string
	Address         netip.Addr
}

// Assign returns the slots that have the present addresses, and what that changes. An address stays in its slot for as
// long as its name has it. Of more addresses than slots a Pod uses some, by chance others than the next Pod.
func (s Slots) Assign(templates []Template, addresses func(host string) []netip.Addr) (Slots, []Change) {
	next := Slots{maps.Clone(s.taken)}
	if next.taken == nil {
		next.taken = map[string][]netip.Addr{}
	}
	var changes []Change
	for _, t := range templates {
		before := s.of(t)
		after := assign(before, addresses(t.Host))
		for i := range after {
			if after[i] != before[i] {
				changes = append(changes, Change{t.Backend, t.server(i), after[i]})
			}
		}
		next.taken[t.key()] = after
	}
	return next, changes
}

func assign(before, present []netip.Addr) []netip.Addr {
	after := slices.Clone(before)
	var waiting []netip.Addr
	for _, address := range present {
		if !slices.Contains(before, address) {
			waiting = append(waiting, address)
		}
	}
	rand.Shuffle(len(waiting), func(i, j int) { waiting[i], waiting[j] = waiting[j], waiting[i] })
	for i, address := range after {
		if slices.Contains(present, address) {
			continue
		}
		after[i] = netip.Addr{}
		if len(waiting) > 0 {
			after[i], waiting = waiting[0], waiting[1:]
		}
	}
	return after
}

// of returns a template's slots, as many as it has.
func (s Slots) of(t Template) []netip.Addr {
	slots := make([]netip.Addr, t.Slots)
	copy(slots, s.taken[t.key()])
	return slots
}

func (t Template) key() string { return t.Backend + "/" + t.Prefix }

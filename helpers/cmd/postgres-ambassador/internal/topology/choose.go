package topology

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Role is what a server says it is.
type Role string

// The roles.
const (
	Primary Role = "primary"
	Replica Role = "replica"
)

// Finding is what a server says of itself.
type Finding struct {
	Role Role
	// System names the cluster that it belongs to; empty if it doesn't say so.
	System string
	// Timeline of a primary: each promotion begins one with a higher number. 0 if it doesn't say so.
	Timeline uint32
}

// Server is one as it was found.
type Server struct {
	Target
	Finding
	// Problem is why it can't be used; empty if it can.
	Problem string
}

// Target is where a server is.
type Target struct {
	Address netip.AddrPort
	// Endpoint is what the configuration calls it.
	Endpoint string
}

func (t Target) String() string {
	if t.Endpoint == t.Address.String() {
		return t.Endpoint
	}
	return fmt.Sprintf("%s (%s)", t.Endpoint, t.Address.Addr())
}

// inUse is the primary that was chosen last, also while it doesn't answer. The zero value is none.
type inUse struct {
	address  netip.AddrPort
	system   string
	timeline uint32
}

// choose returns the primary, or why there is none. One that is in use stays until another is promoted, which begins a
// higher timeline. So an old primary that comes back gets nothing, nor does one of another cluster.
func choose(servers []Server, used inUse) (*Server, string) {
	var candidates []*Server
	var problems []string
	for i := range servers {
		s := &servers[i]
		switch {
		case s.Problem != "":
			problems = append(problems, fmt.Sprintf("%s: %s", s, s.Problem))
		case s.Role == Replica:
			problems = append(problems, fmt.Sprintf("%s is a replica", s))
		default:
			candidates = append(candidates, s)
		}
	}
	candidates = slices.DeleteFunc(candidates, func(s *Server) bool {
		why := disqualified(s, candidates, used)
		if why != "" {
			problems = append(problems, fmt.Sprintf("%s %s", s, why))
		}
		return why != ""
	})
	for _, s := range candidates {
		if s.Address == used.address {
			return s, ""
		}
	}
	switch len(candidates) {
	case 0:
		return nil, cmp.Or(strings.Join(problems, "; "), "no address")
	case 1:
		return candidates[0], ""
	}
	var names []string
	for _, s := range candidates {
		names = append(names, s.String())
	}
	return nil, strings.Join(names, " and ") + " both take themselves for the primary: stop the old one, or make it a replica"
}

// disqualified returns why a server that takes itself for the primary is not it; empty if it may be.
func disqualified(s *Server, candidates []*Server, used inUse) string {
	if used.address.IsValid() && s.Address != used.address && s.System != used.system {
		return "is of another cluster than the primary in use"
	}
	newest := used.timeline
	if s.System != used.system {
		newest = 0
	}
	for _, other := range candidates {
		if other.System == s.System {
			newest = max(newest, other.Timeline)
		}
	}
	if s.Timeline < newest && s.Timeline > 0 {
		return "is a primary from before a promotion: make it a replica of the present one"
	}
	return ""
}

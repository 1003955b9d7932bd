package topology

import (
	"net/netip"
	"strings"
	"testing"
)

func at(address string) netip.AddrPort { return netip.MustParseAddrPort(address + ":5432") }

func server(address string, role Role, system string, timeline uint32) Server {
	target := Target{at(address), address + ":5432"}
	return Server{target, Finding{role, system, timeline}, ""}
}

func down(s Server) Server {
	s.Problem = "connection refused"
	return s
}

func TestChoose(t *testing.T) {
	old, promoted := server("10.0.0.1", Primary, "s", 1), server("10.0.0.2", Primary, "s", 2)
	twin, replica := server("10.0.0.3", Primary, "s", 1), server("10.0.0.4", Replica, "s", 0)
	other := server("10.0.0.5", Primary, "other", 7)
	silent, silentTwin := server("10.0.0.6", Primary, "", 0), server("10.0.0.7", Primary, "", 0)
	using := func(s Server) inUse { return inUse{s.Address, s.System, s.Timeline} }
	for name, test := range map[string]struct {
		servers []Server
		used    inUse
		primary string // its address
		reason  string
	}{
		"the only one":                       {[]Server{replica, old}, inUse{}, "10.0.0.1", ""},
		"none there":                         {[]Server{}, inUse{}, "", "no address"},
		"replicas alone":                     {[]Server{replica}, inUse{}, "", "10.0.0.4:5432 is a replica"},
		"down":                               {[]Server{down(old), replica}, inUse{}, "", "10.0.0.1:5432: connection refused; 10.0.0.4:5432 is a replica"},
		"the promoted one, at the start":     {[]Server{old, promoted}, inUse{}, "10.0.0.2", ""},
		"the promoted one, in a failover":    {[]Server{old, promoted}, using(old), "10.0.0.2", ""},
		"the promoted one, of one that hung": {[]Server{down(old), promoted}, using(old), "10.0.0.2", ""},
		"an old one comes back":              {[]Server{old, down(promoted)}, using(promoted), "", "10.0.0.1:5432 is a primary from before a promotion"},
		"two alike, at the start":            {[]Server{old, twin}, inUse{}, "", "both take themselves for the primary"},
		"two alike, one in use":              {[]Server{twin, old}, using(old), "10.0.0.1", ""},
		"another cluster":                    {[]Server{down(old), other}, using(old), "", "10.0.0.5:5432 is of another cluster"},
		"another cluster in the same place":  {[]Server{server("10.0.0.1", Primary, "new", 1)}, using(old), "10.0.0.1", ""},
		"another cluster, the one in use":    {[]Server{other, promoted}, using(other), "10.0.0.5", ""},
		"no timelines":                       {[]Server{silent, replica}, inUse{}, "10.0.0.6", ""},
		"no timelines, in use":               {[]Server{silent, silentTwin}, using(silentTwin), "10.0.0.7", ""},
	} {
		primary, reason := choose(test.servers, test.used)
		switch {
		case test.primary == "" && (primary != nil || !strings.Contains(reason, test.reason)):
			t.Errorf("%s: %v %q, want %q", name, primary, reason, test.reason)
		case test.primary != "" && (primary == nil || primary.Address != at(test.primary)):
			t.Errorf("%s: %v %q, want %s", name, primary, reason, test.primary)
		}
	}
}

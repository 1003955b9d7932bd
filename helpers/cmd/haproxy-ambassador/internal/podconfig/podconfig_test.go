package podconfig

import (
	"maps"
	"net/netip"
	"slices"
	"testing"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
)

const written = `defaults
    timeout connect 5s

listen up
    bind 127.0.0.1:8081 proto h2
    server here 127.0.0.1:1
    server-template web-80- 3 web:80 check
    server-template db.shop-5432- 1 db.shop:5432
`

func addr(text string) netip.Addr { return netip.MustParseAddr(text) }

func TestTextHasAddressesInTheirSlotsAndBothLoopbacks(t *testing.T) {
	c := Parse(written)
	if hosts := c.Hosts(); !slices.Equal(hosts, []string{"web", "db.shop"}) {
		t.Error(hosts)
	}
	slots, changes := Slots{}.Assign(c.Templates(), func(host string) []netip.Addr {
		return map[string][]netip.Addr{"web": {addr("2001:db8::1")}}[host]
	})
	if !slices.Equal(changes, []Change{{"up", "web-80-1", addr("2001:db8::1")}}) {
		t.Error(changes)
	}
	want := `defaults
    timeout connect 5s

listen up
    load-server-state-from-file global
` + observation.Lines(false) + `    bind 127.0.0.1:8081 proto h2
    bind [::1]:8081 proto h2
    server here 127.0.0.1:1
    server web-80-1 [2001:db8::1]:80 check
    server web-80-2 0.0.0.0:80 check disabled
    server web-80-3 0.0.0.0:80 check disabled
    server db.shop-5432-1 0.0.0.0:5432 disabled
`
	if got := c.Text(slots, true); got != want {
		t.Error(got)
	}
}

func TestAnAddressKeepsItsSlotAndOthersWaitForOne(t *testing.T) {
	templates := Parse(written).Templates()[:1]
	slots := Slots{}
	assign := func(addresses ...string) (changes []Change) {
		t.Helper()
		slots, changes = slots.Assign(templates, func(string) (present []netip.Addr) {
			for _, a := range addresses {
				present = append(present, addr(a))
			}
			return present
		})
		return changes
	}
	assign("10.0.0.1", "10.0.0.2", "10.0.0.3")
	before := slots.of(templates[0])
	if changes := assign("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"); len(changes) > 0 {
		t.Error(changes)
	}
	changes := assign("10.0.0.1", "10.0.0.3", "10.0.0.4")
	freed := slices.Index(before, addr("10.0.0.2"))
	if !slices.Equal(changes, []Change{{"up", templates[0].server(freed), addr("10.0.0.4")}}) {
		t.Error(changes)
	}
	if changes := assign(); len(changes) != 3 || changes[0].Address.IsValid() {
		t.Error(changes)
	}
}

func TestUpstreamsSpeakHTTPAsTheirSectionOrTheDefaultsSay(t *testing.T) {
	const text = "defaults\n    mode http\nlisten web\n    bind :1\nlisten db\n    mode tcp\ndefaults\nlisten plain\n    bind :2\nlisten api\n    mode http\n"
	want := map[string]bool{"web": true, "db": false, "plain": false, "api": true}
	if got := Parse(text).Upstreams(); !maps.Equal(got, want) {
		t.Error(got)
	}
}

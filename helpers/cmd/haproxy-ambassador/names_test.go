package main

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"podpatterns.dev/helpers/internal/dnstest"
	"podpatterns.dev/helpers/internal/processtest"
)

var loopback = netip.MustParseAddr("127.0.0.1")

func port(t *testing.T, address string) string {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// answers waits until connections, and no others, end at the servers of these names.
func (p *pod) answers(names ...string) {
	p.t.Helper()
	p.Eventually(fmt.Sprintf("%q answer", names), func() bool {
		seen := map[string]bool{}
		for range 4 * len(names) {
			answer, err := p.askOnce()
			if err != nil {
				return false
			}
			seen[answer] = true
		}
		for _, name := range names {
			if !seen[name] {
				return false
			}
		}
		return len(seen) == len(names)
	})
}

func TestAddressesStayInUseUntilDNSSaysOtherwise(t *testing.T) {
	t.Parallel()
	dns := dnstest.Start(t)
	dns.Set("web.test", loopback)
	p := start(t, "--nameserver", dns.Address)
	template := "server-template web- 16 web.test:" + port(t, server(t, "one"))
	p.configure(template)
	p.answers("one")

	faults := []func(){
		func() { dns.Silence(true) },
		func() { dns.Silence(false); dns.Fail(dnsmessage.RCodeServerFailure) },
	}
	for i, fault := range faults {
		asked := dns.Asked()
		fault()
		p.Eventually("DNS is asked again and again", func() bool { return dns.Asked() > asked+2 })
		// A worker that begins while DNS says nothing knows the addresses too.
		p.configure(template, fmt.Sprintf("maxconn %d", 100+i))
		p.await("/metrics", http.StatusOK, fmt.Sprintf("haproxy_ambassador_config_loads_total %d\n", i+2))
		p.answers("one")
		p.await("/readyz", http.StatusOK, "ok")
	}

	dns.Fail(0)
	dns.Set("web.test")
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
	dns.Set("web.test", loopback)
	p.answers("one")
}

func TestEndpointsWithOneNameAndTwoPortsAreBothUsed(t *testing.T) {
	dns := dnstest.Start(t)
	dns.Set("web.test", loopback)
	p := start(t, "--nameserver", dns.Address)
	p.configure("balance roundrobin",
		"server-template one- 16 web.test:"+port(t, server(t, "one")),
		"server-template two- 16 web.test:"+port(t, server(t, "two")))
	p.answers("one", "two")
}

func TestANameThatIsKnownLaterIsUsedWithoutAReload(t *testing.T) {
	dns := dnstest.Start(t)
	p := start(t, "--nameserver", dns.Address)
	p.configure("server-template late- 2 late.test:" + port(t, serverAt(t, "[::1]:0", "six")))
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: up")
	dns.Set("late.test", netip.IPv6Loopback())
	p.answers("six")
	p.await("/metrics", http.StatusOK, "haproxy_ambassador_config_loads_total 1\n")
}

// The Pods behind a headless Service are many, then few, then many again, while clients connect all the time and the
// configuration is loaded anew. Servers that go have a while to end, as Pods do.
func TestNoConnectionIsLostWhileAddressesChange(t *testing.T) {
	t.Parallel()
	const many, few, clients = 40, 3, 4
	at := strconv.Itoa(processtest.FreePort(t))
	var names []string
	var addresses []netip.Addr
	for i := range many {
		address := netip.AddrFrom4([4]byte{127, 1, 0, byte(i + 1)})
		names, addresses = append(names, address.String()), append(addresses, address)
		serverAt(t, net.JoinHostPort(address.String(), at), address.String())
	}
	dns := dnstest.Start(t)
	dns.Set("web.test", addresses...)
	p := start(t, "--nameserver", dns.Address)
	template := "server-template web- 64 web.test:" + at
	p.configure("balance roundrobin", template)
	p.answers(names...)

	end := p.connectAllTheTime(clients)
	loads := 1
	reload := func() {
		loads++
		p.configure("balance roundrobin", template, fmt.Sprintf("maxconn %d", 500+loads))
		p.await("/metrics", http.StatusOK, fmt.Sprintf("haproxy_ambassador_config_loads_total %d\n", loads))
	}
	for range 2 {
		dns.Set("web.test", addresses[many-few:]...)
		reload()
		p.answers(names[many-few:]...)
		reload()
		dns.Set("web.test", addresses...)
		reload()
		p.answers(names...)
	}
	end()
}

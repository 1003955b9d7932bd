package names

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// lookupTimeout bounds the answer to one query.
const lookupTimeout = 3 * time.Second

// Ask returns the addresses of an absolute name in one family, ip4 or ip6.
type Ask func(ctx context.Context, family, name string) ([]netip.Addr, error)

// Server asks the DNS server at an address; an empty one stands for those of /etc/resolv.conf.
func Server(address string) Ask {
	resolver := &net.Resolver{PreferGo: true}
	if address != "" {
		resolver.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, network, address)
		}
	}
	return func(ctx context.Context, family, name string) ([]netip.Addr, error) {
		ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
		defer cancel()
		return resolver.LookupNetIP(ctx, family, name+".")
	}
}

// answer is what DNS says of a host.
type answer struct {
	name      string // the candidate that has the addresses
	addresses []netip.Addr
}

// lookup returns the addresses of the first candidate that has any, none if DNS says so of all of them, and an error if
// DNS says nothing of one: a later candidate can be somebody else's server.
func lookup(ctx context.Context, ask Ask, candidates []string) (answer, error) {
	for _, name := range candidates {
		// IPv4 first and alone: an answer about IPv6 doesn't make up for one about IPv4 that was lost.
		for _, family := range []string{"ip4", "ip6"} {
			addresses, err := ask(ctx, family, name)
			if err != nil && !saysNone(err) {
				return answer{}, err
			}
			if len(addresses) > 0 {
				for i := range addresses {
					addresses[i] = addresses[i].Unmap()
				}
				slices.SortFunc(addresses, netip.Addr.Compare)
				return answer{name, slices.Compact(addresses)}, nil
			}
		}
	}
	return answer{}, nil
}

// saysNone tells that DNS has answered, and knows no address.
func saysNone(err error) bool {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return dns.IsNotFound
	}
	// /etc/hosts has the name in the other family.
	var address *net.AddrError
	return errors.As(err, &address)
}

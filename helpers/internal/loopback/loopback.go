// Package loopback has the addresses at which the containers of a Pod reach each other.
package loopback

import (
	"net"
	"strconv"
	"sync"
)

// Addresses returns those of a port: at 127.0.0.1 and, where there is one, at ::1.
func Addresses(port int) []string {
	addresses := []string{net.JoinHostPort("127.0.0.1", strconv.Itoa(port))}
	if HasIPv6() {
		addresses = append(addresses, net.JoinHostPort("::1", strconv.Itoa(port)))
	}
	return addresses
}

// HasIPv6 tells whether ::1 can be listened at: not in a Pod without IPv6.
var HasIPv6 = sync.OnceValue(func() bool {
	listener, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	listener.Close()
	return true
})

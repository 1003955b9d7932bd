// Package observation hears from HAProxy of every request and session: how long it took, and how it ended.
//
// HAProxy has no histograms. Its log line, of names and numbers only, goes into a ring in its memory, from which it is sent
// here in batches; where nobody takes them, lines are dropped and counted, and no request waits.
package observation

import "fmt"

const (
	// Socket is the name of the file at which HAProxy reaches us.
	Socket = "observations.sock"

	// ring is no name of an upstream, which are DNS labels.
	ring = "_observations"
	// mark begins the lines of requests and sessions; what HAProxy tells of servers has none.
	mark = "@ "
)

// Ring is the section of HAProxy's configuration with the ring: https://docs.haproxy.org/2.6/configuration.html#3.9
func Ring(socket string) string {
	return fmt.Sprintf(`
ring %s
    format raw
    maxlen 512
    size 262144
    timeout connect 5s
    timeout server 24h
    server supervisor unix@%s
`, ring, socket)
}

// Lines are those of a section that have it observed: https://docs.haproxy.org/2.6/configuration.html#8.2.4
//
// Of HTTP it is the time from the first byte of a request to the last one of its answer (%Ta); of others, the time until a
// server has taken the connection (%Tc).
func Lines(http bool) string {
	lines := "    log ring@" + ring + " format raw local0 info\n"
	if http {
		return lines + "    log-format \"" + mark + "%b %s %Ta %ts %ST\"\n"
	}
	// Of a client that a server keeps from saying anything there is a line too.
	return lines + "    no option dontlognull\n    log-format \"" + mark + "%b %s %Tc %ts\"\n"
}

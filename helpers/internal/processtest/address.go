package processtest

import (
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"testing"
)

// FreeAddress returns an address of loopback at which nobody listens. Its port is none of those that the kernel gives to
// connections (net.ipv4.ip_local_port_range, from 32768 on): one of the many under way would at times take it before a
// server does, or while that is down.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(FreePort(t)))
}

// FreePort returns the port of a free address.
func FreePort(t testing.TB) int {
	t.Helper()
	var failed error
	for range 100 {
		port := 10_000 + rand.IntN(20_000)
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			listener.Close()
			return port
		}
		failed = err
	}
	t.Fatal(failed)
	return 0
}

// Get returns the status and the body of a page; status 0 and the error while nothing answers.
func Get(url string) (status int, body string) {
	response, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(content)
}

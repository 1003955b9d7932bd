// Package dnstest is a DNS server for tests, whose records and faults a test changes as it goes.
package dnstest

import (
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// Server answers by UDP.
type Server struct {
	// Address is where it listens.
	Address string

	mu      sync.Mutex
	records map[string][]netip.Addr
	silent  bool
	code    dnsmessage.RCode
	asked   int
}

// Start starts a server on a free port, which ends with the test.
func Start(t testing.TB) *Server {
	t.Helper()
	return StartAt(t, "127.0.0.1:0")
}

// StartAt is Start at an address.
func StartAt(t testing.TB, address string) *Server {
	t.Helper()
	conn, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	s := &Server{Address: conn.LocalAddr().String(), records: map[string][]netip.Addr{}}
	go s.serve(conn)
	return s
}

// Set gives a name its addresses. A name that was never set doesn't exist; one without addresses has none.
func (s *Server) Set(name string, addresses ...netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[name] = addresses
}

// Silence lets the server take queries and answer none, or answer again.
func (s *Server) Silence(silent bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.silent = silent
}

// Fail lets the server answer with a code, such as SERVFAIL; with 0 it answers well again.
func (s *Server) Fail(code dnsmessage.RCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
}

// Asked returns how many queries have come.
func (s *Server) Asked() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

func (s *Server) serve(conn net.PacketConn) {
	packet := make([]byte, 4096)
	for {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return
		}
		var query dnsmessage.Message
		if query.Unpack(packet[:n]) != nil || len(query.Questions) != 1 {
			continue
		}
		if reply := s.reply(query); reply != nil {
			_, _ = conn.WriteTo(reply, from)
		}
	}
}

func (s *Server) reply(query dnsmessage.Message) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.silent {
		return nil
	}
	question := query.Questions[0]
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, RecursionDesired: query.RecursionDesired, RecursionAvailable: true, RCode: s.code},
		Questions: query.Questions,
	}
	addresses, known := s.records[strings.TrimSuffix(question.Name.String(), ".")]
	if !known && s.code == 0 {
		answer.RCode = dnsmessage.RCodeNameError
	}
	for _, address := range addresses {
		header := dnsmessage.ResourceHeader{Name: question.Name, Class: dnsmessage.ClassINET}
		switch {
		case s.code != 0:
		case address.Is4() && question.Type == dnsmessage.TypeA:
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		case address.Is6() && question.Type == dnsmessage.TypeAAAA:
			answer.Answers = append(answer.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	packed, err := answer.Pack()
	if err != nil {
		panic(err)
	}
	return packed
}

package topology

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"time"
)

const (
	// resolveEvery is the time between two questions for a server's name.
	resolveEvery = time.Second
	// leftAfter is how long DNS has to answer without a server's address before that is left.
	leftAfter = 5 * time.Second
)

// Dial connects with the server where it is watched, so that no connection leads to another server of the same name, and
// without its name, which may not be found now. A server that was never reached is dialled by its name.
func (s *Server) Dial(ctx context.Context, access Access) (net.Conn, error) {
	at := s.Addr
	if watched := s.at.Load(); watched != nil {
		at = watched.String()
	}
	return access.dial(ctx, s.Addr, at)
}

// reached notes where the server was reached, and whether it is another one than before. The connections to one that had
// another address are left: they lead to what the name doesn't mean any more.
func (s *Server) reached(conn net.Conn, another bool) {
	tcp, is := conn.RemoteAddr().(*net.TCPAddr)
	if !is {
		return
	}
	at := tcp.AddrPort()
	at = netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
	before := s.at.Swap(&at)
	if another && before != nil && *before != at {
		s.leave(s.list(true))
	}
}

// followName has the server looked for anew once its name has led elsewhere for a while. As long as DNS doesn't answer,
// the last address counts.
func (s *Server) followName(ctx context.Context) {
	host, _, _ := net.SplitHostPort(s.Addr)
	if _, err := netip.ParseAddr(host); err == nil {
		return
	}
	for since := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(resolveEvery):
		}
		at := s.at.Load()
		found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		isThere := at == nil || slices.ContainsFunc(found, func(a netip.Addr) bool { return a.Unmap() == at.Addr() })
		switch {
		case err != nil || isThere:
			since = time.Now()
		case time.Since(since) >= leftAfter:
			s.moved.Store(true)
			s.Check()
			since = time.Now()
		}
	}
}

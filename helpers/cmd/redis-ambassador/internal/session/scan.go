package session

import (
	"bytes"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
)

// place is where a cursor means something: a server, as long as it runs.
type place struct {
	server *topology.Server
	life   uint64
}

// here is the place that gives cursors now.
func (s *Session) here() place {
	server := s.shared.Monitor.Snapshot().Primary
	if server == nil {
		return place{}
	}
	return place{server, server.Life()}
}

// routeScan takes what goes on where a cursor says. Of another server the same cursor may leave out a part of the keys, and
// nobody would know; so the client is told, once, and begins anew. A client that has not begun a scan itself continues
// another connection's of its pool, which was begun since it connected or also before.
func (s *Session) routeScan(c resp.Command, shareable bool) (*upstreamConn, error) {
	if !s.multi {
		here := s.here()
		moved := s.cursorsLost.Swap(false) || here != s.scans || here.server == nil
		s.scans = here
		if moved && continues(c.Args) {
			s.reply("-ERR the cursor is of a server that is not the primary any more, or has restarted; begin the scan anew with cursor 0")
			return nil, nil
		}
	}
	return s.toPrimary(shareable, expectation{n: 1})
}

// continues tells whether a SCAN, SSCAN, HSCAN or ZSCAN continues a scan.
func continues(args [][]byte) bool {
	at := 2
	if bytes.EqualFold(args[0], []byte("scan")) {
		at = 1
	}
	return len(args) > at && len(bytes.Trim(args[at], "0")) > 0
}

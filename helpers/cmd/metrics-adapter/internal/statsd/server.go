package statsd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"time"

	"podpatterns.dev/helpers/cmd/metrics-adapter/internal/rule"
)

const (
	maxPacket      = 64 << 10 // what UDP can carry
	maxLine        = 16 << 10 // of TCP
	maxConnections = 64
	receiveBuffer  = 4 << 20 // as far as the kernel lets us
	idle           = 5 * time.Minute
)

// Server listens on a port, for UDP and TCP.
type Server struct {
	feed    *rule.Feed
	packets *net.UDPConn
	streams *net.TCPListener
	each    func(*Sample, rule.Event)
}

// Listen opens both.
func Listen(host string, port int, feed *rule.Feed) (*Server, error) {
	address := net.JoinHostPort(host, strconv.Itoa(port))
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return nil, err
	}
	streams, err := net.Listen("tcp", address)
	if err != nil {
		return nil, errors.Join(err, packets.Close())
	}
	s := &Server{
		packets: packets.(*net.UDPConn), streams: streams.(*net.TCPListener), feed: feed,
		each: func(sample *Sample, ev rule.Event) { feed.Sample(sample, ev) },
	}
	_ = s.packets.SetReadBuffer(receiveBuffer)
	return s, nil
}

// Serve takes packets and connections until the context ends.
func (s *Server) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	var failures [2]error
	ctx, stop := context.WithCancel(ctx)
	all.Go(func() { failures[0] = s.servePackets(); stop() })
	all.Go(func() { failures[1] = s.serveStreams(ctx); stop() })
	<-ctx.Done()
	_, _ = s.packets.Close(), s.streams.Close()
	all.Wait()
	for _, err := range failures {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return nil
}

func (s *Server) servePackets() error {
	buffer := make([]byte, maxPacket)
	var sample Sample
	for {
		n, _, err := s.packets.ReadFromUDPAddrPort(buffer)
		if err != nil {
			return fmt.Errorf("reading packets: %w", err)
		}
		s.take(&sample, string(buffer[:n]))
	}
}

func (s *Server) serveStreams(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	places := make(chan struct{}, maxConnections)
	for {
		connection, err := s.streams.AcceptTCP()
		if err != nil {
			return fmt.Errorf("accepting connections: %w", err)
		}
		select {
		case places <- struct{}{}:
		default:
			_ = connection.Close()
			continue
		}
		all.Go(func() {
			defer func() { <-places }()
			ended := context.AfterFunc(ctx, func() { _ = connection.Close() })
			defer ended()
			s.serveStream(connection)
			_ = connection.Close()
		})
	}
}

func (s *Server) serveStream(connection net.Conn) {
	var sample Sample
	reader := bufio.NewReaderSize(connection, maxLine)
	skipping := false
	for {
		_ = connection.SetReadDeadline(time.Now().Add(idle))
		line, err := reader.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if !skipping {
				s.feed.Unmatched()
			}
			skipping = true
			continue
		case !skipping:
			s.take(&sample, string(line))
		}
		if err != nil {
			return
		}
		skipping = false
	}
}

func (s *Server) take(sample *Sample, text string) {
	for text != "" {
		var line string
		line, text, _ = strings.Cut(text, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line != "" && !sample.Parse(line, s.each) {
			s.feed.Unmatched()
		}
	}
}

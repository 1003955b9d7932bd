package statsd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
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

// hosts are what localhost may stand for in the application.
var hosts = []string{"127.0.0.1", "::1"}

// Server listens on a port of localhost, for UDP and TCP, and on a Unix socket for datagrams.
type Server struct {
	feed    *rule.Feed
	packets []net.Conn
	streams []*net.TCPListener
	each    func(*Sample, rule.Event)
}

// Listen opens all; an empty path stands for no Unix socket. Where there is no IPv6, it isn't listened on.
func Listen(port int, socket string, feed *rule.Feed) (*Server, error) {
	s := &Server{feed: feed, each: func(sample *Sample, ev rule.Event) { feed.Sample(sample, ev) }}
	for _, host := range hosts {
		err := s.listen(net.JoinHostPort(host, strconv.Itoa(port)))
		if err != nil && (host == hosts[0] || !errors.Is(err, syscall.EADDRNOTAVAIL) && !errors.Is(err, syscall.EAFNOSUPPORT)) {
			return nil, errors.Join(err, s.close())
		}
	}
	if socket != "" {
		if err := s.listenUnix(socket); err != nil {
			return nil, errors.Join(err, s.close())
		}
	}
	return s, nil
}

func (s *Server) listen(address string) error {
	packets, err := net.ListenPacket("udp", address)
	if err != nil {
		return err
	}
	s.packets = append(s.packets, packets.(*net.UDPConn))
	_ = packets.(*net.UDPConn).SetReadBuffer(receiveBuffer)
	streams, err := net.Listen("tcp", packets.LocalAddr().String())
	if err != nil {
		return err
	}
	s.streams = append(s.streams, streams.(*net.TCPListener))
	return nil
}

// listenUnix takes the place of a socket that another run has left behind, and of no other file.
func (s *Server) listenUnix(path string) error {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path)
	}
	packets, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	s.packets = append(s.packets, packets)
	_ = packets.SetReadBuffer(receiveBuffer)
	return os.Chmod(path, 0o666) // the application is another user
}

func (s *Server) close() error {
	var failures []error
	for _, one := range s.packets {
		failures = append(failures, one.Close())
	}
	for _, one := range s.streams {
		failures = append(failures, one.Close())
	}
	return errors.Join(failures...)
}

// Serve takes packets and connections until the context ends.
func (s *Server) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	failures := make(chan error, len(s.packets)+len(s.streams))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	places := make(chan struct{}, maxConnections)
	for _, one := range s.packets {
		all.Go(func() { failures <- s.servePackets(one); stop() })
	}
	for _, one := range s.streams {
		all.Go(func() { failures <- s.serveStreams(ctx, one, places); stop() })
	}
	<-ctx.Done()
	_ = s.close()
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return nil
}

func (s *Server) servePackets(packets net.Conn) error {
	buffer := make([]byte, maxPacket)
	var sample Sample
	for {
		n, err := packets.Read(buffer)
		if err != nil {
			return fmt.Errorf("reading packets: %w", err)
		}
		s.take(&sample, string(buffer[:n]))
	}
}

func (s *Server) serveStreams(ctx context.Context, streams *net.TCPListener, places chan struct{}) error {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		connection, err := streams.AcceptTCP()
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

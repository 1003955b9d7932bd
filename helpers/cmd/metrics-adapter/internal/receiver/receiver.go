// Package receiver takes what applications send: packets and connections, at localhost and at Unix sockets on shared
// volumes.
package receiver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"podpatterns.dev/helpers/internal/loopback"
)

const (
	// MaxMessage is the longest message of a packet, as UDP can carry it, or of a connection.
	MaxMessage     = 64 << 10
	maxConnections = 64
	receiveBuffer  = 4 << 20 // as far as the kernel lets us
	idle           = 5 * time.Minute
)

// Place is where to listen. Zero values stand for nowhere.
type Place struct {
	Port    int    // of localhost, for UDP and TCP
	Packets string // path of a Unix socket for datagrams
	Streams string // path of a Unix socket for connections
}

// Handler takes what one socket or one connection gets. It is one goroutine's.
type Handler interface {
	Packet(text string)
	// Read takes the next message of a connection. Its error ends that, unless it is ErrLong.
	Read(from *bufio.Reader) error
}

// Receiver listens at a place.
type Receiver struct {
	handler func() Handler
	packets []net.PacketConn
	streams []net.Listener
}

// Listen opens all of it, at once or not at all.
func Listen(at Place, handler func() Handler) (*Receiver, error) {
	r := &Receiver{handler: handler}
	if err := r.listen(at); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

func (r *Receiver) listen(at Place) error {
	if at.Port > 0 {
		for _, address := range loopback.Addresses(at.Port) {
			if err := r.listenPackets("udp", address); err != nil {
				return err
			}
			if err := r.listenStreams("tcp", address); err != nil {
				return err
			}
		}
	}
	if at.Packets != "" {
		removeSocket(at.Packets)
		if err := errors.Join(r.listenPackets("unixgram", at.Packets), share(at.Packets)); err != nil {
			return err
		}
	}
	if at.Streams != "" {
		removeSocket(at.Streams)
		return errors.Join(r.listenStreams("unix", at.Streams), share(at.Streams))
	}
	return nil
}

func (r *Receiver) listenPackets(network, address string) error {
	packets, err := net.ListenPacket(network, address)
	if err != nil {
		return err
	}
	r.packets = append(r.packets, packets)
	_ = packets.(interface{ SetReadBuffer(int) error }).SetReadBuffer(receiveBuffer)
	return nil
}

func (r *Receiver) listenStreams(network, address string) error {
	streams, err := net.Listen(network, address)
	if err == nil {
		r.streams = append(r.streams, streams)
	}
	return err
}

// removeSocket removes a socket that another run has left behind, and no other file.
func removeSocket(path string) {
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() == os.ModeSocket {
		_ = os.Remove(path)
	}
}

// share lets the application use a socket, which runs as another user.
func share(path string) error { return os.Chmod(path, 0o666) }

// Close ends all.
func (r *Receiver) Close() error {
	var failures []error
	for _, one := range r.packets {
		failures = append(failures, one.Close())
	}
	for _, one := range r.streams {
		failures = append(failures, one.Close())
	}
	return errors.Join(failures...)
}

// Serve takes packets and connections until the context ends.
func (r *Receiver) Serve(ctx context.Context) error {
	var all sync.WaitGroup
	failures := make(chan error, len(r.packets)+len(r.streams))
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	places := make(chan struct{}, maxConnections)
	for _, one := range r.packets {
		all.Go(func() { failures <- r.servePackets(one.(net.Conn)); stop() })
	}
	for _, one := range r.streams {
		all.Go(func() { failures <- r.serveStreams(ctx, one, places); stop() })
	}
	<-ctx.Done()
	_ = r.Close()
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
	}
	return nil
}

func (r *Receiver) servePackets(packets net.Conn) error {
	buffer, handler := make([]byte, MaxMessage), r.handler()
	for {
		// Read, and not ReadFrom: who sent it is nothing to allocate for.
		n, err := packets.Read(buffer)
		if err != nil {
			return fmt.Errorf("reading packets: %w", err)
		}
		handler.Packet(string(buffer[:n]))
	}
}

func (r *Receiver) serveStreams(ctx context.Context, streams net.Listener, places chan struct{}) error {
	var all sync.WaitGroup
	defer all.Wait()
	for {
		connection, err := streams.Accept()
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
			r.serveStream(connection)
			_ = connection.Close()
		})
	}
}

func (r *Receiver) serveStream(connection net.Conn) {
	reader, handler := bufio.NewReaderSize(connection, MaxMessage), r.handler()
	for {
		_ = connection.SetReadDeadline(time.Now().Add(idle))
		if err := handler.Read(reader); err != nil && !errors.Is(err, ErrLong) {
			return
		}
	}
}

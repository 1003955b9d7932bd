package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

const echo = "/test.Echo/Say"

// grpcServer speaks gRPC over HTTP/2 without TLS, and no HTTP/1.1. It answers each call with its name and the message.
func grpcServer(t *testing.T, name string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Protocols: new(http.Protocols), Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Te") != "trailers" {
			http.Error(w, "no gRPC", http.StatusMethodNotAllowed)
			return
		}
		w.Header().Set("Content-Type", "application/grpc")
		w.Header().Set("Trailer", "Grpc-Status")
		w.(http.Flusher).Flush()
		// Each message is answered as it comes, while the call is open.
		for {
			message, err := read(r.Body)
			if err != nil {
				break
			}
			_, _ = w.Write(frame(name + " " + message))
			w.(http.Flusher).Flush()
		}
		w.Header().Set("Grpc-Status", "0")
	})}
	server.Protocols.SetUnencryptedHTTP2(true)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// frame is a message on the wire: uncompressed, its length, itself.
func frame(message string) []byte {
	return append([]byte{0, 0, 0, 0, byte(len(message))}, message...)
}

func read(r io.Reader) (string, error) {
	head := make([]byte, 5)
	if _, err := io.ReadFull(r, head); err != nil {
		return "", err
	}
	message := make([]byte, head[4])
	_, err := io.ReadFull(r, message)
	return string(message), err
}

// call is an open one.
type call struct {
	send     *io.PipeWriter
	response *http.Response
}

func (p *pod) open(client *http.Client) (*call, error) {
	body, send := io.Pipe()
	ctx, cancel := context.WithTimeout(context.Background(), answerTimeout)
	p.t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+p.listen+echo, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/grpc")
	request.Header.Set("Te", "trailers")
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %s", response.Status)
	}
	return &call{send, response}, nil
}

func (c *call) say(message string) (string, error) {
	if _, err := io.Copy(c.send, bytes.NewReader(frame(message))); err != nil {
		return "", err
	}
	return read(c.response.Body)
}

func (c *call) close() (status string, err error) {
	c.send.Close()
	_, err = io.Copy(io.Discard, c.response.Body)
	return c.response.Trailer.Get("Grpc-Status"), err
}

// The calls of one connection go to all servers, and each call stays at its own.
func TestCallsOfGRPCAreBalanced(t *testing.T) {
	p := start(t)
	p.configureHTTP2(grpcServer(t, "one"), grpcServer(t, "two"))
	p.await("/readyz", http.StatusOK, "ok")
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	met := map[string]int{}
	const calls = 6
	for range calls {
		c, err := p.open(client)
		if err != nil {
			t.Fatal(err)
		}
		first, err := c.say("hello")
		if err != nil {
			t.Fatal(err)
		}
		again, err := c.say("hello")
		if err != nil || again != first {
			t.Error(again, err)
		}
		met[first]++
		if status, err := c.close(); status != "0" || err != nil {
			t.Error(status, err)
		}
	}
	if met["one hello"] != calls/2 || met["two hello"] != calls/2 {
		t.Error(met)
	}
}

// configureHTTP2 writes what the operator writes for protocol grpc.
func (p *pod) configureHTTP2(servers ...string) {
	p.t.Helper()
	gone := processtest.FreeAddress(p.t)
	lines := []string{"mode http", "balance roundrobin", "option httpchk", "http-check send meth GET uri / ver HTTP/2 hdr Host localhost",
		"http-check expect rstatus ^[1234]", "server gone " + gone + " check inter 100ms rise 1 fall 1 proto h2"}
	for i, server := range servers {
		lines = append(lines, fmt.Sprintf("server up-%d %s check inter 100ms rise 1 fall 1 proto h2", i, server))
	}
	p.bind = " proto h2"
	p.configure(lines...)
	p.await("/metrics", http.StatusOK, `haproxy_server_status{proxy="up",server="gone",state="DOWN"} 1`)
}

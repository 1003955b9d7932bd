package receiver

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"podpatterns.dev/helpers/internal/processtest"
)

// collector keeps what comes.
type collector chan string

func (c collector) Packet(text string) { c <- text }

func (c collector) Read(from *bufio.Reader) error {
	text, err := Next(from, "\n")
	if text != "" {
		c <- text
	}
	return err
}

// Whatever localhost is to the application, and by sockets that another run has left behind.
func TestWhereItListens(t *testing.T) {
	dir := t.TempDir()
	place := Place{processtest.FreePort(t), filepath.Join(dir, "packets"), filepath.Join(dir, "streams")}
	came := make(collector, 1)
	for range 2 {
		r, err := Listen(place, func() Handler { return came })
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Serve(ctx) }()
		send := func(address net.Addr) {
			t.Helper()
			connection, err := net.Dial(address.Network(), address.String())
			if err != nil {
				t.Fatal(err)
			}
			defer connection.Close()
			fmt.Fprintln(connection, address)
			if got := strings.TrimSpace(<-came); got != address.String() {
				t.Errorf("%s and not %s", got, address)
			}
		}
		for _, one := range r.packets {
			send(one.LocalAddr())
		}
		for _, one := range r.streams {
			send(one.Addr())
		}
		if len(r.packets) < 2 || len(r.streams) < 2 {
			t.Error(r.packets, r.streams)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// A receiver that can't have all of its place has nothing of it.
func TestAPlaceThatIsTaken(t *testing.T) {
	port := processtest.FreePort(t)
	taken, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(Place{Port: port}, nil); err == nil {
		t.Fatal("it listens")
	}
	taken.Close()
	r, err := Listen(Place{Port: port}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
}

func TestMessagesOfAConnection(t *testing.T) {
	long := strings.Repeat("x", 40)
	for text, want := range map[string]string{
		"":                               `[]`,
		"a\nb\n\nc":                      `[a b  c]`,
		"a\x00b\n":                       `[a b]`,
		long + "\nb\n":                   `[(long) b]`,
		long + long + "\n" + long:        `[(long) (long)]`,
		strings.Repeat("x", 16) + "\na":  `[(long) a]`,
		strings.Repeat("x", 15) + "\na ": `[xxxxxxxxxxxxxxx a ]`,
	} {
		got := []string{}
		// One byte at a time, as it may come from a network.
		from := bufio.NewReaderSize(oneByOne{strings.NewReader(text)}, 16)
		for {
			message, err := Next(from, "\n\x00")
			switch {
			case errors.Is(err, ErrLong):
				got = append(got, "(long)")
				continue
			case err == nil || message != "":
				got = append(got, message)
			}
			if err != nil {
				break
			}
		}
		if fmt.Sprint(got) != want {
			t.Errorf("%q: %v and not %s", text, got, want)
		}
	}
}

type oneByOne struct{ io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.Reader.Read(p[:1]) }

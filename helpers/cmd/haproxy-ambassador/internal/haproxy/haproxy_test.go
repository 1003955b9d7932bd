package haproxy

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// The master gets the signal to stop in the first moment after a reload, while others keep the processors busy: then
// it is deaf to it once in ten times.
func TestItStopsHoweverEarlyItIsTold(t *testing.T) {
	for n := range 4 {
		t.Run(strconv.Itoa(n), func(t *testing.T) {
			t.Parallel()
			runtime.LockOSThread() // which ends with this goroutine, and no HAProxy before it (Pdeathsig)
			for range 15 {
				stopAfterReload(t)
			}
		})
	}
}

func stopAfterReload(t *testing.T) {
	run, err := os.MkdirTemp("", "haproxy") // a socket's path has at most 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(run)
	h, err := New("haproxy", run)
	if err != nil {
		t.Fatal(err)
	}
	defer h.notify.Close()
	told, tell := context.WithCancel(context.Background())
	defer tell()
	for _, hash := range []string{"one", "two"} {
		if err := h.Check(context.Background(), "defaults\n    timeout client 1m\n", hash); err != nil {
			t.Fatal(err)
		}
		// The second time nobody asks the worker any more whether it serves.
		if err := h.Serve(told, hash); err != nil && told.Err() == nil {
			t.Fatal(err)
		}
		tell()
	}
	if err := h.Stop(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-h.Done:
	case <-time.After(30 * time.Second):
		t.Fatal("it goes on")
	}
}

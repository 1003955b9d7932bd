package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// number reads a number from a string's reply; 0 for none.
func number(reply string) (n int) {
	_, rest, _ := strings.Cut(reply, "\r\n")
	_, _ = fmt.Sscan(rest, &n)
	return n
}

// One replica is held back. No connection's reads go back in time, neither behind its own writes nor behind what it has
// read, and replicas are read from all the same.
func TestCausalReadsNeverGoBack(t *testing.T) {
	t.Parallel()
	primary := redistest.Start(t)
	relay := redistest.StartRelay(t, primary)
	_, port, _ := strings.Cut(relay.Addr, ":")
	late := redistest.Start(t, "--replicaof", "127.0.0.1 "+port, "--repl-timeout", "3600")
	servers := []*redistest.Server{primary, late, redistest.StartReplica(t, primary)}
	p := ambassador(t, servers, "--read-policy", "PreferReplica", "--causal-reads")
	awaited(t, servers)
	var group sync.WaitGroup
	stop := make(chan struct{})
	client := func(own bool) {
		c, key, written, highest := p.connect(), "theirs", 0, 0
		if own {
			key = "of " + c.Port()
		}
		for round := 1; ; round++ {
			select {
			case <-stop:
				return
			default:
			}
			if own && round%50 == 1 {
				written++
				c.Want("+OK\r\n", "SET", key, fmt.Sprint(written))
			}
			got := number(c.Do("GET", key))
			if got < written || got < highest {
				t.Errorf("%s: got %d after %d was written and %d read", key, got, written, highest)
				return
			}
			highest = max(highest, got)
		}
	}
	for i := range 8 {
		group.Go(func() { client(i < 4) })
	}
	writer := redistest.Connect(t, primary.Addr)
	writes := 0
	write := func() {
		writes++
		writer.Want("+OK\r\n", "SET", "theirs", fmt.Sprint(writes))
	}
	reads := func(s *redistest.Server) int { return s.Calls("get") }
	for _, stalled := range []bool{false, true, false, true} {
		if stalled {
			relay.Stall()
		} else {
			relay.Resume()
		}
		before := [2]int{reads(late), reads(servers[2])}
		processtest.Eventually(t, "replicas answer", func() bool {
			write()
			return t.Failed() || reads(servers[2]) > before[1]+300 && (stalled || reads(late) > before[0]+100)
		})
	}
	relay.Resume()
	// When the other one dies, its readers must not fall back to what the late one has.
	relay.Stall()
	servers[2].Kill()
	before := reads(primary)
	processtest.Eventually(t, "the primary answers", func() bool { write(); return t.Failed() || reads(primary) > before+300 })
	relay.Resume()
	close(stop)
	group.Wait()
	t.Logf("reads: primary %d, late replica %d", reads(primary), reads(late))
}

package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"podpatterns.dev/helpers/internal/processtest"
)

func TestAReplicaThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "Replica")
	p.connect().Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	for _, s := range servers[1:] {
		s.Pause()
		defer s.Continue()
	}
	processtest.Eventually(t, "the replicas are left", func() bool { return !p.fit(servers[1]) && !p.fit(servers[2]) })
	if got := p.connect().Do("GET", "k"); !strings.HasPrefix(got, "-NOREPLICAS ") {
		t.Errorf("got %q", got)
	}
	servers[1].Continue()
	p.waitFit(servers[1])
	p.connect().Want("$1\r\nv\r\n", "GET", "k")
}

func TestALaggingReplicaGetsNoReads(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica", "--max-replica-lag", "1s")
	// It goes on answering, but a huge delay is between it and what the primary sends.
	servers[1].Do("CLIENT", "PAUSE", "600000", "ALL")
	defer servers[1].Kill()
	processtest.Eventually(t, "the replica is left", func() bool {
		p.connect().Want("+OK\r\n", "SET", "k", "v")
		return !p.fit(servers[1])
	})
	if !p.fit(servers[2]) {
		t.Error("the other replica is left, too")
	}
}

// repeated counts the reads that a second server was asked.
func (p *process) repeated() (count int) {
	for line := range strings.Lines(p.metrics()) {
		if rest, ok := strings.CutPrefix(line, `redis_ambassador_repeated_reads_total{upstream="redis"} `); ok {
			_, _ = fmt.Sscan(rest, &count)
		}
	}
	return count
}

func TestReadsThatAReplicaOwesAreRepeated(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	c.SendLines("GET k\nSET k v\n")
	for _, want := range []string{"$1\r\nv\r\n", "+OK\r\n"} { // a pipeline over several servers: it has its own connections
		if got := c.Read(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	awaited(t, servers)
	mine := servers[1]
	if mine.Calls("get") == 0 {
		mine = servers[2]
	}
	// What is sent after the pause is owed when the server dies; the write is the primary's and comes after it.
	mine.Pause()
	c.Send("GET", "k")
	c.Send("STRLEN", "k")
	c.Send("SET", "k", "w")
	c.Send("GET", "none")
	processtest.Eventually(t, "the primary has the write", func() bool { return servers[0].Do("GET", "k") == "$1\r\nw\r\n" })
	mine.Kill()
	if got := c.Read(); got != "$1\r\nv\r\n" && got != "$1\r\nw\r\n" {
		t.Errorf("got %q", got)
	}
	for _, want := range []string{":1\r\n", "+OK\r\n", "$-1\r\n"} {
		if got := c.Read(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	c.Want("$1\r\nw\r\n", "GETEX", "k")
	c.Want("$1\r\nw\r\n", "GET", "k")
	if n := p.repeated(); n != 3 {
		t.Errorf("%d reads were repeated, want 3", n)
	}
	if !p.hasMetric(`redis_ambassador_broken_clients_total{upstream="redis"} 0`) {
		t.Error("a client's connection was closed")
	}
}

// A reply that the client has a part of can't be begun anew, and what was asked twice may be what kills servers.
func TestWhatIsNotRepeated(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "Replica")
	p.connect().Want("+OK\r\n", "SET", "k", strings.Repeat("x", 64<<20))
	awaited(t, servers)
	c := p.connect()
	c.Send("GET", "k")
	processtest.Eventually(t, "the client has the reply's beginning", func() bool { return !c.Silent(10 * time.Millisecond) })
	for _, s := range servers[1:] {
		s.Kill()
	}
	if got, err := c.TryRead(); err == nil {
		t.Errorf("got %d bytes", len(got))
	}
	for _, s := range servers[1:] {
		s.Restart()
	}
	p.waitFit(servers[1:]...)
	killer := p.connect()
	killer.Want("$-1\r\n", "GET", "none")
	for _, s := range servers[1:] {
		s.Pause()
	}
	killer.Send("GET", "none")
	for _, s := range servers[1:] {
		s.Kill()
	}
	if got, err := killer.TryRead(); err == nil && !strings.HasPrefix(got, "-NOREPLICAS") {
		t.Errorf("got %q", got)
	}
}

// Under load, with pipelines, reads that are repeated answer what was asked.
func TestReadersDoNotNoticeThatReplicasDie(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	fill := p.connect()
	for i := range 100 {
		fill.Want("+OK\r\n", "SET", fmt.Sprint(i), fmt.Sprintf("value of %d", i))
	}
	awaited(t, servers)
	stop := make(chan struct{})
	var group sync.WaitGroup
	for reader := range 8 {
		group.Go(func() {
			c := p.connect()
			for i := reader; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				for ahead := range 5 {
					c.Send("GET", fmt.Sprint((i+ahead)%100))
				}
				for ahead := range 5 {
					value := fmt.Sprintf("value of %d", (i+ahead)%100)
					got, err := c.TryRead()
					if want := fmt.Sprintf("$%d\r\n%s\r\n", len(value), value); got != want {
						t.Errorf("got %q (%v), want %q", got, err, want)
						return
					}
				}
			}
		})
	}
	for round := range 6 { // the readers of the one that dies go to the other one
		dies, stays := servers[1+round%2], servers[2-round%2]
		processtest.Eventually(t, "the replica answers readers", func() bool { return dies.Calls("get") > 100 || t.Failed() })
		dies.Kill()
		stays.Do("CONFIG", "RESETSTAT")
		dies.Restart()
		p.waitFit(dies)
	}
	close(stop)
	group.Wait()
	if p.repeated() == 0 {
		t.Error("no read was repeated")
	}
	t.Logf("%d reads were repeated", p.repeated())
}

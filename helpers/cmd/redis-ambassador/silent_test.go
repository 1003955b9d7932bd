package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
)

// A replica hangs while many read from it: nobody waits for it until it is given up, which takes four seconds.
func TestNobodyWaitsForAReplicaThatHangs(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	p.connect().Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	var group sync.WaitGroup
	var mu sync.Mutex
	var waits []time.Duration
	clients := make([]*redistest.Client, 8)
	for i := range clients {
		clients[i] = p.connect()
		if i%2 == 0 {
			clients[i].Want("$-1\r\n", "EVAL_RO", "return redis.call('get', 'none')", "0") // over connections of its own
		}
		clients[i].Want("$1\r\nv\r\n", "GET", "k")
	}
	servers[1].Pause()
	defer servers[1].Continue()
	begun := time.Now()
	for i, c := range clients {
		group.Go(func() {
			for range 20 {
				sent := time.Now()
				if i%2 == 0 {
					c.Want("$1\r\nv\r\n", "EVAL_RO", "return redis.call('get', 'k')", "1", "k")
				} else {
					c.Want("$1\r\nv\r\n", "GET", "k")
				}
				mu.Lock()
				waits = append(waits, time.Since(sent))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	longest := time.Duration(0)
	for _, wait := range waits {
		longest = max(longest, wait)
	}
	t.Logf("the longest of %d reads took %v", len(waits), longest)
	if longest > 2*time.Second { // 200 ms where the machine has nothing else to do
		t.Errorf("it took %v", longest)
	}
	if p.fit(servers[1]) && time.Since(begun) < 4*time.Second {
		t.Error("the replica is still in use")
	}
	if !p.hasMetric(`redis_ambassador_broken_clients_total{upstream="redis"} 0`) {
		t.Error("a client's connection was closed")
	}
	servers[1].Continue()
	p.waitFit(servers[1])
	for i, c := range clients {
		c.Want("$1\r\nv\r\n", "GET", "k")
		c.Want(fmt.Sprintf("$%d\r\n%d\r\n", len(fmt.Sprint(i)), i), "ECHO", fmt.Sprint(i))
	}
}

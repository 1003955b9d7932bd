package main

import (
	"fmt"
	"testing"
	"time"
)

// Every command of a client that waits for replies is measured, one of those that come at once, and none that waits for
// something to happen.
func TestDurationsAndErrors(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c := p.connect()
	for range 5 {
		c.Want("+OK\r\n", "SET", "k", "v")
		c.Do("GET", "k")
		c.Do("GET", "k")
		c.Want("-WRONGTYPE Operation against a key holding the wrong kind of value\r\n", "LPUSH", "k", "v")
		c.Want("$2\r\nhi\r\n", "ECHO", "hi")
	}
	c.SendLines("SET k v\nSET k v\nSET k v\n")
	for range 3 {
		c.Read()
	}
	for class, count := range map[string]int{"read": 10, "write": 11, "pinned": 5} {
		line := fmt.Sprintf(`redis_ambassador_command_duration_seconds_count{upstream="redis",class="%s"} %d`, class, count)
		if !p.hasMetric(line) {
			t.Errorf("no %s in\n%s", line, p.metrics())
		}
		all := fmt.Sprintf(`redis_ambassador_command_duration_seconds_bucket{upstream="redis",class="%s",le="+Inf"} %d`, class, count)
		if !p.hasMetric(all) {
			t.Errorf("no %s in\n%s", all, p.metrics())
		}
	}
	if line := `redis_ambassador_error_replies_total{upstream="redis"} 5`; !p.hasMetric(line) {
		t.Errorf("no %s", line)
	}
	c.Want("*-1\r\n", "BLPOP", "none", "0.3")
	// The bucket of a command is that of its duration: what a server that hangs for a moment keeps waiting is in the last ones.
	servers[0].Pause()
	c = p.connect()
	c.Send("SET", "k", "w")
	time.AfterFunc(150*time.Millisecond, servers[0].Continue)
	c.Read()
	for _, line := range []string{`le="0.1"} 11`, `le="2.5"} 12`} {
		line = `redis_ambassador_command_duration_seconds_bucket{upstream="redis",class="write",` + line
		if !p.hasMetric(line) {
			t.Errorf("no %s in\n%s", line, p.metrics())
		}
	}
}

package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
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
	c.Want("*-1\r\n", "BLPOP", "none", "0.3")
	c.Want("-MINE 1\r\n", "EVAL", "return redis.error_reply('MINE 1')", "0")
	for _, line := range []string{
		`errors_total{upstream="redis",class="WRONGTYPE"} 5`, `errors_total{upstream="redis",class="other"} 1`,
		`errors_total{upstream="redis",class="READONLY"} 0`, `commands_total{upstream="redis",class="blocking"} 1`,
	} {
		if !p.hasMetric("redis_ambassador_" + line) {
			t.Errorf("no %s", line)
		}
	}
	// The bucket of a command is that of its duration: what a server that hangs for a moment keeps waiting is in the last ones.
	servers[0].Pause()
	c = p.connect()
	c.Send("SET", "k", "w")
	time.AfterFunc(150*time.Millisecond, servers[0].Continue)
	c.Read()
	for _, line := range []string{`le="0.1"} 12`, `le="2.5"} 13`} {
		line = `redis_ambassador_command_duration_seconds_bucket{upstream="redis",class="write",` + line
		if !p.hasMetric(line) {
			t.Errorf("no %s in\n%s", line, p.metrics())
		}
	}
}

// What fails on the way to a server is counted by how it fails.
func TestConnectionErrorsByClass(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := ambassador(t, []*redistest.Server{server})
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	server.Pause()
	c.Send("SET", "k", "w")
	processtest.Eventually(t, "it is sent", func() bool {
		return p.hasMetric(`redis_ambassador_commands_total{upstream="redis",class="write"} 2`)
	})
	server.Kill()
	processtest.Eventually(t, "the loss is counted", func() bool {
		return p.hasMetric(`redis_ambassador_errors_total{upstream="redis",class="reset"} 1`)
	})
	late := p.connect()
	if reply := late.Do("GET", "k"); !strings.HasPrefix(reply, "-MASTERDOWN ") {
		t.Fatal(reply)
	}
	if line := `redis_ambassador_errors_total{upstream="redis",class="unavailable"} 1`; !p.hasMetric(line) {
		t.Errorf("no %s", line)
	}
}

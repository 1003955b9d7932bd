package main

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// A worker that dies right after it has begun to wait takes nothing of what comes later, whatever its group is called. Its
// end may arrive together with its command.
func TestAWorkerThatDiesTakesNothing(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	admin := redistest.Connect(t, servers[0].Addr)
	const rounds = 40
	for command, stat := range map[string]string{
		"BLPOP list 0": "blpop",
		"XREADGROUP GROUP streams worker BLOCK 0 STREAMS stream >":        "xreadgroup",
		"XREADGROUP GROUP g count COUNT 1 NOACK BLOCK 0 STREAMS stream >": "xreadgroup",
	} {
		args := strings.Fields(command)
		admin.Do("XGROUP", "CREATE", "stream", args[2], "$", "MKSTREAM")
		late := 0
		for range rounds {
			admin.Want("+OK\r\n", "CONFIG", "RESETSTAT")
			c := p.connect()
			c.Want("+PONG\r\n", "PING")
			_ = syscall.Kill(p.PID(), syscall.SIGSTOP)
			c.Send(args...)
			c.Close()
			_ = syscall.Kill(p.PID(), syscall.SIGCONT)
			begun := time.Now()
			processtest.Eventually(t, "it has begun to wait, and waits no more", func() bool {
				return servers[0].Calls(stat) == 1 && strings.Contains(admin.Do("INFO", "clients"), "blocked_clients:0")
			})
			if time.Since(begun) > 150*time.Millisecond {
				late++
			}
		}
		if late > rounds/5 {
			t.Errorf("%s: %d of %d workers waited on after their end", command, late, rounds)
		}
	}
}

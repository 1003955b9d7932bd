package main

import (
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
)

// scan goes through all keys, and calls halfway in the middle. It tells how many there were and whether an error ended it.
func scan(c *redistest.Client, halfway func()) (keys int, ended string) {
	cursor := "0"
	for round := 0; round == 0 || cursor != "0"; round++ {
		if round == 5 {
			halfway()
		}
		reply := c.Do("SCAN", cursor, "COUNT", "50")
		if !strings.HasPrefix(reply, "*2\r\n") {
			return keys, reply
		}
		lines := strings.Split(reply, "\r\n")
		cursor = lines[2]
		keys += (len(lines) - 5) / 2
	}
	return keys, ""
}

// A cursor is one server's. Of another one it would leave out keys without a word.
func TestAScanDoesNotGoOnAtAnotherServer(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	fill := redistest.Connect(t, servers[0].Addr)
	for i := range 2000 {
		fill.Want("+OK\r\n", "SET", fmt.Sprint("key", i), "x")
	}
	awaited(t, servers)
	c, idle := p.connect(), p.connect()
	if keys, ended := scan(c, func() {}); keys < 2000 || ended != "" {
		t.Fatalf("%d keys, %q", keys, ended)
	}
	const refused = "-ERR the cursor is of a server that is not the primary any more, "
	_, ended := scan(c, func() { // nothing of the client's is lost: both servers stay
		promote(servers[1], servers[0], servers[2])
		p.waitPrimary(servers[1])
	})
	if !strings.HasPrefix(ended, refused) {
		t.Errorf("after another server was promoted: %q", ended)
	}
	if got := idle.Do("HSCAN", "h", "17"); !strings.HasPrefix(got, refused) {
		t.Errorf("a connection from before: %q", got)
	}
	idle.Want("*2\r\n$1\r\n0\r\n*0\r\n", "HSCAN", "h", "17") // it has been told
	if keys, ended := scan(c, func() {}); keys < 2000 || ended != "" {
		t.Errorf("anew: %d keys, %q", keys, ended)
	}
	_, ended = scan(c, func() {
		servers[1].Kill()
		promote(servers[2], servers[0])
		p.waitPrimary(servers[2])
	})
	if !strings.HasPrefix(ended, refused) {
		t.Errorf("after the primary died: %q", ended)
	}
}

// A server that restarts counts anew.
func TestAScanDoesNotGoOnAfterARestart(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := ambassador(t, []*redistest.Server{server})
	fill := redistest.Connect(t, server.Addr)
	for i := range 500 {
		fill.Want("+OK\r\n", "SET", fmt.Sprint("key", i), "x")
	}
	c := p.connect()
	_, ended := scan(c, func() {
		server.Kill()
		server.Restart()
		p.waitPrimary(server)
	})
	if !strings.HasPrefix(ended, "-ERR the cursor is of a server") {
		t.Errorf("got %q", ended)
	}
}

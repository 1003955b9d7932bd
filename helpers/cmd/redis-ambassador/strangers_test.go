package main

import (
	"fmt"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
)

// What Redis can't read, or reads otherwise than the ambassador, is the trouble of its sender alone.
func TestNobodySuffersFromWhatAnotherSends(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	var innocent []*redistest.Client
	for range 3 {
		innocent = append(innocent, p.connect())
	}
	count := 0
	for _, bytes := range []string{
		"INCR \"a\r\n", "INCR 'a'b\r\n", "PING \x00\r\n", "\x00\r\n", "*02\r\n$4\r\nINCR\r\n$1\r\na\r\n", "*2\r\n$04\r\nINCR\r\n$1\r\na\r\n",
		"*2\r\n$4\r\nINCR\r\n$-0\r\n\r\n", "*-0\r\n", "*1\r\n+PING\r\n", "\"MULTI\"\r\nset a b\r\n", "*2\r\n$4\r\nINCR\r\n$1\n\na\r\n",
	} {
		for range 3 {
			bad := p.connect()
			bad.Want(fmt.Sprintf(":%d\r\n", 1+count), "INCR", "n") // it shares a connection
			bad.SendRaw(bytes)
			count++
			for _, c := range innocent {
				c.Want(fmt.Sprintf(":%d\r\n", 1+count), "INCR", "n")
				count++
			}
			bad.Close()
		}
	}
	if !p.hasMetric(`redis_ambassador_broken_clients_total{upstream="redis"} 0`) {
		t.Error("a client's connection was closed for another's words")
	}
}

// Before it is logged in Redis ends a connection that sends many words (networking.c: unauthenticated multibulk length).
func TestNobodySuffersFromWhoHasNotLoggedIn(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	p := ambassador(t, []*redistest.Server{server})
	server.Do("CONFIG", "SET", "requirepass", "secret")
	first, second := p.connect(), p.connect()
	for _, c := range []*redistest.Client{first, second} {
		c.Want("-NOAUTH Authentication required.\r\n", "GET", "k")
	}
	first.Send("MSET", "a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6")
	if got := first.Read(); got != "-ERR Protocol error: unauthenticated multibulk length\r\n" {
		t.Errorf("got %q", got)
	}
	if rest := first.ReadAll(); rest != "" {
		t.Errorf("got %q before the end", rest)
	}
	second.Want("-NOAUTH Authentication required.\r\n", "GET", "k")
	second.Want("+OK\r\n", "AUTH", "secret")
	second.Want("+OK\r\n", "SET", "k", "v")
}

// A quoted command is the one that it names.
func TestQuotesOfInlineCommandsAreRead(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c := p.connect()
	c.SendRaw("\"SELECT\" '3'\r\n")
	if got := c.Read(); got != "+OK\r\n" {
		t.Fatalf("got %q", got)
	}
	c.Want("+OK\r\n", "SET", "k", "three")
	if got := servers[0].Do("EXISTS", "k"); got != ":0\r\n" {
		t.Errorf("the key is in database 0")
	}
	c.SendRaw("\"SUBSCRIBE\" \"a\" 'b'\r\n")
	for _, channel := range []string{"a", "b"} {
		if got := c.Read(); got[:2] != "*3" {
			t.Errorf("%s: got %q", channel, got)
		}
	}
}

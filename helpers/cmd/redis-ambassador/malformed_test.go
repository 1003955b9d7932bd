package main

import (
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// malformed is what Redis can't read on after, by the check that it fails (networking.c).
var malformed = map[string]string{
	"letters for the number of words":     "*abc\r\n",
	"a needless zero":                     "*02\r\n$4\r\nPING\r\n",
	"more words than fit":                 "*2147483648\r\n",
	"a number without a bound":            "*99999999999999999999999999\r\n",
	"a number without an end":             "*" + strings.Repeat("1", 64<<10) + "1",
	"a length without its sign":           "*1\r\n4\r\nPING\r\n",
	"an inline word for a length":         "*1\r\nPING\r\n",
	"a reply":                             "*1\r\n+PING\r\n",
	"letters for a length":                "*1\r\n$x\r\nPING\r\n",
	"a length with a zero":                "*1\r\n$04\r\nPING\r\n",
	"a length below zero":                 "*2\r\n$4\r\nECHO\r\n$-1\r\n",
	"a length beyond proto-max-bulk-len":  "*2\r\n$4\r\nECHO\r\n$536870913\r\n",
	"a length without an end":             "*1\r\n$" + strings.Repeat("4", 64<<10) + "4",
	"quotes that don't end":               "ECHO \"x\r\n",
	"something behind quotes":             "ECHO 'x'y\r\n",
	"an inline request that doesn't end":  strings.Repeat("x", 64<<10) + "x",
	"a zero byte in an inline request":    "PING \x00\r\n" + strings.Repeat("x", 64<<10),
	"a fault behind a large argument":     "*3\r\n$3\r\nSET\r\n$40000\r\n" + strings.Repeat("x", 40000) + "\r\n$x\r\n",
	"a fault behind a large read's":       "*3\r\n$4\r\nMGET\r\n$40000\r\n" + strings.Repeat("x", 40000) + "\r\n$x\r\n",
	"another sign behind a large command": "*3\r\n$3\r\nSET\r\n$5\r\nlarge\r\n$40000\r\n" + strings.Repeat("x", 40000) + "\r\n*1\r\n!4\r\nPING\r\n",
}

// before is what comes before a fault in the same pipeline, a command a line.
var before = map[string]string{
	"nothing":        "",
	"commands":       "GET none\nSET k v\nGET k\nDEL n\nEXISTS k\n",
	"a transaction":  "MULTI\nINCR k\n",
	"a setup":        "HELLO 3\nSELECT 1\nGET none\n",
	"a pipe":         "SUBSCRIBE news\n",
	"the end of one": "SUBSCRIBE news\nRESET\nGET none\n",
}

// Who sends what Redis can't read is told so in Redis' words, after the replies to what came before, and loses the
// connection.
func TestTheEndOfWhoSendsWhatRedisCannotRead(t *testing.T) {
	t.Parallel()
	direct := redistest.Start(t)
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica", "--read-after-write", "1h")
	for name, lines := range before {
		t.Run(name, func(t *testing.T) {
			for fault, bytes := range malformed {
				stream := bytes
				if lines != "" {
					var commands []byte
					for line := range strings.Lines(lines) {
						commands = resp.Append(commands, strings.Fields(line)...)
					}
					stream = string(commands) + bytes
				}
				answers := func(addr string) string {
					c := redistest.Connect(t, addr)
					defer c.Close()
					c.SendRaw(stream)
					return stable(c.ReadAll())
				}
				want := answers(direct.Addr)
				if got := answers(p.addr); got != want {
					t.Fatalf("%s: got %.200q, want %.200q", fault, got, want)
				}
				if !strings.Contains(want, "-ERR Protocol error") {
					t.Errorf("%s: Redis answers %q", fault, want)
				}
			}
		})
	}
}

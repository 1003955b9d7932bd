package resp_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// twisted are what random changes put into commands: what lines, lengths and quotes are made of.
var twisted = []string{"\r\n", "\n", "\r", "\x00", " ", "\t", "\v", "\"", "'", "\\", "\\x41", "\\n", "0", "-", "+", "1", "9", "$", "*", "*0\r\n", "*-1\r\n", "$-1\r\n", "\xc2\x85", "\xff"}

// stream is commands whose answers tell their words, in part changed at random.
func stream(random *rand.Rand) []byte {
	var b []byte
	for range 1 + random.IntN(5) {
		word := fmt.Sprint("word", random.IntN(1000))
		switch random.IntN(6) {
		case 0:
			b = append(b, "ECHO \""+word+"\"\r\n"...)
		case 1:
			b = append(b, "nosuch  'a' "+word+" \"\\x41\\\"\"\n"...)
		case 2:
			b = resp.Append(b, "ECHO", strings.Repeat(word, random.IntN(4)))
		default:
			b = resp.Append(b, "nosuch", word, "", "x\r\n")
		}
	}
	for range random.IntN(4) {
		at := random.IntN(len(b))
		switch piece := twisted[random.IntN(len(twisted))]; random.IntN(3) {
		case 0:
			b = append(b[:at:at], b[min(len(b), at+1+random.IntN(3)):]...)
		case 1:
			b = append(b[:at:at], append([]byte(piece), b[at:]...)...)
		default:
			b = append(b[:at:at], append([]byte(piece), b[min(len(b), at+len(piece)):]...)...)
		}
		if len(b) == 0 {
			return []byte("ECHO x\r\n")
		}
	}
	return b
}

// plainly writes what the parser finds in a stream as commands of which there is no doubt.
func plainly(t *testing.T, stream []byte) (plain []byte, refused bool) {
	var c resp.Commands
	for {
		command, err := c.Next(stream)
		if err != nil || !command.Complete {
			return plain, err != nil
		}
		if command.Count > len(command.Args) {
			t.Fatalf("%q: more words than are kept", stream)
		}
		if command.Count > 0 {
			var args []string
			for _, arg := range command.Args {
				args = append(args, string(arg))
			}
			plain = resp.Append(plain, args...)
		}
		stream = stream[command.Len:]
	}
}

// What the parser takes Redis takes as well, and as the same words. What it refuses, nobody gets.
func TestCommandsAreReadAsRedisReadsThem(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	answers := func(stream []byte) string {
		c := redistest.Connect(t, server.Addr)
		defer c.Close()
		c.SendRaw(string(stream))
		c.CloseWrite()
		return c.ReadAll()
	}
	refusals := 0
	for seed := range uint64(4000) {
		raw := stream(rand.New(rand.NewPCG(seed, 0)))
		plain, refused := plainly(t, raw)
		got, want := answers(raw), answers(plain)
		if refused {
			refusals++
			if !strings.HasPrefix(got, want) {
				t.Errorf("seed %d: %q: Redis answers %q, the parser found %q before it refused the rest", seed, raw, got, plain)
			}
		} else if got != want {
			t.Errorf("seed %d: %q: Redis answers %q, the parser found %q, which is answered %q", seed, raw, got, plain, want)
		}
		if bytes.Count([]byte(got), []byte("\r\n")) == 0 && len(plain) > 0 {
			t.Errorf("seed %d: %q: no answers", seed, raw)
		}
	}
	if refusals < 200 {
		t.Errorf("only %d streams were refused", refusals)
	}
}

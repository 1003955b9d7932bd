package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/resp"
)

// plain are commands whose answers depend only on what was sent before. K is a key, of few, so that commands meet; V is
// a value, N a number; ~ is a space inside an argument.
var plain = []string{
	"SET K V", "GET K", "GETSET K V", "APPEND K V", "STRLEN K", "SETRANGE K N V", "GETRANGE K 0 N", "INCRBY K N", "DEL K", "UNLINK K K",
	"EXISTS K K", "TYPE K", "MSET K V K V", "MGET K K K", "SETNX K V", "GETDEL K", "GETEX K PERSIST", "RENAME K K", "COPY K K REPLACE", "TTL K",
	"LPUSH K V V", "RPUSH K V", "LPOP K", "LRANGE K 0 -1", "LLEN K", "LINDEX K N", "LMOVE K K LEFT RIGHT", "BLPOP K K 0.001", "LPOS K V",
	"HSET K V V", "HGET K V", "HDEL K V", "HLEN K", "HINCRBY K V N", "HEXISTS K V", "SADD K V V", "SISMEMBER K V", "SCARD K", "SREM K V",
	"ZADD K N V", "ZSCORE K V", "ZRANGE K 0 -1 WITHSCORES", "ZRANK K V", "ZINCRBY K N V", "ZREMRANGEBYRANK K 0 0", "ZCOUNT K 0 N",
	"SETBIT K N 1", "GETBIT K N", "BITCOUNT K", "PFADD K V", "PFCOUNT K K", "XADD K 9-* f V", "XLEN K", "XRANGE K - +", "XREAD STREAMS K 0", "XTRIM K MAXLEN N",
	`EVAL return~redis.call("INCR",KEYS[1]) 1 K`, `EVAL_RO return~redis.call("GET",KEYS[1]) 1 K`, "SORT_RO K ALPHA", "SORT K ALPHA STORE K",
	"PING", "ECHO V", "DBSIZE", "OBJECT REFCOUNT K", "NOSUCH K", "GET", "FLUSHDB",
}

// stateful change what the connection is, and have one answer each.
var stateful = []string{"MULTI", "MULTI", "EXEC", "EXEC", "EXEC", "DISCARD", "WATCH K", "UNWATCH", "SELECT N", "CLIENT SETNAME V", "CLIENT GETNAME", "HELLO 2", "HELLO 3", "RESET", "AUTH V"}

// uncounted have several answers, or none.
var uncounted = []string{"SUBSCRIBE news", "UNSUBSCRIBE", "PSUBSCRIBE n*", "CLIENT REPLY OFF", "CLIENT REPLY SKIP", "CLIENT REPLY ON", "CLIENT TRACKING ON"}

func phrase(random *rand.Rand, words string) []string {
	args := strings.Fields(words)
	for i, word := range args {
		switch word {
		case "K":
			word = fmt.Sprint("k", random.IntN(6))
		case "V":
			word = fmt.Sprint("v", random.IntN(4))
		case "N":
			word = fmt.Sprint(random.IntN(8))
		}
		args[i] = strings.ReplaceAll(word, "~", " ")
	}
	return args
}

// sequence is commands in which one in every few is of the rarer kinds.
func sequence(random *rand.Rand, length int, rare ...[]string) [][]string {
	commands := make([][]string, length)
	for i := range commands {
		from := plain
		if n := random.IntN(5 + len(rare)); n < len(rare) {
			from = rare[n]
		}
		commands[i] = phrase(random, from[random.IntN(len(from))])
	}
	return commands
}

// unstable matches what differs between any two connections or servers.
var unstable = regexp.MustCompile(`\$2\r\nid\r\n:\d+`)

func stable(answers string) string { return unstable.ReplaceAllString(answers, "id") }

// Whatever a client sends, cut into whatever pieces, it reads the same bytes until the end of the connection.
func TestAnyPipelineIsAnsweredAsDirectly(t *testing.T) {
	t.Parallel()
	direct := redistest.Start(t)
	for name, args := range map[string][]string{
		"Primary":                      {"--read-policy", "Primary"},
		"PreferReplica and PinPrimary": {"--read-policy", "PreferReplica", "--read-after-write", "1h"},
	} {
		t.Run(name, func(t *testing.T) {
			servers := trio(t)
			p := ambassador(t, servers, args...)
			for seed := range uint64(150) {
				random := rand.New(rand.NewPCG(seed, 0))
				commands := sequence(random, 1+random.IntN(60), stateful, uncounted)
				cuts := rand.New(rand.NewPCG(seed, 1))
				direct.Do("FLUSHALL")
				servers[0].Do("FLUSHALL")
				awaited(t, servers)
				want := pipelined(redistest.Connect(t, direct.Addr), commands, cuts)
				got := pipelined(p.connect(), commands, cuts)
				if got != want {
					t.Fatalf("seed %d: %q:\ngot  %q\nwant %q", seed, commands, got, want)
				}
			}
		})
	}
}

// pipelined sends everything in pieces, and returns what there is to read. RESET at the end turns replies on again:
// without, Redis may forget to close the connection after QUIT.
func pipelined(c *redistest.Client, commands [][]string, cuts *rand.Rand) string {
	defer c.Close()
	var stream []byte
	for _, args := range append(commands, []string{"RESET"}, []string{"QUIT"}) {
		stream = append(stream, resp.Append(nil, args...)...)
	}
	go func() {
		for len(stream) > 0 {
			n := min(len(stream), 1+cuts.IntN(400))
			c.SendRaw(string(stream[:n]))
			stream = stream[n:]
		}
	}()
	return stable(c.ReadAll())
}

// With reads on replicas, and replication awaited before each command, every command is answered as directly.
func TestAnyCommandIsAnsweredAsDirectly(t *testing.T) {
	t.Parallel()
	direct, servers := redistest.Start(t), trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 2))
		direct.Do("FLUSHALL")
		servers[0].Do("FLUSHALL")
		c, d := p.connect(), redistest.Connect(t, direct.Addr)
		commands := sequence(random, 40, stateful)
		for i, args := range commands {
			awaited(t, servers)
			c.Send(args...)
			got, err := c.TryRead()
			if want := d.Do(args...); err != nil || stable(got) != stable(want) {
				t.Fatalf("seed %d: after %q %q: got %q, %v, want %q", seed, commands[:i], args, got, err, want)
			}
		}
		c.Close()
		d.Close()
	}
	if servers[1].Calls("get")+servers[2].Calls("get") == 0 {
		t.Error("no read went to a replica")
	}
}

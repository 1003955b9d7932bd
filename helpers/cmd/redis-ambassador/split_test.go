package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// awaited waits until all replicas have what the primary has.
func awaited(t *testing.T, servers []*redistest.Server) {
	t.Helper()
	c := redistest.Connect(t, servers[0].Addr)
	defer c.Close()
	// WAIT is about the connection's own writes: this one comes after all others, out of their sight.
	c.Want("+OK\r\n", "SELECT", "9")
	c.Want("+OK\r\n", "SET", "awaited", "")
	c.Want(fmt.Sprintf(":%d\r\n", len(servers)-1), "WAIT", fmt.Sprint(len(servers)-1), "10000")
}

func TestReadsGoToReplicasAndWritesToThePrimary(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	p.connect().Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	for range 4 {
		c := p.connect()
		c.Want("$1\r\nv\r\n", "GET", "k")
		c.Want("$1\r\nv\r\n", "get", "k")
	}
	if n := servers[0].Calls("get"); n != 0 {
		t.Errorf("the primary got %d reads", n)
	}
	if a, b := servers[1].Calls("get"), servers[2].Calls("get"); a != 4 || b != 4 {
		t.Errorf("the replicas got %d and %d reads, want 4 each", a, b)
	}
	for _, line := range []string{`class="read"} 8`, `class="write"} 1`} {
		if !strings.Contains(p.metrics(), line) {
			t.Errorf("metrics lack %s:\n%s", line, p.metrics())
		}
	}
}

func TestPolicyPrimaryReadsFromThePrimary(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	c := ambassador(t, servers).connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	c.Want("$1\r\nv\r\n", "GET", "k")
	if n := servers[0].Calls("get"); n != 1 {
		t.Errorf("the primary got %d reads, want 1", n)
	}
}

func TestRepliesComeInTheOrderOfCommands(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	p.connect().Want("+OK\r\n", "SET", "fixed", strings.Repeat("x", 1000))
	awaited(t, servers)
	c := p.connect()
	const rounds = 3000
	var want []string
	go func() {
		for i := range rounds {
			c.Send("GET", "fixed")
			c.Send("INCR", "n")
			if i%7 == 0 {
				c.SendRaw("PING inline\r\n\r\n*0\r\n")
			}
		}
	}()
	for i := range rounds {
		want = append(want, "$1000\r\n"+strings.Repeat("x", 1000)+"\r\n", fmt.Sprintf(":%d\r\n", i+1))
		if i%7 == 0 {
			want = append(want, "$6\r\ninline\r\n")
		}
	}
	for i, w := range want {
		if got := c.Read(); got != w {
			t.Fatalf("reply %d: got %.40q, want %.40q", i, got, w)
		}
	}
	if servers[1].Calls("get")+servers[2].Calls("get") == 0 {
		t.Error("no read went to a replica")
	}
}

func TestReadAfterWrite(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica", "--read-after-write", "1h")
	for _, replica := range servers[1:] {
		replica.Pause() // what it has lags for ever; a read that goes there hangs
		defer replica.Continue()
	}
	c := p.connect()
	c.Send("SET", "k", "v")
	c.Send("GET", "k")
	for _, want := range []string{"+OK\r\n", "$1\r\nv\r\n"} {
		if got := c.Read(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
}

func TestReadsReturnToReplicasAfterTheWindow(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica", "--read-after-write", "100ms")
	c := p.connect()
	c.Send("SET", "k", "v")
	c.Want("+OK\r\n", "GET", "k")
	if got := c.Read(); got != "$1\r\nv\r\n" {
		t.Errorf("got %q", got)
	}
	awaited(t, servers)
	processtest.Eventually(t, "a replica is read from", func() bool {
		c.Want("$1\r\nv\r\n", "GET", "k")
		return servers[1].Calls("get")+servers[2].Calls("get") > 0
	})
}

func TestBigValuesPassInPieces(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	value := strings.Repeat("0123456789abcdef", 2<<20) // 32 MiB
	c := p.connect()
	c.Want("$-1\r\n", "GETDEL", "k")
	before := p.residentMiB()
	c.Want("+OK\r\n", "SET", "k", value)
	c.Want(":1\r\n", "INCR", "n")
	awaited(t, servers)
	for range 2 {
		if got := c.Do("GET", "k"); got != fmt.Sprintf("$%d\r\n%s\r\n", len(value), value) {
			t.Fatalf("got %d bytes: %.40q", len(got), got)
		}
	}
	// Growth, and not the whole: the race detector's own memory is there before the values are.
	if after := p.residentMiB(); after-before > 24 {
		t.Errorf("resident memory grew from %d to %d MiB by values of 32 MiB", before, after)
	}
	// Many small arguments are larger than a buffer as well.
	args := []string{"MSET"}
	for i := range 20000 {
		args = append(args, fmt.Sprint("key", i), fmt.Sprint(i))
	}
	c.Want("+OK\r\n", args...)
	c.Want("$5\r\n19999\r\n", "GETDEL", "key19999")
}

func TestTransactionsBelongToThePrimary(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c, other := p.connect(), p.connect()
	c.Want("+OK\r\n", "WATCH", "k")
	c.Want("$-1\r\n", "GET", "k")
	other.Want("+OK\r\n", "SET", "k", "theirs")
	c.Want("+OK\r\n", "MULTI")
	c.Want("+QUEUED\r\n", "GET", "k")
	c.Want("+QUEUED\r\n", "SET", "k", "mine")
	c.Want("*-1\r\n", "EXEC")
	c.Want("+OK\r\n", "MULTI")
	c.Want("-ERR unknown command 'NOSUCH', with args beginning with: \r\n", "NOSUCH")
	c.Want("-EXECABORT Transaction discarded because of previous errors.\r\n", "EXEC")
	c.Want("-ERR EXEC without MULTI\r\n", "EXEC")
	c.Want("+OK\r\n", "MULTI")
	c.Want("+OK\r\n", "DISCARD")
	if n := servers[1].Calls("get") + servers[2].Calls("get"); n != 0 {
		t.Errorf("replicas got %d reads of a transaction", n)
	}
	awaited(t, servers)
	c.Want("$6\r\ntheirs\r\n", "GET", "k")
	if n := servers[1].Calls("get") + servers[2].Calls("get"); n != 1 {
		t.Errorf("replicas got %d reads after the transaction, want 1", n)
	}
}

func TestSettingsOfTheConnectionHoldOnEveryServer(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	servers[0].Do("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
	for _, s := range servers[1:] {
		s.Do("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
	}
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	writer := redistest.Connect(t, servers[0].Addr)
	writer.Do("SET", "k", "zero")
	writer.Do("SELECT", "5")
	writer.Do("SET", "k", "five")
	awaited(t, servers)

	c, other := p.connect(), p.connect()
	other.Want("$4\r\nzero\r\n", "GET", "k")
	c.Want("$4\r\nzero\r\n", "GET", "k")
	c.Want("+OK\r\n", "SELECT", "5")
	c.Want("$4\r\nfive\r\n", "GET", "k")
	c.Want("-ERR DB index is out of range\r\n", "SELECT", "99")
	c.Want("$4\r\nfive\r\n", "GET", "k")
	other.Want("$4\r\nzero\r\n", "GET", "k")
	if got := c.Do("HELLO", "3", "AUTH", "app", "secret", "SETNAME", "shop"); !strings.HasPrefix(got, "%7\r\n") {
		t.Fatalf("HELLO: %q", got)
	}
	c.Want("_\r\n", "GET", "none")
	c.Want("$4\r\nfive\r\n", "GET", "k")
	found := 0
	for _, replica := range servers[1:] {
		for line := range strings.Lines(replica.Do("CLIENT", "LIST")) {
			if strings.Contains(line, " name=shop ") && strings.Contains(line, " db=5 ") && strings.Contains(line, " user=app ") && strings.Contains(line, " resp=3") {
				found++
			}
		}
	}
	if found != 1 {
		t.Errorf("%d connections to replicas are set up as the client's, want 1", found)
	}
	if servers[0].Calls("get") != 0 {
		t.Error("a read went to the primary")
	}
	c.Want("+RESET\r\n", "RESET")
	c.Want("$4\r\nzero\r\n", "GET", "k")
	c.Want("$-1\r\n", "GET", "none")
	c.Want("$-1\r\n", "CLIENT", "GETNAME")
}

func TestPubSub(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c, publisher := p.connect(), p.connect()
	// What is under way is answered first, and in its order.
	c.Send("SET", "k", "v")
	c.Send("SUBSCRIBE", "news", "weather")
	c.Send("PING")
	for _, want := range []string{"+OK\r\n", "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n", "*3\r\n$9\r\nsubscribe\r\n$7\r\nweather\r\n:2\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n"} {
		if got := c.Read(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	publisher.Want(":1\r\n", "PUBLISH", "news", "hello")
	if got := c.Read(); got != "*3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$5\r\nhello\r\n" {
		t.Fatalf("got %q", got)
	}
	c.Send("UNSUBSCRIBE")
	c.Send("GET", "k")
	c.Read()
	c.Read()
	if got := c.Read(); got != "$1\r\nv\r\n" {
		t.Fatalf("got %q", got)
	}
	c.Want("+RESET\r\n", "RESET")
	awaited(t, servers)
	c.Want("$1\r\nv\r\n", "GET", "k")
	if n := servers[1].Calls("get") + servers[2].Calls("get"); n != 1 {
		t.Errorf("after RESET replicas got %d reads, want 1", n)
	}
}

func TestPushesOfRESP3(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c, other := p.connect(), p.connect()
	c.Do("HELLO", "3")
	c.Want("+OK\r\n", "CLIENT", "TRACKING", "ON")
	c.Want("_\r\n", "GET", "k")
	other.Want("+OK\r\n", "SET", "k", "v")
	if got := c.Read(); got != ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nk\r\n" {
		t.Fatalf("got %q", got)
	}
	c.Want(">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n", "SUBSCRIBE", "news")
	c.Want("$1\r\nv\r\n", "GET", "k")
}

func TestClientReply(t *testing.T) {
	t.Parallel()
	p := ambassador(t, trio(t), "--read-policy", "PreferReplica")
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "1")
	for _, command := range [][]string{{"CLIENT", "REPLY", "SKIP"}, {"INCR", "k"}, {"CLIENT", "REPLY", "OFF"}, {"INCR", "k"}, {"GET", "k"}} {
		c.Send(command...)
	}
	c.Want("+OK\r\n", "CLIENT", "REPLY", "ON")
	c.Want("$1\r\n3\r\n", "GET", "k")
}

func TestMonitor(t *testing.T) {
	t.Parallel()
	p := ambassador(t, trio(t))
	c := p.connect()
	c.Want("+OK\r\n", "MONITOR")
	p.connect().Want("+OK\r\n", "SET", "k", "v")
	for !strings.Contains(c.Read(), `"SET" "k" "v"`) {
	}
	c.Send("RESET")
	for c.Read() != "+RESET\r\n" {
	}
	c.Want("$1\r\nv\r\n", "GET", "k")
}

func TestBlockingCommands(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c, other := p.connect(), p.connect()
	c.Send("BLPOP", "list", "0")
	c.Send("INCR", "n") // waits behind it, as it would without us
	if !c.Silent(50 * time.Millisecond) {
		t.Fatal("BLPOP was answered early")
	}
	other.Want(":1\r\n", "RPUSH", "list", "x")
	if got := c.Read(); got != "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n" {
		t.Fatalf("got %q", got)
	}
	if got := c.Read(); got != ":1\r\n" {
		t.Fatalf("got %q", got)
	}
	c.Send("XREAD", "BLOCK", "0", "STREAMS", "stream", "$")
	processtest.Eventually(t, "XREAD waits at the primary", func() bool {
		return strings.Contains(servers[0].Do("INFO", "clients"), "blocked_clients:1")
	})
	other.Do("XADD", "stream", "1-1", "f", "v")
	if got := c.Read(); !strings.Contains(got, "1-1") {
		t.Fatalf("got %q", got)
	}
	// A client that is gone takes nothing.
	c.Send("BLPOP", "list", "0")
	processtest.Eventually(t, "BLPOP waits", func() bool {
		return strings.Contains(servers[0].Do("INFO", "clients"), "blocked_clients:1")
	})
	c.Close()
	processtest.Eventually(t, "BLPOP waits no more", func() bool {
		return strings.Contains(servers[0].Do("INFO", "clients"), "blocked_clients:0")
	})
	other.Want(":1\r\n", "RPUSH", "list", "y")
	other.Want("$1\r\ny\r\n", "LPOP", "list")
}

// What a command waits for may be what the next one is to read.
func TestReadsBehindACommandThatWaits(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c, other := p.connect(), p.connect()
	c.Want("$-1\r\n", "GET", "k")
	for i := range 20 {
		value := fmt.Sprint(i)
		c.SendLines("BLPOP list 0\nGET k\n")
		other.Want("+OK\r\n", "SET", "k", value)
		other.Want(":1\r\n", "RPUSH", "list", "x")
		c.Read()
		if got := c.Read(); got != fmt.Sprintf("$%d\r\n%s\r\n", len(value), value) {
			t.Fatalf("behind BLPOP %d: got %q", i, got)
		}
	}
	awaited(t, servers)
	before := servers[1].Calls("get") + servers[2].Calls("get")
	c.Want("$2\r\n19\r\n", "GET", "k")
	if n := servers[1].Calls("get") + servers[2].Calls("get"); n != before+1 {
		t.Errorf("replicas got %d reads after the last BLPOP, want 1", n-before)
	}
}

// WAIT tells of the writes before it in the pipeline, however it is reached; a connection over which nothing was
// written is told of all replicas.
func TestWaitInAPipeline(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	primary, replicas := servers[0], servers[1:]
	ways := map[string]string{"directly": primary.Addr}
	for _, policy := range []string{"Primary", "PreferReplica"} {
		ways[policy] = ambassador(t, servers, "--read-policy", policy).addr
	}
	pipeline := func(c *redistest.Client, commands, want string) {
		t.Helper()
		c.SendLines(strings.ReplaceAll(commands, "|", "\n"))
		var got []string
		for range strings.Count(commands, "|") + 1 {
			got = append(got, strings.TrimSpace(c.Read()))
		}
		if all := strings.Join(got, "|"); all != want {
			t.Errorf("%s: got %s, want %s", commands, all, want)
		}
	}
	for way, addr := range ways {
		c, silent := redistest.Connect(t, addr), redistest.Connect(t, addr)
		for i := range 50 {
			key := fmt.Sprint(way, i)
			pipeline(c, "SET "+key+" a|EXISTS none|APPEND "+key+" b|WAIT 2 0|STRLEN "+key+"|DEL none|WAIT 2 0|STRLEN "+key, "+OK|:0|:2|:2|:2|:0|:2|:2")
			for _, replica := range replicas {
				if got := replica.Do("GET", key); got != "$2\r\nab\r\n" {
					t.Fatalf("%s: WAIT was answered before the replica had the write: %q", way, got)
				}
			}
		}
		replicas[0].Pause()
		pipeline(c, "SET k a|WAIT 2 200|SET k b|WAIT 1 0", "+OK|:1|+OK|:1")
		replicas[1].Pause()
		pipeline(c, "SET k c|WAIT 1 200|MULTI|SET k d|WAIT 1 0|EXEC", "+OK|:0|+OK|+QUEUED|+QUEUED|*2\r\n+OK\r\n:0")
		pipeline(silent, "WAIT 2 200", ":2")
		for _, replica := range replicas {
			replica.Continue()
		}
		pipeline(c, "SET k e|WAIT 2 0", "+OK|:2")
	}
}

func TestTheEnd(t *testing.T) {
	t.Parallel()
	p := ambassador(t, trio(t))
	c := p.connect()
	c.SendLines("SET k v\nGET k\nQUIT\nSET k late\n")
	for _, want := range []string{"+OK\r\n", "$1\r\nv\r\n", "+OK\r\n"} {
		if got := c.Read(); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	if got, err := c.TryRead(); err == nil {
		t.Fatalf("after QUIT: %q", got)
	}
	// A client that closes its side is still answered.
	c = p.connect()
	c.SendLines("INCR n\nGET k\n")
	c.CloseWrite()
	if got := c.Read() + c.Read(); got != ":1\r\n$1\r\nv\r\n" {
		t.Fatalf("got %q", got)
	}
	if _, err := c.TryRead(); err == nil {
		t.Fatal("the connection stays open")
	}
	c = p.connect()
	c.SendRaw("*1\r\n$4\r\nPING\r\n*1\r\n!4\r\nPING\r\n")
	if got := c.Read() + c.Read(); got != "+PONG\r\n-ERR Protocol error: expected '$', got '!'\r\n" {
		t.Fatalf("got %q", got)
	}
	if _, err := c.TryRead(); err == nil {
		t.Fatal("the connection stays open")
	}
	c = p.connect()
	if got := c.Do("PSYNC", "?", "-1"); !strings.HasPrefix(got, "-ERR an ambassador doesn't replicate") {
		t.Fatalf("got %q", got)
	}
}

func TestASelectInATransactionPinsTheSession(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c := p.connect()
	c.Want("+OK\r\n", "MULTI")
	c.Want("+QUEUED\r\n", "SELECT", "3")
	c.Want("+QUEUED\r\n", "SET", "k", "three")
	c.Want("*2\r\n+OK\r\n+OK\r\n", "EXEC")
	c.Want("$5\r\nthree\r\n", "GET", "k")
}

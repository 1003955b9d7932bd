package main

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

func TestClientsShareConnections(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	clients := make([]*redistest.Client, 20)
	for i := range clients {
		clients[i] = p.connect()
		clients[i].Want("+OK\r\n", "SET", fmt.Sprint(i), fmt.Sprint("value of ", i))
	}
	awaited(t, servers)
	for i, c := range clients {
		value := fmt.Sprint("value of ", i)
		c.Want(fmt.Sprintf("$%d\r\n%s\r\n", len(value), value), "GET", fmt.Sprint(i))
		c.Want("+PONG\r\n", "PING")
	}
	for _, server := range servers {
		if !p.hasConnections(server.Addr, 1) {
			t.Errorf("20 clients have not one connection to a server:\n%s", p.metrics())
		}
	}
	for _, c := range clients {
		c.Close()
	}
	for _, server := range servers {
		processtest.Eventually(t, "the connection goes with its last client", func() bool { return p.hasConnections(server.Addr, 0) })
	}
}

// Those who have set up their connections alike share one; the one that a client set up its own over goes.
func TestWhatAConnectionIsIsShared(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	for database := range 3 {
		for i := range 4 {
			c := p.connect()
			c.Want("+OK\r\n", "SELECT", fmt.Sprint(database))
			c.Want("+OK\r\n", "CLIENT", "SETNAME", "test")
			c.Want("+OK\r\n", "SET", fmt.Sprint(i), fmt.Sprint(database))
			if i%2 == 0 {
				if got := c.Do("HELLO", "3"); got[0] != '%' {
					t.Errorf("got %q", got)
				}
				c.Want("+OK\r\n", "SET", fmt.Sprint(i), fmt.Sprint(database))
				c.Want("_\r\n", "GET", "none")
			} else {
				c.Want("$-1\r\n", "GET", "none")
			}
			c.Want(fmt.Sprintf("$1\r\n%d\r\n", database), "GET", fmt.Sprint(i))
		}
	}
	// Writes were sent before HELLO 3: what those connections lose means something to WAIT.
	processtest.Eventually(t, "each database has a connection of RESP2 and one of RESP3", func() bool { return p.hasConnections(servers[0].Addr, 6) })
}

// What is one client's business isn't sent over what others use.
func TestWhatIsNotShared(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	a, b := p.connect(), p.connect()
	for _, c := range []*redistest.Client{a, b} {
		c.Want("+OK\r\n", "SET", "k", "v")
	}
	for _, commands := range []string{
		"BLPOP list 0",
		"MULTI|SET in transaction",
		"WATCH k",
		"SUBSCRIBE news",
		"CLIENT REPLY OFF",
		"EVAL return~1 0|SELECT 1",
		"CLIENT NO-EVICT ON|HELLO 3|AUTH nobody nothing",
		"SET big " + strings.Repeat("x", 20<<10),
	} {
		c := p.connect()
		c.Want("+OK\r\n", "SET", "k", "v")
		for command := range strings.SplitSeq(commands, "|") {
			c.Send(phrase(rand.New(rand.NewPCG(1, 1)), command)...)
		}
		a.Want("$1\r\nv\r\n", "GET", "k")
		b.Want("+OK\r\n", "SET", "k", "v")
		a.Want(":1\r\n", "EXISTS", "k")
		c.Close()
	}
	watches := p.connect()
	watches.Want("+OK\r\n", "WATCH", "k")
	a.Want("+OK\r\n", "SET", "k", "w")
	watches.Want("+OK\r\n", "MULTI")
	watches.Want("+QUEUED\r\n", "SET", "k", "mine")
	watches.Want("*-1\r\n", "EXEC")
	b.Want("$1\r\nw\r\n", "GET", "k")
}

// WAIT is asked over the connection that had the writes, and nobody else waits for its answer.
func TestWaitOverASharedConnection(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	waits, other, third := p.connect(), p.connect(), p.connect()
	for _, c := range []*redistest.Client{waits, other, third} {
		c.Want("+OK\r\n", "SET", "k", "v")
	}
	awaited(t, servers)
	servers[1].Pause()
	servers[2].Pause()
	waits.Want("+OK\r\n", "SET", "k", "w")
	waits.Send("WAIT", "1", "0")
	processtest.Eventually(t, "WAIT waits", func() bool {
		return strings.Contains(servers[0].Do("INFO", "clients"), "blocked_clients:1")
	})
	other.Want("+OK\r\n", "SET", "k", "x")
	p.connect().Want("+OK\r\n", "SET", "k", "x")
	third.Send("WAIT", "1", "0") // over the same connection: it is answered after the first one
	servers[1].Continue()
	servers[2].Continue()
	for _, c := range []*redistest.Client{waits, third} {
		if got := c.Read(); got == ":0\r\n" {
			t.Errorf("WAIT gave up: %q", got)
		}
	}
	for _, c := range []*redistest.Client{waits, other, third} {
		c.Want("+OK\r\n", "SET", "k", "y")
		c.Want(":2\r\n", "WAIT", "2", "0")
	}
	if !p.hasMetric(`redis_ambassador_broken_clients_total{upstream="redis"} 0`) {
		t.Error("a client's connection was closed")
	}
}

// A transaction's connection doesn't know of the writes before it when they were shared. Better no answer than one that
// is about nothing; and it doesn't come to that again.
func TestWaitInATransactionAfterSharedWrites(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	for round := range 3 {
		c := p.connect()
		c.Want("+OK\r\n", "SET", "k", "v")
		c.Want("+OK\r\n", "MULTI")
		c.Send("WAIT", "1", "0")
		got, err := c.TryRead()
		switch {
		case round == 0 && err == nil:
			t.Errorf("got %q", got)
		case round > 0 && got != "+QUEUED\r\n":
			t.Errorf("round %d: got %q, %v", round, got, err)
		}
	}
}

// A client that doesn't read keeps nobody from their replies.
func TestAClientThatDoesNotRead(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	quick := p.connect()
	quick.Want("+OK\r\n", "SET", "large", strings.Repeat("x", 8<<20))
	slow, alone := p.connect(), p.connect()
	slow.Want("+PONG\r\n", "PING")
	for range 4 { // more than sockets hold
		slow.Send("GET", "large")
	}
	unsent := regexp.MustCompile(`omem=[1-9].* cmd=get `)
	before, standstill := "", 0
	processtest.Eventually(t, "the server can't get rid of the replies", func() bool {
		now := unsent.FindString(servers[0].Do("CLIENT", "LIST"))
		if standstill++; now == "" || now != before {
			standstill = 0
		}
		before = now
		return standstill == 50
	})
	begun := time.Now()
	for range 100 {
		quick.Want("+PONG\r\n", "PING")
		alone.Want("+PONG\r\n", "PING")
	}
	if took := time.Since(begun); took > 20*time.Second {
		t.Errorf("others waited %v", took)
	}
	for range 4 {
		if got := slow.Read(); len(got) < 8<<20 {
			t.Fatalf("got %d bytes", len(got))
		}
	}
	if !p.hasMetric(`redis_ambassador_slow_clients_total{upstream="redis"} 0`) {
		t.Error("a client was cut off that nobody waited for")
	}
}

func TestAClientThatDoesNotReadWhileOthersWait(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	slow, waits := p.connect(), p.connect()
	waits.Want("+OK\r\n", "SET", "large", strings.Repeat("x", 8<<20))
	waits.Want("+OK\r\n", "SET", "small", "x")
	slow.Want("$1\r\nx\r\n", "GET", "small")
	servers[0].Pause()
	for range 4 {
		slow.Send("GET", "large")
	}
	processtest.Eventually(t, "the reads are on their way", func() bool {
		return p.hasMetric(`redis_ambassador_commands_total{upstream="redis",class="pinned"} 5`)
	})
	waits.Send("SET", "small", "y")
	processtest.Eventually(t, "the write is behind them", func() bool {
		return p.hasMetric(`redis_ambassador_commands_total{upstream="redis",class="write"} 3`)
	})
	begun := time.Now()
	servers[0].Continue()
	if got := waits.Read(); got != "+OK\r\n" {
		t.Errorf("got %q", got)
	}
	t.Logf("who was in line behind 32 MB that nobody read waited %v", time.Since(begun))
	if took := time.Since(begun); took > 4*time.Second {
		t.Errorf("that took %v", took)
	}
	for range 4 {
		if got := slow.Read(); len(got) < 8<<20 {
			t.Errorf("got %d bytes", len(got))
		}
	}
	if !p.hasMetric(`redis_ambassador_slow_clients_total{upstream="redis"} 0`) {
		t.Error("a client was cut off")
	}
	p.connect().Want("$1\r\ny\r\n", "GET", "small")
}

// Many clients at once, each with keys of its own: each reads what it would read alone.
func TestManyClientsAreAnsweredAsDirectly(t *testing.T) {
	t.Parallel()
	direct, servers := redistest.Start(t), trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica", "--read-after-write", "1h")
	var group sync.WaitGroup
	for client := range 16 {
		group.Go(func() {
			for seed := range uint64(25) {
				random := rand.New(rand.NewPCG(seed, uint64(client)))
				rare := [][]string{{"PING"}}
				if client%2 == 0 {
					rare = [][]string{stateful}
				}
				commands := slices.DeleteFunc(sequence(random, 1+random.IntN(80), rare...), func(args []string) bool {
					return slices.Contains([]string{"FLUSHDB", "DBSIZE"}, args[0])
				})
				for _, args := range commands {
					for i, word := range args {
						if len(word) == 2 && word[0] == 'k' {
							args[i] = fmt.Sprint("of client ", client, " round ", seed, " ", word)
						}
					}
				}
				cuts := rand.New(rand.NewPCG(seed, 1))
				want := pipelined(redistest.Connect(t, direct.Addr), commands, cuts)
				got := pipelined(p.connect(), commands, cuts)
				if got != want {
					t.Errorf("client %d, seed %d: %q:\ngot  %q\nwant %q", client, seed, commands, got, want)
					return
				}
			}
		})
	}
	group.Wait()
	if p.hasMetric(`redis_ambassador_broken_clients_total{upstream="redis"} 0`) {
		return
	}
	t.Error("a client's connection was closed")
}

// A client that has logged in stays so when its password is changed, as with Redis.
func TestAPasswordThatIsChangedAfterwards(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	servers[0].Do("ACL", "SETUSER", "app", "on", ">old", "~*", "+@all")
	early, late := p.connect(), p.connect()
	for _, c := range []*redistest.Client{early, late} {
		c.Want("+OK\r\n", "AUTH", "app", "old")
	}
	early.Want("+OK\r\n", "SET", "k", "v")
	servers[0].Do("ACL", "SETUSER", "app", "<old", ">new")
	early.Want("$1\r\nv\r\n", "GET", "k")
	early.Close()
	processtest.Eventually(t, "the shared connection is gone", func() bool { return p.hasConnections(servers[0].Addr, 1) })
	late.Want("$1\r\nv\r\n", "GET", "k") // over the one that it has logged in over
	late.Want("+OK\r\n", "SET", "k", "w")
	other := p.connect()
	other.Want("+OK\r\n", "AUTH", "app", "new")
	other.Want("$1\r\nw\r\n", "GET", "k")
}

// While primaries die under shared connections nobody gets another's answer, and nobody waits for ever. Each client
// counts from a number of its own on; Redis itself may forget the last steps.
func TestNobodyGetsTheAnswersOfOthersInAFailover(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	const apart = 1_000_000
	var (
		group sync.WaitGroup
		steps atomic.Int64
		stop  = make(chan struct{})
	)
	for client := range 12 {
		key, begin := fmt.Sprint("of ", client), (1+client)*apart
		p.connect().Want("+OK\r\n", "SET", key, fmt.Sprint(begin))
		group.Go(func() {
			c, last := p.connect(), 0
			for {
				select {
				case <-stop:
					return
				default:
				}
				for range 3 {
					c.Send("INCR", key)
				}
				for range 3 {
					reply, err := c.TryRead()
					if err != nil {
						c, last = p.connect(), 0 // what a client does
						break
					}
					if strings.HasPrefix(reply, "-MASTERDOWN") {
						last = 0
						continue
					}
					var n int
					if _, err := fmt.Sscanf(reply, ":%d\r\n", &n); err != nil || n <= begin || n > begin+apart || last > 0 && n > last+1 {
						t.Errorf("after %d: got %q", last, reply)
						return
					}
					last = n
					steps.Add(1)
				}
			}
		})
	}
	for round := range 3 {
		before := steps.Load()
		processtest.Eventually(t, "the clients count", func() bool { return steps.Load() > before+2000 || t.Failed() })
		old, next, other := servers[round%3], servers[(round+1)%3], servers[(round+2)%3]
		awaited(t, []*redistest.Server{old, next, other})
		old.Kill()
		promote(next, other)
		p.waitPrimary(next)
		old.Restart()
		old.Follow(next)
		p.waitFit(old, next, other)
	}
	close(stop)
	group.Wait()
}

// Who asks WAIT has its own connections from then on; the others go on sharing.
func TestWaitEndsSharingForItsClientAlone(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	clients := make([]*redistest.Client, 20)
	for i := range clients {
		clients[i] = p.connect()
		clients[i].Want("+OK\r\n", "SET", "k", "v")
	}
	waits := p.connect()
	for range 3 {
		waits.Want("+OK\r\n", "SET", "k", "v")
		waits.Want(":2\r\n", "WAIT", "2", "0")
	}
	for _, c := range append(clients, p.connect()) {
		c.Want("+OK\r\n", "SET", "k", "w")
		c.Want("$1\r\nw\r\n", "GET", "k")
	}
	if !p.hasConnections(servers[0].Addr, 2) {
		t.Errorf("there is not one connection for 21 clients and one for who waits:\n%s", p.metrics())
	}
}

// A user that only the primary knows reads there. The replicas aren't asked each time.
func TestAUserThatReplicasDoNotKnow(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	p.connect().Want("+OK\r\n", "ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
	c := p.connect()
	c.Want("+OK\r\n", "AUTH", "app", "secret")
	c.Want("$-1\r\n", "GET", "k")
	refused := func() int { return servers[1].Calls("auth") + servers[2].Calls("auth") }
	before := refused()
	for range 100 {
		c.Want("$-1\r\n", "GET", "k")
	}
	if n := refused() - before; n > 10 {
		t.Errorf("100 reads have asked the replicas %d times", n)
	}
}

// Clients that only set up their connections alike need one connection between them.
func TestWhoOnlySetsUpAConnectionShares(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	servers[0].Do("ACL", "SETUSER", "app", "on", ">secret", "~*", "+@all")
	p := ambassador(t, servers)
	var clients []*redistest.Client
	for range 20 {
		c := p.connect()
		clients = append(clients, c)
		if got := c.Do("HELLO", "3", "AUTH", "app", "secret", "SETNAME", "shop"); !strings.HasPrefix(got, "%7\r\n") {
			t.Fatalf("got %q", got)
		}
		c.Want("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "app", "wrong")
		c.Want("-ERR DB index is out of range\r\n", "SELECT", "99")
		c.Want("+OK\r\n", "SELECT", "2")
	}
	fresh := p.connect()
	fresh.SendLines("HELLO 3 AUTH app secret SETNAME shop\nSELECT 2\nSET k v\nGET k\n")
	for _, want := range []string{"%", "+OK", "+OK", "$1"} {
		if got := fresh.Read(); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %s", got, want)
		}
	}
	for _, c := range clients {
		c.Want("$1\r\nv\r\n", "GET", "k")
		c.Want("_\r\n", "GET", "none")
	}
	processtest.Eventually(t, "21 clients have one connection", func() bool { return p.hasConnections(servers[0].Addr, 1) })
	// Who is known already is asked for the password all the same.
	servers[0].Do("ACL", "SETUSER", "app", "resetpass", ">changed")
	late := p.connect()
	late.Want("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "app", "secret")
	late.Want("$-1\r\n", "GET", "k")
	clients[0].Want("$1\r\nv\r\n", "GET", "k")
}

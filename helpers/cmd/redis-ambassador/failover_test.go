package main

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// promote makes the replica that has most the primary, and the others follow it.
func promote(next *redistest.Server, others ...*redistest.Server) {
	next.Promote()
	for _, other := range others {
		other.Follow(next)
	}
}

// A write counts as acknowledged here when the replicas have it, too: what only a primary had when it died is lost by
// Redis itself.
func TestFailoverUnderLoadLosesNoAcknowledgedWrite(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	var (
		group        sync.WaitGroup
		mu           sync.Mutex
		acknowledged = map[string]string{}
		refused      int
		stop         = make(chan struct{})
	)
	for writer := range 8 {
		group.Go(func() {
			c := p.connect()
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				key, value := fmt.Sprintf("%d-%d", writer, i), fmt.Sprint(i)
				c.Send("SET", key, value)
				c.Send("WAIT", "1", "1000")
				set, err := c.TryRead()
				var wait string
				if err == nil {
					wait, err = c.TryRead()
				}
				if err != nil {
					c = p.connect() // what a client does
					continue
				}
				mu.Lock()
				switch {
				case set == "+OK\r\n" && wait != ":0\r\n" && wait[0] == ':':
					acknowledged[key] = value
				case set != "+OK\r\n":
					refused++
				}
				mu.Unlock()
			}
		})
	}
	count := func() int {
		mu.Lock()
		defer mu.Unlock()
		return len(acknowledged)
	}
	processtest.Eventually(t, "writes are acknowledged", func() bool { return count() > 500 })
	servers[0].Kill()
	killed := time.Now()
	// The replica that has more; with WAIT 1 it has all that was acknowledged.
	next, other := servers[1], servers[2]
	if offset(other) > offset(next) {
		next, other = other, next
	}
	promote(next, other)
	promoted := time.Since(killed)
	p.waitPrimary(next)
	before := count()
	processtest.Eventually(t, "writes are acknowledged again", func() bool { return count() > before+500 })
	recovered := time.Since(killed)
	close(stop)
	group.Wait()
	c := p.connect()
	lost := 0
	for key, value := range acknowledged {
		if c.Do("GETEX", key) != fmt.Sprintf("$%d\r\n%s\r\n", len(value), value) {
			lost++
		}
	}
	t.Logf("%d writes acknowledged, %d lost, %d refused with an error; promoted after %v, 500 more writes after %v", len(acknowledged), lost, refused, promoted, recovered)
	if lost > 0 {
		t.Errorf("%d of %d acknowledged writes are lost", lost, len(acknowledged))
	}
	if !strings.Contains(p.metrics(), `redis_ambassador_failovers_total{upstream="redis"} 1`) {
		t.Errorf("metrics: %s", p.metrics())
	}
}

func offset(s *redistest.Server) int {
	var offset int
	for line := range strings.SplitSeq(s.Do("INFO", "replication"), "\r\n") {
		if rest, ok := strings.CutPrefix(line, "slave_repl_offset:"); ok {
			_, _ = fmt.Sscan(rest, &offset)
		}
	}
	return offset
}

func TestAnIdleClientDoesNotNoticeAFailover(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c := p.connect()
	c.Want("+OK\r\n", "SELECT", "2")
	c.Want("+OK\r\n", "CLIENT", "SETNAME", "idle")
	c.Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	subscriber, watcher := p.connect(), p.connect()
	subscriber.Do("SUBSCRIBE", "news")
	watcher.Want("+OK\r\n", "WATCH", "k")
	servers[0].Kill()
	processtest.Eventually(t, "the loss is noticed", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 0`) })
	promote(servers[1], servers[2])
	// Writes wait for the new primary.
	c.Want("$1\r\nv\r\n", "GETSET", "k", "w")
	c.Want("$4\r\nidle\r\n", "CLIENT", "GETNAME")
	// What can't be made again elsewhere ends, so that the client knows.
	for _, pinned := range []*redistest.Client{subscriber, watcher} {
		if got, err := pinned.TryRead(); err == nil {
			t.Errorf("got %q", got)
		}
	}
}

func TestWithoutAPrimaryWritesFailSoonAndReadsGoOn(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--read-policy", "PreferReplica")
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	servers[0].Kill()
	processtest.Eventually(t, "the loss is noticed", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 0`) })
	begun := time.Now()
	if got := c.Do("SET", "k", "w"); !strings.HasPrefix(got, "-MASTERDOWN redis has no primary now") {
		t.Fatalf("got %q", got)
	}
	if took := time.Since(begun); took > 6*time.Second {
		t.Errorf("the error took %v", took)
	}
	c.Want("$1\r\nv\r\n", "GET", "k")
	begun = time.Now()
	for range 20 {
		if got := c.Do("SET", "k", "w"); !strings.HasPrefix(got, "-MASTERDOWN") {
			t.Fatalf("got %q", got)
		}
	}
	if took := time.Since(begun); took > time.Second {
		t.Errorf("20 errors took %v", took)
	}
	// What a command prepares must not be missing for those after it.
	c.SendLines("MULTI\nSET k w\nEXEC\n")
	if got := c.Read(); !strings.HasPrefix(got, "-MASTERDOWN") {
		t.Fatalf("got %q", got)
	}
	if got, err := c.TryRead(); err == nil {
		t.Fatalf("got %q", got)
	}
	if status, body := p.get("/readyz"); status != 503 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if status, body := p.get("/healthz"); status != 200 {
		t.Errorf("/healthz: %d %s", status, body)
	}
	servers[0].Restart()
	processtest.Eventually(t, "writes succeed", func() bool { return p.connect().Do("SET", "k", "w") == "+OK\r\n" })
}

func TestAPrimaryThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	servers[0].Pause()
	defer servers[0].Continue()
	c.Send("SET", "k", "w")
	begun := time.Now()
	promote(servers[1], servers[2])
	if got, err := c.TryRead(); err == nil {
		t.Errorf("got %q", got)
	}
	t.Logf("a write to a primary that hangs ended after %v", time.Since(begun))
	if got := p.connect().Do("SET", "k", "x"); got != "+OK\r\n" {
		t.Errorf("got %q", got)
	}
}

// An old primary that comes back says that it is the primary, as the new one does.
func TestAnOldPrimaryThatComesBackGetsNothing(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	servers[0].Kill()
	promote(servers[1], servers[2])
	p.waitPrimary(servers[1])
	servers[0].Restart()
	processtest.Eventually(t, "both say that they are the primary", func() bool {
		return strings.Contains(p.metrics(), `server="`+servers[0].Addr+`",role="primary"} 0`)
	})
	for range 20 {
		p.connect().Want("+OK\r\n", "SET", "k", "v")
	}
	if n := servers[0].Calls("set"); n != 0 {
		t.Errorf("the old primary got %d writes", n)
	}
}

// The old primary comes back empty, and the replica that nobody has led to the new one finds it again.
func TestAnOldPrimaryThatComesBackEmptyGetsNothing(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	servers[0].Kill()
	servers[1].Promote()
	p.waitPrimary(servers[1])
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	servers[0].Restart()
	servers[2].Follow(servers[0])
	processtest.Eventually(t, "both say that they are the primary", func() bool {
		return strings.Contains(p.metrics(), `server="`+servers[0].Addr+`",role="primary"} 0`)
	})
	p.connect().Want("$1\r\nv\r\n", "GET", "k")
	c.Want("+OK\r\n", "SET", "k", "w")
	if n := servers[0].Calls("set"); n != 0 {
		t.Errorf("the old primary got %d writes", n)
	}
	// It doesn't take the place of the one in use while that is gone, either.
	servers[1].Pause()
	processtest.Eventually(t, "the one in use is given up", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 0`) })
	if _, body := p.get("/readyz"); !strings.Contains(body, "lack what was written to it") {
		t.Errorf("/readyz: %s", body)
	}
	servers[1].Continue()
	p.waitPrimary(servers[1])
	p.connect().Want("$1\r\nw\r\n", "GET", "k")
}

// An endpoint may be a Service that follows the primary.
func TestAServiceThatFollowsThePrimary(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	relay := redistest.StartRelay(t, servers[0])
	addr := processtest.FreeAddress(t)
	p := start(t, "--listen", addr, "--endpoint", relay.Addr)
	p.addr = addr
	processtest.Eventually(t, "the primary is known", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 1`) })
	shares, own := p.connect(), p.connect()
	for i, next := range []*redistest.Server{servers[1], servers[2], servers[0]} {
		shares.Want("+OK\r\n", "SET", "k", fmt.Sprint(i))
		own.Want(fmt.Sprintf("$1\r\n%d\r\n", i), "EVAL", "return redis.call('get', 'k')", "1", "k")
		old := servers[(i+3)%3]
		awaited(t, []*redistest.Server{old, servers[(i+1)%3], servers[(i+2)%3]})
		promote(next, old)
		processtest.Eventually(t, "the old primary is seen to be none", func() bool {
			return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 0`)
		})
		relay.Lead(next)
		processtest.Eventually(t, "the new one is used", func() bool { return p.connect().Do("SET", "k", fmt.Sprint(i)) == "+OK\r\n" })
		shares.Want(fmt.Sprintf("$1\r\n%d\r\n", i), "GETSET", "k", "new")
		own.Want("$3\r\nnew\r\n", "EVAL", "return redis.call('get', 'k')", "1", "k")
		servers[(i+2)%3].Follow(next)
	}
}

func TestTwoPrimariesAndNothingThatTellsThemApart(t *testing.T) {
	t.Parallel()
	a, b := redistest.Start(t), redistest.Start(t)
	addr := processtest.FreeAddress(t)
	p := start(t, "--listen", addr, "--endpoint", a.Addr, "--endpoint", b.Addr)
	processtest.Eventually(t, "the log tells what to do", func() bool { return strings.Contains(p.Log(), "make the others replicas (REPLICAOF)") })
	if status, body := p.get("/readyz"); status != 503 {
		t.Errorf("/readyz: %d %s", status, body)
	}
	if got := redistest.Connect(t, addr).Do("SET", "k", "v"); !strings.HasPrefix(got, "-MASTERDOWN") {
		t.Errorf("got %q", got)
	}
	b.Follow(a)
	p.waitPrimary(a)
	redistest.Connect(t, addr).Want("+OK\r\n", "SET", "k", "v")
}

func TestSentinelNamesThePrimary(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	var sentinels []*redistest.Server
	for range 3 {
		sentinels = append(sentinels, redistest.StartSentinel(t, "shop", servers[0]))
	}
	p := configured(t, redisSpec(sentinels, "sentinel: {masterName: shop}", "readPolicy: PreferReplica"))
	p.waitFit(servers...)
	for _, s := range sentinels {
		processtest.Eventually(t, "the Sentinels know each other", func() bool {
			return strings.Contains(s.Do("SENTINEL", "MASTER", "shop"), "num-other-sentinels\r\n$1\r\n2\r\n")
		})
	}
	c := p.connect()
	c.Want("+OK\r\n", "SET", "k", "v")
	awaited(t, servers)
	servers[0].Kill()
	sentinels[0].Suspect("shop")
	processtest.Eventually(t, "the Sentinels have made another one the primary, and it is used", func() bool {
		return p.connect().Do("SET", "k", "w") == "+OK\r\n"
	})
	for _, s := range sentinels { // one that doesn't know of the failover yet would undo it
		processtest.Eventually(t, "the Sentinels agree", func() bool {
			return !strings.Contains(s.Do("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "shop"), servers[0].Port())
		})
	}
	// The Sentinels make the old one a replica; until then it claims to be the primary.
	servers[0].Restart()
	p.waitFit(servers[0])
	c.Want("$1\r\nw\r\n", "GETEX", "k")
}

// The new primary knows nothing of writes that went to the old one.
func TestWaitSaysNothingOfWritesOverAnotherConnection(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	asks, writes, reads := p.connect(), p.connect(), p.connect()
	asks.Want("+OK\r\n", "SET", "k", "v")
	writes.Want("+OK\r\n", "SET", "k", "v")
	reads.Want("$1\r\nv\r\n", "GET", "k")
	awaited(t, servers)
	servers[0].Kill()
	promote(servers[1], servers[2])
	p.waitPrimary(servers[1])
	asks.Send("WAIT", "1", "10000")
	writes.Want("+OK\r\n", "SET", "k", "w")
	writes.Send("WAIT", "1", "10000")
	for _, c := range []*redistest.Client{asks, writes} {
		if got, err := c.TryRead(); err == nil {
			t.Errorf("got %q", got)
		}
	}
	reads.Want("+OK\r\n", "SET", "k", "x")
	reads.Want(":1\r\n", "WAIT", "1", "10000")
}

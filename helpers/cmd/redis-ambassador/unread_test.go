package main

import (
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// A client may send a pipeline as a whole before it reads: Redis keeps the replies meanwhile.
func TestAPipelineThatIsSentAsAWholeFirst(t *testing.T) {
	t.Parallel()
	value := strings.Repeat("x", 4000)
	get, set := fmt.Sprintf("$4000\r\n%s\r\n", value), "+OK\r\n"
	for name, args := range map[string][]string{
		"Primary":                      nil,
		"PreferReplica":                {"--read-policy", "PreferReplica"},
		"PreferReplica and PinPrimary": {"--read-policy", "PreferReplica", "--read-after-write", "500ms"},
	} {
		servers := trio(t)
		p := ambassador(t, servers, args...)
		redistest.Connect(t, servers[0].Addr).Want("+OK\r\n", "SET", "mid", value)
		awaited(t, servers)
		for between, want := range map[string]string{
			"EVAL return~1 0":          ":1\r\n",
			"MULTI|INCR n|DISCARD":     "+OK\r\n+QUEUED\r\n+OK\r\n",
			"WAIT 0 0":                 "",
			"SELECT 0|GET none":        "+OK\r\n$-1\r\n",
			"SET big k|SELECT 1|RESET": "+OK\r\n+OK\r\n+RESET\r\n",
			"SUBSCRIBE news|RESET":     "*3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n+RESET\r\n",
			"GET none|SYNC|SET big k":  "$-1\r\n-ERR an ambassador doesn't replicate; connect with the server itself\r\n+OK\r\n",
		} {
			t.Run(name+" "+between, func(t *testing.T) {
				c := p.connect()
				sent := make(chan struct{})
				go func() {
					defer close(sent)
					c.SendLines(strings.Repeat("GET mid\n", 5000))
					for command := range strings.SplitSeq(between, "|") {
						args := strings.Fields(command)
						for i := range args {
							args[i] = strings.ReplaceAll(args[i], "~", " ")
						}
						c.Send(args...)
					}
					for range 4000 {
						c.Send("SET", "k", value)
					}
				}()
				processtest.Eventually(t, "everything is sent", func() bool {
					select {
					case <-sent:
						return true
					default:
						return false
					}
				})
				for i := range 5000 {
					if got := c.Read(); got != get {
						t.Fatalf("reply %d: got %.60q", i, got)
					}
				}
				if want == "" {
					c.Read()
				}
				for len(want) > 0 {
					got := c.Read()
					if !strings.HasPrefix(want, got) {
						t.Fatalf("got %q, want %q", got, want)
					}
					want = want[len(got):]
				}
				for i := range 4000 {
					if got := c.Read(); got != set {
						t.Fatalf("reply %d after %s: got %.60q", i, between, got)
					}
				}
			})
		}
	}
}

// There is a bound. Beyond it the connection ends, and the log says why.
func TestAClientThatReadsNothingIsCutOff(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--max-unread-replies", "1Mi")
	redistest.Connect(t, servers[0].Addr).Want("+OK\r\n", "SET", "large", strings.Repeat("x", 16<<20))
	c := p.connect()
	c.Send("GET", "large")
	c.Send("EVAL", "return 1", "0") // it goes over another connection, after the reply
	processtest.Eventually(t, "the client is cut off", func() bool {
		return p.hasMetric(`redis_ambassador_slow_clients_total{upstream="redis"} 1`)
	})
	if !strings.Contains(p.Log(), "it leaves its replies unread, and there is no room for more") {
		t.Errorf("log: %s", p.Log())
	}
	if got := c.ReadAll(); len(got) >= 16<<20 {
		t.Error("the client has got all")
	}
}

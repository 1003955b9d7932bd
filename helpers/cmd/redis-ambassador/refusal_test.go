package main

import (
	"fmt"
	"strings"
	"testing"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/processtest"
)

// commands counts what a server was sent, errors included.
func commands(admin *redistest.Client) (count int) {
	for line := range strings.Lines(admin.Do("INFO", "stats")) {
		for _, name := range []string{"total_commands_processed:", "total_error_replies:"} {
			if rest, ok := strings.CutPrefix(line, name); ok {
				var n int
				_, _ = fmt.Sscan(rest, &n)
				count += n
			}
		}
	}
	return count
}

// A server that answers but doesn't let itself be watched is asked once an interval, and its words are told.
func TestAServerThatRefusesTheChecks(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings, rules []string
		words           []string
	}{
		"a password is wanted": {nil, []string{"resetpass", ">secret"}, []string{"NOAUTH Authentication required.", "redis.authSecretRef"}},
		"no rights, of two":    {nil, []string{"-role", "-info"}, []string{"NOPERM ", "grant the user +role +info +ping +command"}},
		"a cluster":            {[]string{"--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(processtest.FreePort(t))}, nil, []string{"a node of a Redis Cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := redistest.Start(t, test.settings...)
			admin := redistest.Connect(t, server.Addr)
			admin.Want("+OK\r\n", "ACL", "SETUSER", "admin", "on", ">admin", "~*", "+@all")
			admin.Want("+OK\r\n", "AUTH", "admin", "admin")
			if test.rules != nil {
				admin.Want("+OK\r\n", append([]string{"ACL", "SETUSER", "default"}, test.rules...)...)
			}
			args := []string{"--listen", processtest.FreeAddress(t), "--endpoint", server.Addr}
			if strings.Contains(name, "of two") {
				args = append(args, "--endpoint", processtest.FreeAddress(t))
			}
			p := start(t, args...)
			for _, words := range test.words {
				processtest.Eventually(t, "/readyz has "+words, func() bool { _, body := p.get("/readyz"); return strings.Contains(body, words) })
				if !strings.Contains(p.Log(), words) {
					t.Errorf("the log lacks %s", words)
				}
			}
			if _, body := p.get("/readyz"); strings.Contains(body, "REPLICAOF") {
				t.Errorf("an advice that may do damage: %s", body)
			}
			before, lines := commands(admin), strings.Count(p.Log(), "\n")
			client := redistest.Connect(t, args[1])
			if got := client.Do("GET", "k"); !strings.HasPrefix(got, "-MASTERDOWN") || !strings.Contains(got, test.words[0]) {
				t.Errorf("got %q", got)
			}
			// A command waits 3 s for a primary: that is about six checks.
			if n := commands(admin) - before; n > 100 {
				t.Errorf("the server got %d commands meanwhile", n)
			}
			if n := strings.Count(p.Log(), "\n") - lines; n > 2 {
				t.Errorf("%d lines were logged meanwhile", n)
			}
		})
	}
}

// With one endpoint there is nothing to choose.
func TestAUserWithoutTheRightToAskForRoles(t *testing.T) {
	t.Parallel()
	for _, denied := range []string{"-@dangerous", "-@dangerous -command", "-@dangerous -ping", "-@all +@read +@write +blpop"} {
		server := redistest.Start(t)
		admin := redistest.Connect(t, server.Addr)
		admin.Want("+OK\r\n", "ACL", "SETUSER", "admin", "on", ">admin", "~*", "+@all")
		admin.Want("+OK\r\n", "AUTH", "admin", "admin")
		admin.Want("+OK\r\n", append([]string{"ACL", "SETUSER", "default"}, strings.Fields(denied)...)...)
		addr := processtest.FreeAddress(t)
		p := start(t, "--listen", addr, "--endpoint", server.Addr)
		processtest.Eventually(t, denied+": it is served", func() bool { return p.hasMetric(`redis_ambassador_primary_known{upstream="redis"} 1`) })
		c := redistest.Connect(t, addr)
		c.Want("+OK\r\n", "SET", "k", "v")
		c.Want("$1\r\nv\r\n", "GET", "k")
		before := commands(admin)
		c.Send("BLPOP", "list", "1") // a second goes by
		c.Read()
		if n := commands(admin) - before; n > 100 {
			t.Errorf("%s: the server got %d commands in a second", denied, n)
		}
	}
}

func TestTheChecksHaveAUserOfTheirOwn(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	for _, s := range servers {
		s.Do("ACL", "SETUSER", "watch", "on", ">seen", "-@all", "+role", "+info", "+ping", "+command")
		s.Do("ACL", "SETUSER", "default", "-@dangerous", "-@admin")
	}
	c := configured(t, redisSpec(servers, "readPolicy: PreferReplica", "monitorUsername: watch", "monitorAuthSecretRef: {name: watch, key: password}"),
		"watch", "password", "seen")
	c.waitFit(servers...)
	client := c.connect()
	client.Want("+OK\r\n", "SET", "k", "v")
	client.Want("$7\r\ndefault\r\n", "ACL", "WHOAMI")
}

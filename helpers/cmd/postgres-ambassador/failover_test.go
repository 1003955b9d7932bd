package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgtest"
	"podpatterns.dev/helpers/internal/certtest"
	"podpatterns.dev/helpers/internal/dnstest"
	"podpatterns.dev/helpers/internal/processtest"
)

// pair is a primary with a replica, and the ambassador's settings of the ports for both.
func pair(t *testing.T, policy string, fields ...string) (*pod, *pgtest.Server, *pgtest.Server) {
	t.Helper()
	authority := certtest.NewAuthority(t)
	primary := pgtest.Start(t, authority)
	primary.DoIn(pgtest.Database, "CREATE TABLE a (b int); GRANT ALL ON a TO shop")
	replica := primary.Standby()
	primary.Synced(replica)
	p := begin(t)
	fields = append(fields, verified, p.withReads(policy))
	p.configure(p.spec([]*pgtest.Server{primary, replica}, fields...), "secrets/ca/ca.crt", authority.PEM)
	p.run()
	p.await("/readyz", http.StatusOK, "ok")
	p.await("/metrics", http.StatusOK, `role="replica"} 1`)
	return p, primary, replica
}

func portOf(s *pgtest.Server) string { return strconv.Itoa(s.Port) }

func TestAFailoverIsFollowed(t *testing.T) {
	t.Parallel()
	p, primary, replica := pair(t, "PreferReplica")
	p.want(p.port, whichPort, portOf(primary))
	p.want(p.reads, whichPort, portOf(replica))
	if _, err := p.psql(p.reads, "INSERT INTO a VALUES (0)"); err == nil {
		t.Error("a replica takes writes")
	}
	p.want(p.port, "INSERT INTO a VALUES (1) RETURNING b", "1")
	primary.Synced(replica)

	primary.Stop()
	stopped := time.Now()
	// A client that comes meanwhile waits.
	waiting := make(chan error, 1)
	go func() {
		answer, err := p.psql(p.port, "INSERT INTO a VALUES (2) RETURNING b")
		if err != nil {
			err = fmt.Errorf("%w: %s", err, answer)
		}
		waiting <- err
	}()
	p.await("/readyz", http.StatusServiceUnavailable, "no primary: ")
	replica.Promote()
	promoted := time.Now()
	p.await("/readyz", http.StatusOK, "ok")
	t.Logf("followed %s after the promotion", time.Since(promoted))
	if time.Since(promoted) > 5*time.Second {
		t.Error("the promoted server was found late")
	}
	if err := <-waiting; err != nil {
		t.Errorf("a client that waited for %s was refused: %v", time.Since(stopped), err)
	}
	p.want(p.port, "SELECT count(*) FROM a", "2")
	p.want(p.reads, whichPort, portOf(replica)) // there is no other one
	p.await("/metrics", http.StatusOK, `postgres_ambassador_failovers_total{upstream="db"} 1`)

	// The old primary comes back as it was: nobody writes there.
	primary.Restart()
	p.await("/metrics", http.StatusOK, `server="`+primary.Addr+`",role="primary"} 0`)
	p.Eventually("the log tells of it", func() bool { return strings.Contains(p.Log(), "a server answers") })
	p.want(p.port, whichPort, portOf(replica))
	replica.Stop()
	p.await("/readyz", http.StatusServiceUnavailable, primary.Addr+" is a primary from before a promotion")
}

func TestConnectionsToAPrimaryThatHangsAreClosedWhenAnotherIsPromoted(t *testing.T) {
	t.Parallel()
	p, primary, replica := pair(t, "Replica")
	held, reading := p.connect(p.port), p.connect(p.reads)
	for _, conn := range []*pgconn.PgConn{held, reading} {
		if _, err := ask(conn, "SELECT 1"); err != nil {
			t.Fatal(err)
		}
	}
	primary.Hang(true)
	replica.Promote()
	_, err := ask(held, "INSERT INTO a VALUES (1)")
	if err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the connection to the hanging server: %v", err)
	}
	p.Eventually("the promoted server gets connections", func() bool {
		answer, _ := p.psql(p.port, whichPort)
		return answer == portOf(replica)
	})
	if answer, err := ask(reading, "SELECT 1"); answer != "1" {
		t.Error("a reading client was lost:", err)
	}
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: db.reads (no replica: ")
}

func TestReadsGoBackToReplicas(t *testing.T) {
	t.Parallel()
	p, primary, replica := pair(t, "PreferReplica")
	replica.Stop()
	p.Eventually("reads go to the primary", func() bool {
		answer, _ := p.psql(p.reads, whichPort)
		return answer == portOf(primary)
	})
	replica.Restart()
	// Pooled connections lead to the primary still.
	p.Eventually("reads go to the replica", func() bool {
		answer, _ := p.psql(p.reads, whichPort)
		return answer == portOf(replica)
	})
}

// A headless Service has the addresses of all servers under one name.
func TestANameStandsForAllServers(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, nil)
	dns := dnstest.Start(t)
	dns.Set("pg.test", server.Address())
	p := begin(t)
	p.configure(p.specOf("pg.test.:" + portOf(server)))
	p.run("--nameserver", dns.Address)
	p.await("/readyz", http.StatusOK, "ok")
	dns.Silence(true)
	p.Eventually("DNS is missed", func() bool { return strings.Contains(p.Log(), "DNS fails, the last known addresses stay in use") })
	p.want(p.port, "SELECT 1", "1")
	if status, body := processtest.Get("http://" + p.metrics + "/readyz"); status != http.StatusOK {
		t.Error(status, body)
	}
}

func TestTransactionsShareConnections(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, nil)
	p := start(t, []*pgtest.Server{server}, "pooling: {mode: Transaction, size: 2}")
	p.await("/readyz", http.StatusOK, "ok")
	pids := map[string]bool{}
	var clients []*pgconn.PgConn
	for range 10 {
		clients = append(clients, p.connect(p.port))
	}
	for _, client := range clients {
		pid, err := ask(client, "SELECT pg_backend_pid()")
		if err != nil {
			t.Fatal(err)
		}
		pids[pid] = true
	}
	if len(pids) > 2 {
		t.Errorf("%d connections for a pool of 2", len(pids))
	}
	for _, client := range clients[:2] {
		if _, err := ask(client, "BEGIN"); err != nil {
			t.Fatal(err)
		}
	}
	waiting := make(chan error, 1)
	go func() {
		_, err := ask(clients[2], "SELECT 1")
		waiting <- err
	}()
	p.await("/metrics", http.StatusOK, `postgres_ambassador_clients_waiting{upstream="db",port="db",database="shop"} 1`)
	if _, err := ask(clients[0], "COMMIT"); err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Error(err)
	}
}

func TestAQueryIsCancelled(t *testing.T) {
	t.Parallel()
	p, _, _ := pair(t, "Replica")
	for _, port := range []int{p.port, p.reads} {
		conn := p.connect(port)
		answered := make(chan error, 1)
		go func() {
			_, err := ask(conn, "SELECT pg_sleep(60)")
			answered <- err
		}()
		p.Eventually("the query runs", func() bool {
			n, _ := p.psql(port, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'")
			return n == "1"
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		if err := conn.CancelRequest(ctx); err != nil {
			t.Fatal(err)
		}
		if err := <-answered; err == nil || !strings.Contains(err.Error(), "canceling statement due to user request") {
			t.Error(err)
		}
	}
}

func TestAClientInUseHasTimeToEnd(t *testing.T) {
	t.Parallel()
	p := start(t, []*pgtest.Server{pgtest.Start(t, nil)})
	p.await("/readyz", http.StatusOK, "ok")
	conn, idle := p.connect(p.port), p.connect(p.port)
	if _, err := ask(idle, "SELECT 1"); err != nil {
		t.Fatal(err)
	}
	p.Terminate()
	p.Eventually("it drains", func() bool { return strings.Contains(p.Log(), "draining") })
	// Longer than idle clients are waited for.
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if answer, err := ask(conn, "SELECT 1"); answer != "1" {
			t.Fatal(answer, err)
		}
	}
	if err := conn.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code := p.Wait(); code != 0 {
		t.Errorf("exit status %d", code)
	}
}

package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgtest"
	"podpatterns.dev/helpers/internal/processtest"
	"podpatterns.dev/helpers/internal/volumetest"
)

func TestMain(m *testing.M) { processtest.Main(m, main, pgtest.Tidy) }

// pod is the program at work, with the volume of its configuration and Secrets.
type pod struct {
	*processtest.Process
	t       *testing.T
	volume  *volumetest.Volume
	port    int
	reads   int
	metrics string
}

// begin makes a pod whose program does not run yet.
func begin(t *testing.T) *pod {
	t.Helper()
	return &pod{t: t, volume: volumetest.New(t), port: processtest.FreePort(t), reads: processtest.FreePort(t), metrics: processtest.FreeAddress(t)}
}

// spec returns a configuration for servers, with more fields of `postgres`.
func (p *pod) spec(servers []*pgtest.Server, fields ...string) string {
	var endpoints []string
	for _, s := range servers {
		endpoints = append(endpoints, strconv.Quote(s.Addr))
	}
	return p.specOf(strings.Join(endpoints, ", "), fields...)
}

func (p *pod) specOf(endpoints string, fields ...string) string {
	all := append([]string{"endpoints: [" + endpoints + "]", "username: " + pgtest.User, "authSecretRef: {name: pg, key: password}"}, fields...)
	return fmt.Sprintf("upstreams:\n- name: db\n  protocol: postgres\n  listen: {port: %d}\n  healthCheck: {interval: 100ms}\n  postgres:\n    %s\n",
		p.port, strings.Join(all, "\n    "))
}

// configure writes the configuration, and other files as the kubelet does.
func (p *pod) configure(spec string, files ...string) {
	p.t.Helper()
	p.volume.Set(append([]string{"postgres.yaml", spec, "secrets/pg/password", pgtest.Password + "\n"}, files...)...)
}

// run starts the program. It has to stop in good order when the test ends.
func (p *pod) run(arguments ...string) *pod {
	p.t.Helper()
	p.Process = processtest.Start(p.t, append(p.arguments(), arguments...)...)
	p.t.Cleanup(func() {
		if p.t.Failed() {
			for _, path := range []string{"/readyz", "/config", "/metrics"} {
				status, body := processtest.Get("http://" + p.metrics + path)
				p.t.Logf("%s: %d\n%s", path, status, body)
			}
		}
		if p.Ended() {
			return
		}
		p.Terminate()
		if code := p.Wait(); code != 0 {
			p.t.Errorf("exit status %d", code)
		}
	})
	return p
}

func (p *pod) arguments() []string {
	p.t.Helper()
	run, err := os.MkdirTemp("", "pga") // a socket's path has at most 107 bytes
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { os.RemoveAll(run) })
	script := "#!/bin/sh\nexec " + strings.Join(append(pgtest.Unprivileged(), "pgbouncer"), " ") + " \"$@\"\n"
	program := filepath.Join(run, "pgbouncer")
	if err := os.WriteFile(program, []byte(script), 0o755); err != nil {
		p.t.Fatal(err)
	}
	return []string{"--config", filepath.Join(p.volume.Directory, "postgres.yaml"), "--secrets", filepath.Join(p.volume.Directory, "secrets"),
		"--metrics", p.metrics, "--run", filepath.Join(run, "r"), "--pgbouncer", program}
}

// start runs the program for servers.
func start(t *testing.T, servers []*pgtest.Server, fields ...string) *pod {
	t.Helper()
	p := begin(t)
	p.configure(p.spec(servers, fields...))
	return p.run()
}

func (p *pod) withReads(policy string) string {
	return fmt.Sprintf("reads: {listen: {port: %d}, policy: %s}", p.reads, policy)
}

// await waits for a page with a status and a text.
func (p *pod) await(path string, status int, text string) {
	p.t.Helper()
	p.Eventually(fmt.Sprintf("%s has status %d and %q", path, status, text), func() bool {
		got, body := processtest.Get("http://" + p.metrics + path)
		return got == status && strings.Contains(body, text)
	})
}

// psql asks as an application without a password does, by libpq.
func (p *pod) psql(port int, sql string) (string, error) {
	command := exec.Command(filepath.Join(pgtest.Programs(), "psql"), "-qAtX", "-h", "127.0.0.1", "-p", strconv.Itoa(port), "-U", pgtest.User, "-d", pgtest.Database, "-c", sql)
	output, err := command.CombinedOutput()
	return strings.TrimSpace(string(output)), err
}

func (p *pod) want(port int, sql, answer string) {
	p.t.Helper()
	if got, err := p.psql(port, sql); err != nil || got != answer {
		p.t.Fatalf("%s: %q %v, want %q", sql, got, err, answer)
	}
}

// connect is a client that stays.
func (p *pod) connect(port int) *pgconn.PgConn {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	conn, err := pgconn.Connect(ctx, fmt.Sprintf("host=127.0.0.1 port=%d user=%s dbname=%s sslmode=disable", port, pgtest.User, pgtest.Database))
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(ctx)
	})
	return conn
}

func ask(conn *pgconn.PgConn, sql string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	results, err := conn.Exec(ctx, sql).ReadAll()
	if err != nil || len(results) == 0 || len(results[0].Rows) == 0 {
		return "", err
	}
	return string(results[0].Rows[0][0]), nil
}

// answers returns how many queries were answered within so many seconds.
func (p *pod) answers(bound string) int {
	_, page := processtest.Get("http://" + p.metrics + "/metrics")
	_, value, _ := strings.Cut(page, `query_duration_seconds_bucket{upstream="db",port="db",le="`+bound+`"} `)
	value, _, _ = strings.Cut(value, "\n")
	count, err := strconv.Atoi(value)
	if err != nil {
		p.t.Error(err)
	}
	return count
}

const whichPort = "SELECT current_setting('port')"

func TestAServerWithoutTLS(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, nil)
	p := start(t, []*pgtest.Server{server})
	p.await("/readyz", http.StatusOK, "ok")
	p.want(p.port, "SELECT current_user", pgtest.User)
	p.want(p.port, "CREATE TABLE a (b int); INSERT INTO a VALUES (1); SELECT b FROM a", "1")
	if got, err := p.psql(p.port, "SELECT nothing"); err == nil || !strings.Contains(got, `column "nothing" does not exist`) {
		t.Error(got, err)
	}
	p.await("/metrics", http.StatusOK, `postgres_ambassador_server_fit{upstream="db",server="`+server.Addr+`",role="primary"} 1`)
	p.await("/metrics", http.StatusOK, `postgres_ambassador_servers_idle{upstream="db",port="db",database="shop"} 1`)
	p.await("/metrics", http.StatusOK, `postgres_ambassador_errors_total{upstream="db",port="db",class="reply"} 1`)
	p.want(p.port, "SELECT 'late' FROM pg_sleep(0.3)", "late")
	if fast, all := p.answers("0.25"), p.answers("+Inf"); fast == 0 || fast != all-1 {
		t.Errorf("of %d queries %d were fast", all, fast)
	}
	p.await("/healthz", http.StatusOK, "ok")
	conn, err := net.Dial("tcp", net.JoinHostPort("::1", strconv.Itoa(p.port)))
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
}

// Nobody but the ambassador has PgBouncer's console, and nobody else's name is taken.
func TestAClientIsWhoTheAmbassadorIs(t *testing.T) {
	t.Parallel()
	p := start(t, []*pgtest.Server{pgtest.Start(t, nil)}, "database: "+pgtest.Database)
	p.await("/readyz", http.StatusOK, "ok")
	p.want(p.port, "SELECT current_user", pgtest.User)
	for settings, why := range map[string]string{
		"user=shop dbname=pgbouncer": "not allowed",
		"user=other dbname=shop":     "authentication failed",
		"user=shop dbname=postgres":  "no such database: postgres",
	} {
		_, err := pgconn.Connect(t.Context(), fmt.Sprintf("host=127.0.0.1 port=%d %s sslmode=disable", p.port, settings))
		if err == nil || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: %v, want %q", settings, err, why)
		}
	}
}

func TestAWrongPasswordIsToldAndARightOneTakenUp(t *testing.T) {
	t.Parallel()
	server := pgtest.Start(t, nil)
	p := begin(t)
	p.configure(p.spec([]*pgtest.Server{server}), "secrets/pg/password", "wrong")
	p.run()
	p.await("/readyz", http.StatusServiceUnavailable, "no healthy endpoint for: db (no primary: "+server.Addr+`: password authentication failed for user "shop")`)
	p.volume.Set("secrets/pg/password", pgtest.Password)
	p.await("/readyz", http.StatusOK, "ok")
	p.want(p.port, "SELECT 1", "1")
	held := p.connect(p.port)
	server.Do("ALTER USER shop PASSWORD 'another'")
	p.volume.Set("secrets/pg/password", "another")
	p.Eventually("new connections log in with the new password", func() bool {
		got, _ := p.psql(p.port, "BEGIN; SELECT pg_backend_pid() > 0")
		return got == "t" && strings.Count(p.Log(), "the configuration has changed") == 2
	})
	if answer, err := ask(held, "SELECT 2"); answer != "2" {
		t.Error("a client was lost:", err)
	}
}

func TestItsLastWordsAreWhyItEnded(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { taken.Close() })
	p := begin(t)
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	p.port, _ = strconv.Atoi(port)
	p.configure(p.specOf("127.0.0.1:1"))
	words := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(words, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.run("--termination-log", words)
	if code := p.Wait(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	want := "upstreams[0].listen.port: pgbouncer: cannot listen on 127.0.0.1:" + port
	if content, err := os.ReadFile(words); err != nil || !strings.HasPrefix(string(content), want) {
		t.Errorf("%q %v, want %q", content, err, want)
	}
}

func TestItEndsWithPgBouncer(t *testing.T) {
	t.Parallel()
	p := begin(t)
	p.configure(p.specOf("127.0.0.1:1"))
	words := filepath.Join(t.TempDir(), "termination-log")
	if err := os.WriteFile(words, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.run("--termination-log", words)
	p.await("/healthz", http.StatusOK, "ok")
	children, err := exec.Command("ps", "-o", "pid=", "--ppid", strconv.Itoa(p.PID())).Output()
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(children)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if code := p.Wait(); code != 1 {
		t.Errorf("exit status %d", code)
	}
	if content, err := os.ReadFile(words); err != nil || !strings.HasPrefix(string(content), "pgbouncer of db has ended: signal: killed") {
		t.Errorf("%q %v", content, err)
	}
}

func TestAClientIsToldWhyThereIsNoPrimary(t *testing.T) {
	t.Parallel()
	p := begin(t)
	p.configure(p.specOf("127.0.0.1:1"))
	p.run()
	p.await("/readyz", http.StatusServiceUnavailable, "connection refused")
	got, err := p.psql(p.port, "SELECT 1")
	if err == nil || !strings.Contains(got, "FATAL:  no primary: 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused") {
		t.Error(got, err)
	}
}

func TestARefusedConfigurationChangesNothing(t *testing.T) {
	t.Parallel()
	servers := []*pgtest.Server{pgtest.Start(t, nil)}
	p := start(t, servers)
	p.await("/readyz", http.StatusOK, "ok")
	held := p.connect(p.port)
	for spec, message := range map[string]string{
		p.spec(servers, "pooling: {mode: Statement}"):                              `upstreams[0].postgres.pooling.mode: "Statement" is unknown`,
		p.spec(servers, "pooling: {size: -1}"):                                     "upstreams[0].postgres.pooling.size: -1 is not from 1 to 4000",
		p.spec(servers, "database: pgbouncer"):                                     `upstreams[0].postgres.database: "pgbouncer"`,
		p.spec(servers, "tls: {caSecretRef: {name: absent, key: ca.crt}}"):         "upstreams[0].postgres.tls.caSecretRef: Secret absent, key ca.crt, cannot be read",
		p.spec(servers, fmt.Sprintf("reads: {listen: {port: %d}}", p.port)):        "is upstreams[0].listen.port already",
		p.specOf(`"127.0.0.1"`):                                                    `upstreams[0].postgres.endpoints[0]: "127.0.0.1" is not host:port`,
		strings.Replace(p.spec(servers), "protocol: postgres", "protocol: tcp", 1): "upstreams[0].postgres: missing",
	} {
		p.configure(spec)
		p.await("/config", http.StatusOK, message)
		p.await("/metrics", http.StatusOK, "postgres_ambassador_config_valid 0\n")
		if answer, err := ask(held, "SELECT 1"); answer != "1" {
			t.Fatal(answer, err)
		}
	}
	for password, message := range map[string]string{
		strings.Repeat("x", 1001): "upstreams[0].postgres.authSecretRef: the password has 1001 bytes, of which PgBouncer takes 1000",
		"two\nlines":              "upstreams[0].postgres.authSecretRef: the password has several lines",
	} {
		p.configure(p.spec(servers), "secrets/pg/password", password)
		p.await("/config", http.StatusOK, message)
	}
	p.configure(p.spec(servers, "pooling: {mode: Transaction, size: 5}"))
	p.await("/metrics", http.StatusOK, "postgres_ambassador_config_valid 1\n")
	if answer, err := ask(held, "SELECT 1"); answer != "1" {
		t.Fatal(answer, err)
	}
}

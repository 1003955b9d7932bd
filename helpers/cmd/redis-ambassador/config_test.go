package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/redistest"
	"podpatterns.dev/helpers/internal/certtest"
	"podpatterns.dev/helpers/internal/processtest"
)

// redisSpec is the spec of an Ambassador with an upstream called cache; fields are those of redis. PORT stands for
// where it listens.
func redisSpec(servers []*redistest.Server, fields ...string) string {
	var b strings.Builder
	b.WriteString("mode: Proxy\ntemplate: {spec: {containers: [{name: app, image: shop}]}}\nupstreams:\n" +
		"- {name: api, protocol: http, listen: {port: 1}, endpoints: [\"api:80\"]}\n" +
		"- name: cache\n  protocol: redis\n  listen: {port: PORT}\n  redis:\n    endpoints:\n")
	for _, s := range servers {
		fmt.Fprintf(&b, "    - %s\n", s.Addr)
	}
	for _, field := range fields {
		fmt.Fprintf(&b, "    %s\n", field)
	}
	return b.String()
}

// configMap is a directory as a ConfigMap or Secret volume is one: files are symlinks through ..data, which is swapped.
type configMap struct {
	t        *testing.T
	dir      string
	versions int
}

func newConfigMap(t *testing.T, dir string) *configMap { return &configMap{t: t, dir: dir} }

// set makes these the files: names and contents.
func (m *configMap) set(files ...string) {
	m.t.Helper()
	m.versions++
	version := fmt.Sprintf("..version%d", m.versions)
	link := filepath.Join(m.dir, "..data")
	errs := []error{os.MkdirAll(filepath.Join(m.dir, version), 0o755)}
	for i := 0; i < len(files); i += 2 {
		errs = append(errs, os.WriteFile(filepath.Join(m.dir, version, files[i]), []byte(files[i+1]), 0o600))
	}
	errs = append(errs, os.Symlink(version, link+"_tmp"), os.Rename(link+"_tmp", link))
	if err := errors.Join(errs...); err != nil {
		m.t.Fatal(err)
	}
	for i := 0; i < len(files); i += 2 {
		_ = os.Symlink(filepath.Join("..data", files[i]), filepath.Join(m.dir, files[i]))
	}
}

// withConfig is an ambassador that is configured by a file.
type withConfig struct {
	*process
	file    *configMap
	secrets string
	port    string
}

// setCertificate makes a Secret of type kubernetes.io/tls; both keys change at once.
func (c *withConfig) setCertificate(t *testing.T, name, cert, key string) {
	t.Helper()
	dir := filepath.Join(c.secrets, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m := newConfigMap(t, dir)
	m.versions = int(time.Now().UnixNano())
	m.set("tls.crt", cert, "tls.key", key)
}

// configured runs one with a spec.
func configured(t *testing.T, spec string, secrets ...string) *withConfig {
	t.Helper()
	c := &withConfig{file: newConfigMap(t, t.TempDir()), secrets: t.TempDir()}
	addr := processtest.FreeAddress(t)
	_, c.port, _ = net.SplitHostPort(addr)
	for i := 0; i < len(secrets); i += 3 {
		if secrets[i+1] == "tls.crt" {
			c.setCertificate(t, secrets[i], secrets[i+2], secrets[i+5])
			i += 3
			continue
		}
		c.setSecret(t, secrets[i], secrets[i+1], secrets[i+2])
	}
	c.set(spec)
	c.process = start(t, "--config", filepath.Join(c.file.dir, "spec.yaml"), "--secrets", c.secrets)
	c.addr = addr
	return c
}

func (c *withConfig) set(spec string) string {
	spec = strings.Replace(spec, "PORT", c.port, 1)
	c.file.set("spec.yaml", spec)
	sum := sha256.Sum256([]byte(spec))
	return hex.EncodeToString(sum[:])[:10]
}

func (c *withConfig) setSecret(t *testing.T, name, key, value string) {
	t.Helper()
	dir := filepath.Join(c.secrets, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	m := newConfigMap(t, dir)
	m.versions = int(time.Now().UnixNano())
	m.set(key, value)
}

func (c *withConfig) waitHash(hash string) {
	c.t.Helper()
	processtest.Eventually(c.t, "the configuration is "+hash, func() bool {
		_, body := c.get("/config")
		return body == hash+"\n"
	})
}

func TestReloadKeepsClients(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	c := configured(t, redisSpec(servers[:1]))
	c.waitFit(servers[0])
	client, held := c.connect(), c.connect()
	client.Want("+OK\r\n", "SET", "k", "v")
	held.Want("+OK\r\n", "MULTI")
	held.Want("+QUEUED\r\n", "GET", "k")
	c.waitHash(c.set(redisSpec(servers, "readPolicy: Replica")))
	c.waitFit(servers...)
	client.Want("$1\r\nv\r\n", "GET", "k")
	held.Want("*1\r\n$1\r\nv\r\n", "EXEC")
	if servers[1].Calls("get")+servers[2].Calls("get") != 1 {
		t.Error("the new policy doesn't hold")
	}
}

func TestABadConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	good := redisSpec(servers)
	c := configured(t, good)
	c.waitFit(servers...)
	client := c.connect()
	hash := c.set(good)
	for spec, message := range map[string]string{
		redisSpec(servers, "readPolicy: Nearest"):                              `upstreams[1].redis.readPolicy: \"Nearest\" is none of`,
		redisSpec(servers, "readAfterWrite: {window: soon}"):                   `upstreams[1].redis.readAfterWrite.window: \"soon\" is not a duration`,
		redisSpec(servers, "authSecretRef: {name: absent, key: password}"):     `upstreams[1].redis.authSecretRef: Secret absent, key password, cannot be read`,
		redisSpec(servers, "colour: red"):                                      `field colour not found`,
		strings.Replace(good, servers[0].Addr, "127.0.0.1", 1):                 `upstreams[1].redis.endpoints[0]: \"127.0.0.1\" is not host:port`,
		good + "- {name: twice, protocol: tcp, listen: {port: " + "1" + "}}\n": `upstreams[2].listen.port: 1 is upstreams[0].listen.port already`,
		"proxy: {startWhen: Later}\n" + good:                                   `proxy.startWhen: \"Later\" is unknown`,
		"upstreams: {":                                                         `not an Ambassador's spec`,
	} {
		c.set(spec)
		processtest.Eventually(t, "the log has "+message, func() bool { return strings.Contains(c.Log(), message) })
		processtest.Eventually(t, "it is not valid", func() bool { return c.hasMetric("redis_ambassador_config_valid 0") })
		client.Want("+OK\r\n", "SET", "k", "v")
		_, body := c.get("/config")
		running, why, _ := strings.Cut(body, "\n")
		if running != hash || !strings.Contains(why, strings.ReplaceAll(message, `\"`, `"`)) {
			t.Errorf("/config is %q, want %s and why not the newest", body, hash)
		}
	}
	c.set(good)
	processtest.Eventually(t, "it is valid again", func() bool { return c.hasMetric("redis_ambassador_config_valid 1") })
}

func TestUpstreamsComeAndGo(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	c := configured(t, redisSpec(servers))
	c.waitFit(servers...)
	client := c.connect()
	client.Want("+OK\r\n", "SET", "k", "v")
	second := processtest.FreeAddress(t)
	_, port, _ := net.SplitHostPort(second)
	c.waitHash(c.set(redisSpec(servers) + fmt.Sprintf("- {name: other, protocol: redis, listen: {port: %s}, redis: {endpoints: [%q]}}\n", port, servers[0].Addr)))
	redistest.Connect(t, second).Want("+OK\r\n", "SET", "k", "w")
	client.Want("$1\r\nw\r\n", "GET", "k")
	c.waitHash(c.set("upstreams: []\n"))
	if got, err := client.TryRead(); err == nil {
		t.Errorf("got %q from an upstream that is gone", got)
	}
	if conn, err := net.Dial("tcp", c.addr); err == nil {
		conn.Close()
		t.Error("an upstream that is gone takes clients")
	}
}

func TestTLSAndRotatedSecrets(t *testing.T) {
	t.Parallel()
	authority := certtest.NewAuthority(t)
	addr := processtest.FreeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(addr)
	server := redistest.Start(t, redistest.TLSSettings(t, authority, "redis.example", tlsPort)...)
	server.Do("CONFIG", "SET", "requirepass", "first")
	fields := []string{"tls: {serverName: redis.example, caSecretRef: {name: ca, key: ca.crt}}", "authSecretRef: {name: redis, key: password}"}
	spec := strings.Replace(redisSpec([]*redistest.Server{server}, fields...), server.Addr, addr, 1)
	c := configured(t, spec, "ca", "ca.crt", authority.PEM, "redis", "password", "first\n")
	waitKnown := func() {
		t.Helper()
		processtest.Eventually(t, "the primary is known", func() bool { return c.hasMetric(`redis_ambassador_primary_known{upstream="cache"} 1`) })
	}
	waitKnown()
	old := c.connect()
	value := strings.Repeat("x", 1<<20)
	old.Want("+OK\r\n", "SET", "k", value)
	old.Want(fmt.Sprintf("$%d\r\n%s\r\n", len(value), value), "GET", "k")

	admin := redistest.Connect(t, server.Addr)
	admin.Want("+OK\r\n", "AUTH", "first")
	admin.Want("+OK\r\n", "CONFIG", "SET", "requirepass", "second")
	c.setSecret(t, "redis", "password", "second")
	processtest.Eventually(t, "new connections log in with the new password", func() bool { return c.connect().Do("INCR", "n")[0] == ':' })
	old.Want("+OK\r\n", "SET", "k", "v")

	// A client's own password counts for more.
	admin.Want("+OK\r\n", "ACL", "SETUSER", "app", "on", ">mine", "~*", "+@all")
	own := c.connect()
	own.Want("+OK\r\n", "AUTH", "app", "mine")
	own.Want("$3\r\napp\r\n", "ACL", "WHOAMI")
	own.Want("+RESET\r\n", "RESET")
	own.Want("$7\r\ndefault\r\n", "ACL", "WHOAMI")

	// A certificate of another authority is not trusted.
	c.setSecret(t, "ca", "ca.crt", certtest.NewAuthority(t).PEM)
	processtest.Eventually(t, "the server isn't trusted any more", func() bool {
		return strings.Contains(c.Log(), "certificate signed by unknown authority")
	})
}

func TestTLSWithoutAnAuthorityTrustsTheSystems(t *testing.T) {
	authority := certtest.NewAuthority(t)
	addr := processtest.FreeAddress(t)
	_, tlsPort, _ := net.SplitHostPort(addr)
	server := redistest.Start(t, redistest.TLSSettings(t, authority, "redis.example", tlsPort)...)
	spec := strings.Replace(redisSpec([]*redistest.Server{server}, "tls: {serverName: redis.example}"), server.Addr, addr, 1)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, []byte(authority.PEM), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_DIR", t.TempDir())
	t.Setenv("SSL_CERT_FILE", file)
	c := configured(t, spec)
	processtest.Eventually(t, "the server is trusted", func() bool { return c.hasMetric(`redis_ambassador_primary_known{upstream="cache"} 1`) })
	c.connect().Want("+PONG\r\n", "PING")
}

func TestDrain(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers)
	idle, busy, transaction := p.connect(), p.connect(), p.connect()
	idle.Want("+PONG\r\n", "PING")
	busy.Send("BLPOP", "list", "0")
	transaction.Want("+OK\r\n", "MULTI")
	processtest.Eventually(t, "BLPOP waits", func() bool {
		return strings.Contains(servers[0].Do("INFO", "clients"), "blocked_clients:1")
	})
	p.Terminate()
	if got, err := idle.TryRead(); err == nil {
		t.Errorf("got %q", got)
	}
	if conn, err := net.Dial("tcp", p.addr); err == nil {
		conn.Close()
		t.Error("a new client is taken")
	}
	transaction.Want("+QUEUED\r\n", "INCR", "n")
	transaction.Want("*1\r\n:1\r\n", "EXEC")
	servers[0].Do("RPUSH", "list", "x")
	if got := busy.Read(); got != "*2\r\n$4\r\nlist\r\n$1\r\nx\r\n" {
		t.Errorf("got %q", got)
	}
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestDrainEndsInTime(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	p := ambassador(t, servers, "--drain-timeout", "300ms")
	busy := p.connect()
	busy.Send("BLPOP", "list", "0")
	processtest.Eventually(t, "BLPOP waits", func() bool {
		return strings.Contains(servers[0].Do("INFO", "clients"), "blocked_clients:1")
	})
	p.Terminate()
	if code := p.Wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestMaxConnections(t *testing.T) {
	t.Parallel()
	servers := trio(t)
	c := configured(t, redisSpec(servers)+"  circuitBreaker: {maxConnections: 2}\n")
	c.waitFit(servers...)
	first, second := c.connect(), c.connect()
	first.Want("+PONG\r\n", "PING")
	second.Want("+PONG\r\n", "PING")
	third := c.connect()
	third.Send("PING")
	if !third.Silent(200 * time.Millisecond) {
		t.Fatal("a third client is served")
	}
	first.Close()
	if got := third.Read(); got != "+PONG\r\n" {
		t.Fatalf("got %q", got)
	}
}

func TestWrongUse(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args    []string
		code    int
		message string
	}{
		{nil, 2, "--listen: missing"},
		{[]string{"--listen", "127.0.0.1:0"}, 2, "--endpoint: missing"},
		{[]string{"--listen", "127.0.0.1:0", "--endpoint", "redis"}, 2, "is not host:port"},
		{[]string{"--listen", "127.0.0.1:0", "--endpoint", "a:1", "--read-policy", "Nearest"}, 2, "--read-policy: "},
		{[]string{"--config", "/nonexistent", "--listen", ":1"}, 2, "--listen: --config says it already"},
		{[]string{"--config", "/nonexistent"}, 1, "--config: open /nonexistent"},
		{[]string{"--nonsense"}, 2, "--help lists the flags"},
	} {
		p := start(t, test.args...)
		if code := p.Wait(); code != test.code || !strings.Contains(p.Log(), test.message) {
			t.Errorf("%q: exit code %d, %s", test.args, code, p.Log())
		}
	}
}

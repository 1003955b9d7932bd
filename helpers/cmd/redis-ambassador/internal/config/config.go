// Package config reads an Ambassador's spec, the part of it that is Redis'.
// operator/podpatterns/api is its schema; what a field means is told there.
package config

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/session"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/configfile"
	"podpatterns.dev/helpers/internal/loopback"
	"podpatterns.dev/helpers/internal/secretfile"
)

// Config holds the upstreams to serve.
type Config struct {
	Upstreams    []Upstream
	StartHealthy bool   // the application waits until the required upstreams have had a primary
	MetricsPort  int    // 0: none is configured
	Hash         string // of the file's bytes: the beginning of their SHA-256
}

// Upstream is one service of the kind redis.
type Upstream struct {
	Name           string
	Field          string // where it is in the file, for messages
	Listen         []string
	Optional       bool // the Pod is ready without it
	Servers        topology.Settings
	Policy         session.Policy
	MaxConnections int // 0: no limit
}

// The defaults of the API, and those of a redis upstream for what the API leaves to it.
const (
	defaultMetricsPort = 8404
	DefaultInterval    = 500 * time.Millisecond
	DefaultThreshold   = 3
	defaultAfterWrite  = 500 * time.Millisecond
)

type spec struct {
	Upstreams []struct {
		Name           string
		Protocol       string
		Listen         struct{ Port int }
		Required       *bool
		Redis          yaml.Node
		CircuitBreaker struct {
			MaxConnections int `yaml:"maxConnections"`
		} `yaml:"circuitBreaker"`
		HealthCheck struct {
			Interval           string
			UnhealthyThreshold int `yaml:"unhealthyThreshold"`
		} `yaml:"healthCheck"`
	}
	Proxy struct {
		StartWhen   string `yaml:"startWhen"`
		MetricsPort int    `yaml:"metricsPort"`
	}
}

type redis struct {
	Endpoints      []string
	ReadPolicy     string `yaml:"readPolicy"`
	ReadAfterWrite *struct {
		Policy string
		Window string
	} `yaml:"readAfterWrite"`
	MaxReplicaLag string `yaml:"maxReplicaLag"`
	// MaxUnreadReplies is a quantity of bytes.
	MaxUnreadReplies string          `yaml:"maxUnreadReplies"`
	Username         string          `yaml:"username"`
	AuthSecretRef    *secretfile.Ref `yaml:"authSecretRef"`
	// The checks' own user.
	MonitorUsername      string          `yaml:"monitorUsername"`
	MonitorAuthSecretRef *secretfile.Ref `yaml:"monitorAuthSecretRef"`
	TLS                  *secretfile.TLS `yaml:"tls"`
	// Reads have a port of their own; the other one is the primary's.
	Reads *struct {
		Listen struct{ Port int }
		Env    any
	}
	Sentinel *struct {
		MasterName    string          `yaml:"masterName"`
		Username      string          `yaml:"username"`
		AuthSecretRef *secretfile.Ref `yaml:"authSecretRef"`
	} `yaml:"sentinel"`
}

// parse reads a spec. Its error names the field.
func parse(file []byte, secrets secretfile.Secrets) (Config, error) {
	var s spec
	if err := yaml.Unmarshal(file, &s); err != nil {
		return Config{}, fmt.Errorf("not an Ambassador's spec: %w", err)
	}
	c := Config{MetricsPort: cmp.Or(s.Proxy.MetricsPort, defaultMetricsPort), Hash: configfile.Hash(file)}
	switch s.Proxy.StartWhen {
	case "", "Listening":
	case "Healthy":
		c.StartHealthy = true
	default:
		return Config{}, fmt.Errorf("proxy.startWhen: %q is unknown; write Listening or Healthy", s.Proxy.StartWhen)
	}
	ports := map[int]string{c.MetricsPort: "proxy.metricsPort"}
	for i, u := range s.Upstreams {
		field := fmt.Sprintf("upstreams[%d]", i)
		if other, taken := ports[u.Listen.Port]; taken {
			return Config{}, fmt.Errorf("%s.listen.port: %d is %s already; choose another one", field, u.Listen.Port, other)
		}
		ports[u.Listen.Port] = field + ".listen.port"
		if u.Protocol != "redis" {
			continue // another engine's
		}
		if u.Listen.Port < 1 || u.Listen.Port > 65535 {
			return Config{}, fmt.Errorf("%s.listen.port: %d is not a port; write one from 1 to 65535", field, u.Listen.Port)
		}
		one := Upstream{Name: u.Name, Field: field, MaxConnections: u.CircuitBreaker.MaxConnections,
			Listen: loopback.Addresses(u.Listen.Port), Optional: u.Required != nil && !*u.Required}
		one.Servers.Threshold = cmp.Or(u.HealthCheck.UnhealthyThreshold, DefaultThreshold)
		r := reader{Reader: secretfile.Reader{Secrets: secrets, Prefix: field}}
		one.Servers.Interval = r.Duration("healthCheck.interval", u.HealthCheck.Interval, DefaultInterval)
		r.redis(&one, &u.Redis)
		if r.Err != nil {
			return Config{}, r.Err
		}
		if u.Name == "" || slices.ContainsFunc(c.Upstreams, func(other Upstream) bool { return other.Name == u.Name }) {
			return Config{}, fmt.Errorf("%s.name: %q is empty or taken; give each upstream a name of its own", field, u.Name)
		}
		c.Upstreams = append(c.Upstreams, one)
		if port := r.readsPort; port > 0 {
			if other, taken := ports[port]; taken {
				return Config{}, fmt.Errorf("%s.redis.reads.listen.port: %d is %s already; choose another one", field, port, other)
			}
			ports[port] = field + ".redis.reads.listen.port"
			reads := one
			reads.Name, reads.Field = one.Name+" reads", field+".redis.reads"
			reads.Listen = loopback.Addresses(port)
			writes := &c.Upstreams[len(c.Upstreams)-1].Policy
			writes.Read, writes.AfterWrite, writes.Causal = session.ReadPrimary, 0, false
			c.Upstreams = append(c.Upstreams, reads)
		}
	}
	return c, nil
}

// reader reads the fields of an upstream.
type reader struct {
	secretfile.Reader
	readsPort int
}

func (r *reader) bytes(field, value string, fallback int) int {
	if value == "" {
		return fallback
	}
	n, err := ParseBytes(value)
	if err != nil {
		r.Fail(field, "%w", err)
	}
	return n
}

// ParseBytes reads a number of bytes as Kubernetes writes them.
func ParseBytes(value string) (int, error) {
	digits := strings.TrimRight(value, "KMGki")
	n, err := strconv.ParseInt(digits, 10, 32)
	factor, known := map[string]int64{"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[value[len(digits):]]
	if err != nil || !known || n <= 0 || n > math.MaxInt32/factor {
		return 0, fmt.Errorf("%q is no number of bytes from 1 to 2 Gi; write one such as 64Mi", value)
	}
	return int(n * factor), nil
}

func (r *reader) redis(u *Upstream, node *yaml.Node) {
	if node.IsZero() {
		r.Fail("redis", "missing; protocol redis needs it")
		return
	}
	var spec redis
	if err := strictly(node, &spec); err != nil {
		r.Fail("redis", "%w", err)
		return
	}
	r.servers(u, spec.Endpoints)
	if spec.Reads != nil {
		if r.readsPort = spec.Reads.Listen.Port; r.readsPort < 1 || r.readsPort > 65535 {
			r.Fail("redis.reads.listen.port", "%d is not a port; write one from 1 to 65535", r.readsPort)
		}
	}
	u.Policy.Read = session.ReadPolicy(cmp.Or(spec.ReadPolicy, string(session.ReadPrimary)))
	if !slices.Contains(ReadPolicies, u.Policy.Read) {
		r.Fail("redis.readPolicy", "%q is none of %v", spec.ReadPolicy, ReadPolicies)
	}
	u.Servers.PrimaryReads = u.Policy.Read == session.PreferReplica
	if after := spec.ReadAfterWrite; after != nil {
		switch after.Policy {
		case "", "PinPrimary":
			u.Policy.AfterWrite = r.Duration("redis.readAfterWrite.window", after.Window, defaultAfterWrite)
		case "Causal":
			u.Policy.Causal = true
		default:
			r.Fail("redis.readAfterWrite.policy", "%q is unknown; write PinPrimary or Causal", after.Policy)
		}
	}
	u.Servers.MaxLag = r.Duration("redis.maxReplicaLag", spec.MaxReplicaLag, 0)
	u.Policy.MaxUnread = r.bytes("redis.maxUnreadReplies", spec.MaxUnreadReplies, session.DefaultMaxUnread)
	access := topology.Access{Username: spec.Username, Password: r.Secret("redis.authSecretRef", spec.AuthSecretRef)}
	if spec.TLS != nil {
		access.TLS = r.tls(spec.TLS)
	}
	u.Servers.Access = access
	u.Servers.MonitorUser = spec.MonitorUsername
	u.Servers.MonitorPassword = r.Secret("redis.monitorAuthSecretRef", spec.MonitorAuthSecretRef)
	if sentinel := spec.Sentinel; sentinel != nil {
		if sentinel.MasterName == "" {
			r.Fail("redis.sentinel.masterName", "missing; write the name that the Sentinels monitor")
		}
		u.Servers.SentinelMaster = sentinel.MasterName
		u.Servers.SentinelAccess = topology.Access{TLS: access.TLS, Username: sentinel.Username, Password: r.Secret("redis.sentinel.authSecretRef", sentinel.AuthSecretRef)}
	}
}

// ReadPolicies are those of the API.
var ReadPolicies = []session.ReadPolicy{session.ReadPrimary, session.PreferReplica, session.ReadReplica}

func (r *reader) servers(u *Upstream, endpoints []string) {
	if len(endpoints) == 0 {
		r.Fail("redis.endpoints", "missing; write the servers, each as host:port")
	}
	for i, endpoint := range endpoints {
		if err := CheckEndpoint(endpoint); err != nil {
			r.Fail(fmt.Sprintf("redis.endpoints[%d]", i), "%w", err)
		}
	}
	u.Servers.Endpoints = endpoints
}

// CheckEndpoint tells what is wrong with a server's address.
func CheckEndpoint(endpoint string) error {
	host, port, err := net.SplitHostPort(endpoint)
	number, notNumber := strconv.ParseUint(port, 10, 16)
	if err != nil || host == "" || notNumber != nil || number == 0 {
		return fmt.Errorf("%q is not host:port; write one such as redis-0.redis:6379", endpoint)
	}
	return nil
}

// strictly decodes a node and refuses fields that are unknown.
func strictly(node *yaml.Node, to any) error {
	text, err := yaml.Marshal(node)
	if err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(to); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

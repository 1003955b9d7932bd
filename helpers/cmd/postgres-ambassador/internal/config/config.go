// Package config reads an Ambassador's spec, the part of it that is PostgreSQL's.
// operator/podpatterns/api is its schema; what a field means is told there.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/pgbouncer"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/relay"
	"podpatterns.dev/helpers/cmd/postgres-ambassador/internal/topology"
	"podpatterns.dev/helpers/internal/configfile"
	"podpatterns.dev/helpers/internal/secretfile"
)

// Config holds the upstreams to serve.
type Config struct {
	Upstreams    []Upstream
	StartHealthy bool   // the application waits until the required upstreams have had a primary
	Hash         string // of the file's bytes: the beginning of their SHA-256
}

// Upstream is one PostgreSQL.
type Upstream struct {
	Name     string
	Field    string // where it is in the file, for messages
	Optional bool   // the Pod is ready without it
	Servers  topology.Settings
	Ports    []Port // the one for writes first
}

// Port is one that applications connect with.
type Port struct {
	Name    string // no other's
	Field   string
	Policy  relay.Policy
	Bouncer pgbouncer.Settings
}

// The defaults of an upstream's checks: a failover should be noticed soon.
const (
	defaultInterval  = 500 * time.Millisecond
	defaultThreshold = 2
)

type spec struct {
	Upstreams []upstreamSpec
	Proxy     struct {
		StartWhen string `yaml:"startWhen"`
	}
}

type upstreamSpec struct {
	Name        string
	Protocol    string
	Listen      listen
	Required    *bool
	Postgres    *postgres
	HealthCheck struct {
		Interval           string
		UnhealthyThreshold int `yaml:"unhealthyThreshold"`
	} `yaml:"healthCheck"`
}

type listen struct{ Port int }

type postgres struct {
	Endpoints     []string
	Database      string
	Username      string
	AuthSecretRef *secretfile.Ref `yaml:"authSecretRef"`
	TLS           *secretfile.TLS `yaml:"tls"`
	Pooling       *struct {
		Mode string
		Size int
	}
	Reads *struct {
		Listen listen
		Policy string
	}
}

// File is a configuration that may change.
type File = secretfile.File[Config]

// NewFile is one with the Secrets below a directory.
func NewFile(path, secrets string) *File { return &File{Path: path, SecretsDir: secrets, Parse: parse} }

// parse reads a spec. Its error names the field.
func parse(file []byte, secrets secretfile.Secrets) (Config, error) {
	var s spec
	if err := yaml.Unmarshal(file, &s); err != nil {
		return Config{}, fmt.Errorf("not an Ambassador's spec: %w", err)
	}
	c := Config{Hash: configfile.Hash(file)}
	switch s.Proxy.StartWhen {
	case "", "Listening":
	case "Healthy":
		c.StartHealthy = true
	default:
		return Config{}, fmt.Errorf("proxy.startWhen: %q is unknown; write Listening or Healthy", s.Proxy.StartWhen)
	}
	ports, names := map[int]string{}, map[string]string{}
	for i, u := range s.Upstreams {
		r := reader{secretfile.Reader{Secrets: secrets, Prefix: fmt.Sprintf("upstreams[%d]", i)}}
		one := r.upstream(u)
		if other, taken := names[u.Name]; u.Name == "" || taken {
			r.Fail("name", "%q is empty, or that of %s; give each upstream a name of its own", u.Name, other)
		}
		names[u.Name] = r.Prefix
		for _, port := range one.Ports {
			if other, taken := ports[port.Bouncer.Port]; taken {
				r.Fail(port.Field, "%d is %s already; choose another one", port.Bouncer.Port, other)
			}
			ports[port.Bouncer.Port] = r.Prefix + "." + port.Field
		}
		if r.Err != nil {
			return Config{}, r.Err
		}
		c.Upstreams = append(c.Upstreams, one)
	}
	return c, nil
}

// reader reads the fields of an upstream.
type reader struct{ secretfile.Reader }

func (r *reader) upstream(u upstreamSpec) Upstream {
	one := Upstream{Name: u.Name, Field: r.Prefix, Optional: u.Required != nil && !*u.Required}
	if u.Protocol != "postgres" || u.Postgres == nil {
		r.Fail("postgres", "missing; with it goes protocol postgres")
		return one
	}
	spec := u.Postgres
	r.endpoints(spec.Endpoints)
	if spec.Username == "" || spec.Username == pgbouncer.Console || strings.ContainsAny(spec.Username, "\x00\r\n") {
		r.Fail("postgres.username", "%q is not a user of PostgreSQL; write the one to log in with", spec.Username)
	}
	if !isDatabase(spec.Database) {
		r.Fail("postgres.database", "%q can't be a database here; write its name, of letters, digits, _, $ and -", spec.Database)
	}
	one.Servers = topology.Settings{
		Endpoints: spec.Endpoints, Database: spec.Database, User: spec.Username,
		Password:  r.Secret("postgres.authSecretRef", spec.AuthSecretRef),
		Interval:  r.Duration("healthCheck.interval", u.HealthCheck.Interval, defaultInterval),
		Threshold: cmp.Or(u.HealthCheck.UnhealthyThreshold, defaultThreshold),
	}
	if n := len(one.Servers.Password); n > pgbouncer.MaxPassword {
		r.Fail("postgres.authSecretRef", "the password has %d bytes, of which PgBouncer takes %d", n, pgbouncer.MaxPassword)
	}
	if strings.ContainsAny(one.Servers.Password, "\x00\r\n") {
		r.Fail("postgres.authSecretRef", "the password has several lines")
	}
	if spec.TLS != nil {
		one.Servers.TLS = r.TLS("postgres.tls", spec.TLS)
	}
	bouncer := pgbouncer.Settings{
		Database: spec.Database, User: spec.Username, Password: one.Servers.Password, Mode: pgbouncer.Session,
	}
	if pooling := spec.Pooling; pooling != nil {
		bouncer.Size = cmp.Or(pooling.Size, defaultPoolSize)
		mode := cmp.Or(pooling.Mode, "Session")
		bouncer.Mode = pgbouncer.Mode(strings.ToLower(mode))
		if mode != "Session" && mode != "Transaction" {
			r.Fail("postgres.pooling.mode", "%q is unknown; write Session or Transaction", mode)
		}
		if bouncer.Size < 1 || bouncer.Size > pgbouncer.MaxClients {
			r.Fail("postgres.pooling.size", "%d is not from 1 to %d", pooling.Size, pgbouncer.MaxClients)
		}
	}
	one.Ports = append(one.Ports, r.port(u.Name, "listen.port", u.Listen.Port, relay.Primary, bouncer))
	if reads := spec.Reads; reads != nil {
		policy := relay.Policy(cmp.Or(reads.Policy, string(relay.PreferReplica)))
		if policy != relay.PreferReplica && policy != relay.Replica {
			r.Fail("postgres.reads.policy", "%q is unknown; write PreferReplica or Replica", reads.Policy)
		}
		port := r.port(u.Name+".reads", "postgres.reads.listen.port", reads.Listen.Port, policy, bouncer)
		one.Ports = append(one.Ports, port)
	}
	return one
}

// defaultPoolSize is that of the API.
const defaultPoolSize = 20

func (r *reader) port(name, field string, number int, policy relay.Policy, bouncer pgbouncer.Settings) Port {
	if number < 1 || number > 65535 {
		r.Fail(field, "%d is not a port; write one from 1 to 65535", number)
	}
	bouncer.Port = number
	return Port{name, field, policy, bouncer}
}

func (r *reader) endpoints(endpoints []string) {
	if len(endpoints) == 0 {
		r.Fail("postgres.endpoints", "missing; write the servers, each as host:port")
	}
	for i, endpoint := range endpoints {
		if err := checkEndpoint(endpoint); err != nil {
			r.Fail(fmt.Sprintf("postgres.endpoints[%d]", i), "%w", err)
		}
	}
}

func checkEndpoint(endpoint string) error {
	host, port, err := net.SplitHostPort(endpoint)
	number, errPort := strconv.ParseUint(port, 10, 16)
	if errors.Join(err, errPort) != nil || host == "" || number == 0 {
		return fmt.Errorf("%q is not host:port; write one such as pg-0.pg:5432", endpoint)
	}
	return nil
}

// isDatabase tells whether PgBouncer's configuration can have the name.
func isDatabase(name string) bool {
	letters := func(c rune) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '-'
	}
	return name != pgbouncer.Console && !slices.ContainsFunc([]rune(name), func(c rune) bool { return !letters(c) })
}

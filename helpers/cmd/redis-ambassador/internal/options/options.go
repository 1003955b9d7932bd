// Package options reads the command line.
package options

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"time"

	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/config"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/session"
	"podpatterns.dev/helpers/cmd/redis-ambassador/internal/status"
	"podpatterns.dev/helpers/internal/lastwords"
)

// Options are the flags' values, which Parse has checked.
type Options struct {
	Direct       *config.Upstream // without a file: what the flags say
	File         string
	SecretsDir   string
	MetricsBind  string // empty: as the file says, without one nowhere
	DrainTimeout time.Duration
	LastWords    string // the file for the reason of an exit
}

// ErrHelp says that the user asked for Help.
var ErrHelp = flag.ErrHelp

//go:embed help.txt
var manual string

// Help returns the manual.
func Help() string {
	var metrics strings.Builder
	for _, f := range status.Families {
		fmt.Fprintf(&metrics, "               %s (%s)\n                   %s\n", f.Name, f.Type, f.Help)
	}
	return strings.Replace(manual, "{{metrics}}\n", metrics.String(), 1)
}

// endpoints is a flag that may be repeated.
type endpoints []string

func (e *endpoints) String() string { return strings.Join(*e, ",") }

func (e *endpoints) Set(value string) error {
	*e = append(*e, value)
	return config.CheckEndpoint(value)
}

// Parse reads the arguments, without the program's name. Its error names the flag and the remedy.
func Parse(args []string) (Options, error) {
	var (
		o       Options
		listen  string
		servers endpoints
		read    string
		after   time.Duration
		lag     time.Duration
		unread  string
		causal  bool
	)
	flags := flag.NewFlagSet("redis-ambassador", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&listen, "listen", "", "")
	flags.Var(&servers, "endpoint", "")
	flags.StringVar(&read, "read-policy", string(session.ReadPrimary), "")
	flags.DurationVar(&after, "read-after-write", 0, "")
	flags.DurationVar(&lag, "max-replica-lag", 0, "")
	flags.BoolVar(&causal, "causal-reads", false, "")
	flags.StringVar(&unread, "max-unread-replies", "64Mi", "")
	flags.StringVar(&o.File, "config", "", "")
	flags.StringVar(&o.SecretsDir, "secrets", "", "")
	flags.StringVar(&o.MetricsBind, "metrics-bind", "", "")
	flags.DurationVar(&o.DrainTimeout, "drain-timeout", 10*time.Second, "")
	flags.StringVar(&o.LastWords, "termination-log", lastwords.Path, "")
	switch err := flags.Parse(args); {
	case errors.Is(err, ErrHelp):
		return o, err
	case err != nil:
		return o, fmt.Errorf("%w; redis-ambassador --help lists the flags", err)
	case flags.NArg() > 0:
		return o, fmt.Errorf("unexpected argument %q; everything is said by flags, which redis-ambassador --help lists", flags.Arg(0))
	case o.DrainTimeout <= 0 || after < 0 || lag < 0:
		return o, errors.New("--drain-timeout, --read-after-write, --max-replica-lag: a duration is below zero, or the first is zero")
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if o.File != "" {
		for _, name := range []string{"listen", "endpoint", "read-policy", "read-after-write", "causal-reads", "max-replica-lag", "max-unread-replies"} {
			if given[name] {
				return o, fmt.Errorf("--%s: --config says it already; leave one of them out", name)
			}
		}
		return o, nil
	}
	most, err := config.ParseBytes(unread)
	if err != nil {
		return o, fmt.Errorf("--max-unread-replies: %w", err)
	}
	return o, o.direct(listen, servers, session.Policy{Read: session.ReadPolicy(read), AfterWrite: after, Causal: causal, MaxUnread: most}, lag)
}

func (o *Options) direct(listen string, servers []string, policy session.Policy, lag time.Duration) error {
	if _, port, err := net.SplitHostPort(listen); err != nil || port == "" {
		return errors.New("--listen: missing or not an address; write one such as 127.0.0.1:6379, or --config")
	}
	if len(servers) == 0 {
		return errors.New("--endpoint: missing; write each server as host:port")
	}
	if !slices.Contains(config.ReadPolicies, policy.Read) {
		return fmt.Errorf("--read-policy: %q is none of %v", policy.Read, config.ReadPolicies)
	}
	o.Direct = &config.Upstream{Name: "redis", Field: "--listen", Listen: []string{listen}, Policy: policy}
	o.Direct.Servers.Endpoints = servers
	o.Direct.Servers.Interval = config.DefaultInterval
	o.Direct.Servers.Threshold = config.DefaultThreshold
	o.Direct.Servers.MaxLag = lag
	o.Direct.Servers.PrimaryReads = policy.Read == session.PreferReplica
	return nil
}

// Haproxy-ambassador runs HAProxy as an Ambassador's proxy: it follows a configuration file, and neither a bad
// configuration nor a change of a good one closes a connection. haproxy-ambassador --help is the manual.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/haproxy"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/supervisor"
	"podpatterns.dev/helpers/internal/lastwords"
	"podpatterns.dev/helpers/internal/names"
	"podpatterns.dev/helpers/internal/serve"
)

const usage = `haproxy-ambassador keeps HAProxy at a configuration file.

It waits for the file, has it checked by haproxy -c, starts HAProxy, and reloads it when the file, or one
beside it, changes: no connection is closed and none refused by that. A configuration that HAProxy refuses
is told in the log and in metrics, and the former one goes on. On SIGTERM it goes on
for as long as connections are in use, 20 s at most, and closes those that are idle. HAProxy runs with one thread, whatever the configuration says: with
more, its workers do not always end.

Host names in server-template lines are looked up every second, by the search list of /etc/resolv.conf, and HAProxy's
servers get the addresses without a reload. While DNS does not answer, the last known addresses stay in use.
What listens at 127.0.0.1 listens at ::1 too, where there is one.

Pages at --metrics:
  /healthz   503 until a configuration runs and, with setenv START_WHEN Healthy in it, until all required upstreams
             have had a healthy endpoint; from then on 200: for a startupProbe
  /readyz    200 while a configuration runs and each upstream has a healthy endpoint, but for those that it names in
             setenv OPTIONAL_UPSTREAMS
  /config    the hash of the configuration that runs; from the second line on, why a newer one does not
  /metrics   HAProxy's Prometheus metrics; besides, the hash and the validity of the configuration, and durations and
             errors of every request of HTTP and every other session, by upstream
  /stats     HAProxy's page of statistics

Options:
`

type options struct {
	config, metrics, program, run, nameserver, lastWords string
}

func main() {
	o, err := parse(os.Args[1:])
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "haproxy-ambassador:", err)
		os.Exit(2)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	if err := run(ctx, o, log); err != nil {
		log.Error("exiting", "error", err)
		lastwords.Leave(o.lastWords, err)
		os.Exit(1)
	}
}

func parse(arguments []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("haproxy-ambassador", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprint(flags.Output(), usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&o.config, "config", "/etc/podpatterns/haproxy.cfg", "HAProxy's configuration `FILE`")
	flags.StringVar(&o.metrics, "metrics", ":8404", "`ADDRESS` to serve the pages at")
	flags.StringVar(&o.program, "haproxy", "haproxy", "the `PROGRAM`, version 2.6 or newer")
	flags.StringVar(&o.run, "run", "/run/haproxy", "`DIRECTORY` for sockets and accepted configurations")
	flags.StringVar(&o.nameserver, "nameserver", "", "`ADDRESS` of the DNS server to ask (default those of /etc/resolv.conf)")
	flags.StringVar(&o.lastWords, "termination-log", lastwords.Path, "`FILE` for the reason of an exit, if it exists")
	if err := flags.Parse(arguments); err != nil {
		return options{}, err
	}
	if flags.NArg() > 0 {
		return options{}, fmt.Errorf("unexpected argument %q", flags.Arg(0))
	}
	return o, nil
}

func run(ctx context.Context, o options, log *slog.Logger) error {
	resolv, err := os.Open("/etc/resolv.conf")
	if err != nil {
		return err
	}
	search, err := names.ParseSearch(resolv)
	resolv.Close()
	if err != nil {
		return err
	}
	proxy, err := haproxy.New(o.program, o.run)
	if err != nil {
		return err
	}
	follower := names.NewFollower(search, names.Server(o.nameserver), log)
	heard, err := observation.Listen(filepath.Join(o.run, observation.Socket))
	if err != nil {
		return err
	}
	defer heard.Close()
	follow := supervisor.New(o.config, follower, proxy, heard, log)
	listener, err := net.Listen("tcp", o.metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer serve.Start(listener, supervisor.Handler(follow, proxy), log)()
	return follow.Run(ctx)
}

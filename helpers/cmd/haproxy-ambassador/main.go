// Haproxy-ambassador runs HAProxy as an Ambassador's proxy: it follows a configuration file, and neither a bad
// configuration nor a change of a good one closes a connection. haproxy-ambassador --help is the manual.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os/signal"
	"path/filepath"
	"syscall"

	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/haproxy"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/observation"
	"podpatterns.dev/helpers/cmd/haproxy-ambassador/internal/supervisor"
	"podpatterns.dev/helpers/internal/keeper"
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
  /stats     HAProxy's page of statistics, for this Pod alone: it shows the servers' addresses
             (kubectl port-forward)

Options:
`

func main() {
	k := keeper.New("haproxy-ambassador", usage, "haproxy", "2.6", "/etc/podpatterns/haproxy.cfg")
	k.Main(func(log *slog.Logger) error {
		ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
		defer stop()
		return run(ctx, k, log)
	})
}

func run(ctx context.Context, k *keeper.Keeper, log *slog.Logger) error {
	proxy, err := haproxy.New(k.Program, k.RunDirectory)
	if err != nil {
		return err
	}
	heard, err := observation.Listen(filepath.Join(k.RunDirectory, observation.Socket))
	if err != nil {
		return err
	}
	defer heard.Close()
	follow := supervisor.New(k.Config, names.NewFollower(k.Search, k.Ask, log), proxy, heard, log)
	listener, err := net.Listen("tcp", k.Metrics)
	if err != nil {
		return fmt.Errorf("--metrics: %w", err)
	}
	defer serve.Start(listener, supervisor.Handler(follow, proxy), log)()
	return follow.Run(ctx)
}

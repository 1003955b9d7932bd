"""`make demo-adapter`: four applications of different makes, and one query and one alert for all of them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from demo.cluster import demo_cluster
from testbed import release
from testbed.cluster.images import LEGACY, METRICS_ADAPTER, NGINX, PROMETHEUS, REDIS, REDIS_EXPORTER
from testbed.cluster.kind import KUBECONFIG
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.progress import step, summary
from testbed.diagnosis import diagnosis
from testbed.eventually import eventually
from testbed.monitoring import FIGURES, Monitoring, complete

if TYPE_CHECKING:
    from testbed.monitoring import Table

IMAGES = (METRICS_ADAPTER, NGINX, REDIS, REDIS_EXPORTER, LEGACY, PROMETHEUS)
FAILING = "orders"
FIGURES_SECONDS = 120
ALERT_SECONDS = 120

MAKES = {
    "web": "nginx, an access log",
    "cache": "Redis, its exporter",
    "orders": "Python, a page of JSON",
    "mailer": "Python, StatsD",
}

CLOSING = """
Go on
  export KUBECONFIG=.cluster/kubeconfig PATH="$PWD/.cluster:$PATH"
  kubectl get adapters,sidecarapps                 the applications
  kubectl port-forward pod/web-0 9090              what nginx's adapter offers: http://localhost:9090/metrics
  kubectl port-forward service/prometheus 9091:9090    Prometheus itself: http://localhost:9091/
  kubectl set env deployment/clients FAILING=web   another one fails

Clean up
  kubectl delete -f examples/monitoring            or all of it: make cluster-delete
"""


def main() -> None:
    with step("make demo-adapter"):
        demo_cluster(*IMAGES)
        kubectl = Kubectl(KUBECONFIG)
        try:
            healthy, failing, alerts = _demonstrate(kubectl)
        except Exception:
            print(diagnosis(kubectl), file=sys.stderr)
            raise
    print("\nWhat examples/monitoring/red.promql finds in Prometheus")
    print(*_lines(healthy), sep="\n")
    print(f"\nThe same when every second request to {FAILING} fails")
    print(*_lines(failing), sep="\n")
    print("\nThe alert that fires")
    print(*(f"  {text}" for text in alerts.values()), sep="\n")
    print(CLOSING)
    print(f"Times\n{summary()}")


def _demonstrate(kubectl: Kubectl) -> tuple[Table, Table, dict[str, str]]:
    monitoring = Monitoring(kubectl)
    with step("Install the operator with Helm"):
        release.install()
    with step("Apply examples/monitoring"):
        monitoring.start()
        monitoring.let_fail()
    with step("Ask Prometheus"):
        eventually(monitoring.alerts, ALERT_SECONDS, until=lambda found: not found)
        healthy = eventually(monitoring.figures, FIGURES_SECONDS, until=complete)
    with step(f"Let every second request to {FAILING} fail"):
        monitoring.let_fail(FAILING)
        alerts = eventually(monitoring.alerts, ALERT_SECONDS, until=lambda found: found.keys() == {FAILING})
        failing = eventually(monitoring.figures, FIGURES_SECONDS, until=complete)
    monitoring.let_fail()
    return healthy, failing, alerts


def _lines(table: Table) -> list[str]:
    head = f"  {'application':12}{'made of':24}" + "".join(f"{figure:>22}" for figure in FIGURES)
    rows = [
        f"  {name:12}{made:24}" + "".join(f"{table[name][figure]:22.2f}" for figure in FIGURES)
        for name, made in MAKES.items()
    ]
    return [head, *rows]


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
        sys.exit(f"make demo-adapter failed: {error}")

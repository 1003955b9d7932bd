"""Applications of different makes are all alike to a monitoring system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from testbed.cluster.images import NGINX
from testbed.eventually import eventually
from testbed.manifests import manifest
from testbed.monitoring import APPLICATIONS, Monitoring, complete

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

CONTRACT = {
    "app_requests_total",
    "app_errors_total",
    "app_request_duration_seconds_bucket",
    "app_request_duration_seconds_count",
    "app_request_duration_seconds_sum",
}


@pytest.mark.usefixtures("operator")
def test_what_only_the_adapter_can_refuse_is_told_with_its_index(kubectl: Kubectl) -> None:
    app = {"name": "app", "image": NGINX, "command": ["sleep", "infinity"]}
    spec = {
        "template": {"spec": {"containers": [app], "terminationGracePeriodSeconds": 1}},
        "contract": {"name": "custom", "metrics": [{"name": "app_x_total", "type": "counter"}]},
        "sources": [{"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1:8801/"}}],
        "rules": [
            {"source": "stats", "path": "hits", "metric": "app_x_total"},
            {"source": "stats", "path": "hits -", "metric": "app_x_total"},
        ],
    }
    kubectl.apply(manifest("Adapter", "legacy", spec))

    def ready() -> str:
        path = 'jsonpath={.status.conditions[?(@.type=="Ready")].message}'
        return kubectl("get", "adapter", "legacy", f"--output={path}")

    # In between it runs again, and is not ready then.
    stopped = "legacy-0 (CrashLoopBackOff: container adapter, exit code 1)"
    told = eventually(ready, 60, until=lambda message: stopped in message)
    assert "rules[1].path: not a JMESPath expression such as http.hits" in told


@pytest.mark.timeout(600)
@pytest.mark.usefixtures("operator")
def test_one_query_and_one_alert_fit_all_applications(kubectl: Kubectl) -> None:
    monitoring = Monitoring(kubectl)
    monitoring.start()

    table = eventually(monitoring.figures, 120, until=complete)
    for name, figures in table.items():
        assert monitoring.metric_names(name) == CONTRACT
        assert figures["percent failed"] == 0
        assert 0 <= figures["milliseconds each"] < 100  # nginx counts whole milliseconds
    assert monitoring.alerts() == {}
    for satisfied in ("adapter/web", "sidecarapp/cache", "adapter/orders"):
        kubectl("wait", "--for=condition=ContractSatisfied", satisfied, "--timeout=60s")
    # Of StatsD nothing is known before it is sent.
    of_mailer = 'jsonpath={.status.conditions[?(@.type=="ContractSatisfied")].message}'
    assert "app_errors_total (absent)" in kubectl("get", "adapter", "mailer", f"--output={of_mailer}")

    monitoring.let_fail("orders", "cache")
    alerts = eventually(monitoring.alerts, 120, until=lambda found: found.keys() == {"orders", "cache"})
    assert alerts["orders"].endswith("of the requests to orders fail")

    monitoring.let_fail(*APPLICATIONS)
    eventually(monitoring.alerts, 120, until=lambda found: found.keys() == APPLICATIONS.keys())
    monitoring.let_fail()
    eventually(monitoring.alerts, 120, until=lambda found: not found)

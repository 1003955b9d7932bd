"""Applications of different makes are all alike to a monitoring system."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from e2e.eventually import eventually
from e2e.monitoring import APPLICATIONS, Monitoring, complete

if TYPE_CHECKING:
    from e2e.cluster.kubectl import Kubectl

CONTRACT = {
    "app_requests_total",
    "app_errors_total",
    "app_request_duration_seconds_bucket",
    "app_request_duration_seconds_count",
    "app_request_duration_seconds_sum",
}


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

    monitoring.let_fail("orders", "cache")
    alerts = eventually(monitoring.alerts, 120, until=lambda found: found.keys() == {"orders", "cache"})
    assert alerts["orders"].endswith("of the requests to orders fail")

    monitoring.let_fail(*APPLICATIONS)
    eventually(monitoring.alerts, 120, until=lambda found: found.keys() == APPLICATIONS.keys())
    monitoring.let_fail()
    eventually(monitoring.alerts, 120, until=lambda found: not found)

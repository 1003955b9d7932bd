"""The four applications of examples/monitoring, their clients, and a Prometheus that sees them all alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import yaml

from testbed.cluster.kubectl import KubectlError
from testbed.website import EXAMPLES

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

DIRECTORY = EXAMPLES / "monitoring"
APPLICATIONS = {"web": "adapter", "cache": "sidecarapp", "orders": "adapter", "mailer": "adapter"}
"""Their names, and the kind of each."""
QUERY = (DIRECTORY / "red.promql").read_text()
FIGURES = ("requests per second", "percent failed", "milliseconds each")

READY_SECONDS = 120

Table = dict[str, dict[str, float]]
"""From an application's name to its figures."""


class Monitoring:
    """All of it, in the namespace of `kubectl`."""

    def __init__(self, kubectl: Kubectl) -> None:
        self._kubectl = kubectl

    def start(self) -> None:
        """Applies the examples and waits until everything is ready."""
        kubectl = self._kubectl
        for name in ("applications", "clients"):
            kubectl("apply", f"--filename={DIRECTORY / name}.yaml")
        kubectl("apply", "--filename=-", stdin=self._prometheus())
        kubectl("rollout", "status", "deployment/clients", f"--timeout={READY_SECONDS}s")
        for name, kind in {**APPLICATIONS, "prometheus": "sidecarapp"}.items():
            kubectl("wait", "--for=condition=Ready", f"{kind}/{name}", f"--timeout={READY_SECONDS}s")

    def let_fail(self, *names: str) -> None:
        """Lets half of the requests to these applications fail, and no others."""
        variable = f"FAILING={','.join(names)}" if names else "FAILING-"
        self._kubectl("set", "env", "deployment/clients", variable)
        self._kubectl("rollout", "status", "deployment/clients", f"--timeout={READY_SECONDS}s")

    def figures(self) -> Table:
        """Return the result of the one query."""
        table: Table = {}
        for sample in self._ask("query", query=QUERY).get("result", ()):
            labels, (_, value) = sample["metric"], sample["value"]
            table.setdefault(labels["app"], {})[labels["figure"]] = float(value)
        return table

    def alerts(self) -> dict[str, str]:
        """The applications that the one alert is firing for, each with what it says."""
        return {
            alert["labels"]["app"]: alert["annotations"]["summary"]
            for alert in self._ask("alerts").get("alerts", ())
            if alert["state"] == "firing"
        }

    def metric_names(self, application: str) -> set[str]:
        """The names under which the application's own figures are kept."""
        found = self._ask("series", **{"match[]": f'{{app="{application}",__name__=~"app_.*"}}'})
        return {series["__name__"] for series in found}

    def _ask(self, what: str, **parameters: str) -> Any:
        """The data of Prometheus's answer; nothing while it cannot be reached."""
        base = f"/api/v1/namespaces/{self._kubectl.namespace}/services/prometheus:http/proxy/api/v1"
        try:
            answer = self._kubectl("get", "--raw", f"{base}/{what}?{urlencode(parameters)}")
        except KubectlError:
            return {}
        return json.loads(answer)["data"]

    def _prometheus(self) -> str:
        """The example for this namespace, which a binding of rights has to name."""
        manifests = list(yaml.safe_load_all((DIRECTORY / "prometheus.yaml").read_text()))
        for manifest in manifests:
            for subject in manifest.get("subjects", ()):
                subject["namespace"] = self._kubectl.namespace
        return yaml.safe_dump_all(manifests)


def complete(table: Table) -> bool:
    """Every application is in the table with every figure, and serves its ten requests per second."""
    return table.keys() == APPLICATIONS.keys() and all(
        figures.keys() == set(FIGURES) and figures["requests per second"] > 8 for figures in table.values()
    )

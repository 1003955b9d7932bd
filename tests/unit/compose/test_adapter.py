"""The pod fragment of an Adapter; golden files show it whole."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api import Adapter, Pattern
from podpatterns.compose import CannotCompose, Composition, compose
from testbed.builders import adapter, template

LOG = {"name": "access", "type": "log", "log": {"volume": "logs", "path": "access.log"}}
SYSLOG = {"name": "messages", "type": "syslog", "syslog": {"port": 8125}}
STATSD = {"name": "events", "type": "statsd", "statsd": {"port": 8125}}
PROC = {"name": "process", "type": "proc", "proc": {"command": "app"}}
CONTRACT = {"name": "custom", "metrics": [{"name": "app_x_total", "type": "counter"}]}
STATS = {"name": "stats", "type": "json", "json": {"url": "http://127.0.0.1:8801/stats"}}


def app(*sources: dict[str, Any], **spec: Any) -> Adapter:
    """One whose sources are these and STATS, which its rule needs."""
    given = {"sources": [STATS, *sources]} if sources else {}
    return adapter(**{"template": template(), **given, **spec})


def composed(pattern: Pattern) -> Composition:
    return compose(pattern, {})


def problems(pattern: Pattern) -> list[str]:
    with pytest.raises(CannotCompose) as caught:
        composed(pattern)
    return [f"{p.reason} {p.path}" for p in caught.value.problems]


def helper(composition: Composition) -> dict[str, Any]:
    [container] = composition.template["spec"]["initContainers"]
    assert isinstance(container, dict)
    return container


def test_a_log_is_read_from_a_volume_of_the_template_too() -> None:
    written = template(volumes=[{"name": "logs", "emptyDir": {}}])
    mounts = helper(composed(app(LOG, template=written)))["volumeMounts"]
    assert mounts[1] == {
        "name": "logs",
        "mountPath": "/var/lib/podpatterns/volumes/logs",
        "readOnly": True,
    }


def test_annotations_of_the_template_have_the_last_word() -> None:
    written = {**template(), "metadata": {"annotations": {"prometheus.io/port": "80", "note": "x"}}}
    assert composed(app(template=written)).template["metadata"]["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "80",
        "prometheus.io/path": "/metrics",
        "note": "x",
    }


@pytest.mark.parametrize(
    ("spec", "shared"), [({}, True), ({"shareProcessNamespace": True}, True), ({"hostPID": True}, None)]
)
def test_processes_are_shared_where_they_are_read(spec: dict[str, Any], shared: bool | None) -> None:
    made = composed(app(PROC, template=template(**spec))).template["spec"]
    assert made.get("shareProcessNamespace") is shared


def test_and_only_there() -> None:
    assert "shareProcessNamespace" not in composed(app(LOG, STATSD, sharedVolumes=[LOGS])).template["spec"]


def test_secrets_for_pushing_are_mounted_and_shape_the_pod() -> None:
    def pushing(**otlp: Any) -> Composition:
        return composed(app(metrics={"otlp": {"endpoint": "http://c:4318", **otlp}}))

    plain, secret = pushing(), pushing(headersSecretRef={"name": "otlp", "key": "headers"})
    assert plain.revision == composed(app()).revision == pushing(interval="5s").revision != secret.revision
    assert [f.key for f in plain.files] == [f.key for f in composed(app()).files]
    assert secret.secrets == ("Secret otlp, key headers (spec.metrics.otlp.headersSecretRef)",)
    assert "--secrets=/etc/podpatterns/secrets" in helper(secret)["args"]
    [volume] = secret.template["spec"]["volumes"]
    assert volume["projected"]["sources"][1] == {
        "secret": {"name": "otlp", "items": [{"key": "headers", "path": "secrets/otlp/headers"}]}
    }
    assert "    headersSecretRef:\n      name: otlp\n      key: headers\n" in secret.files[0].text


LOGS = {"name": "logs", "mountPath": "/var/log/app"}


class TestProblems:
    def test_a_log_on_an_unknown_volume(self) -> None:
        assert problems(app(LOG)) == ["InvalidSpec spec.sources[1].log.volume"]

    def test_processes_that_the_author_keeps_apart(self) -> None:
        assert problems(app(PROC, template=template(shareProcessNamespace=False))) == [
            "InvalidSpec spec.template.spec.shareProcessNamespace"
        ]

    def test_a_port_of_the_application(self) -> None:
        web = {"name": "web", "ports": [{"containerPort": 8125, "protocol": "UDP"}]}
        assert problems(app(STATSD, template=template(web))) == [
            "PortsConflict spec.template.spec.containers[0].ports[0].containerPort"
        ]

    def test_two_sources_on_one_port(self) -> None:
        assert problems(app(STATSD, {**STATSD, "name": "more"}))[0] == (
            "PortsConflict spec.sources[2].statsd.port"
        )
        assert problems(app(STATSD, SYSLOG))[0] == "PortsConflict spec.sources[2].syslog.port"


class TestRevision:
    @pytest.mark.parametrize(
        "spec",
        [
            {"rules": [{"source": "stats", "path": "hits", "metric": "app_x_total"}]},
            {"contract": {**CONTRACT, "labels": {"team": "shop"}}},
            {"metrics": {"maxSeries": 7}},
            {"sources": [{**STATS, "json": {"url": "http://127.0.0.1:1/"}}]},
        ],
        ids=["rules", "contract", "maxSeries", "url"],
    )
    def test_stays_with_what_rolls_in(self, spec: dict[str, Any]) -> None:
        before, after = composed(app()), composed(app(**spec))
        assert (after.revision, after.template) == (before.revision, before.template)
        assert after.files != before.files

    @pytest.mark.parametrize(
        "spec",
        [
            {"metrics": {"port": 9091}},
            {"metrics": {"path": "/m"}},
            {"sources": [STATS, STATSD]},
            {"sources": [STATS, SYSLOG]},
            {"sources": [STATS, PROC]},
            {"sources": [STATS, LOG], "sharedVolumes": [LOGS]},
        ],
        ids=["port", "path", "statsd", "syslog", "proc", "log"],
    )
    def test_changes_with_what_shapes_the_pod(self, spec: dict[str, Any]) -> None:
        assert composed(app(**spec)).revision != composed(app()).revision

    def test_is_the_same_in_every_version_of_the_operator(self) -> None:
        """A change of this value restarts every Adapter's Pods at an upgrade."""
        every = app(LOG, STATSD, PROC, sharedVolumes=[LOGS], metrics={"port": 9102})
        assert composed(every).revision == "0246e170a5"

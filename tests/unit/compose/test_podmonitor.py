"""The PodMonitor of an object whose Pods have adapters."""

from __future__ import annotations

from podpatterns.compose import compose
from podpatterns.compose.labels import HASH
from podpatterns.compose.podmonitor import pod_monitor
from testbed.builders import adapter, pattern, sidecarapp, template


def test_each_adapter_in_the_pod_is_an_endpoint() -> None:
    part = adapter("red", metrics={"port": 9091, "path": "/m"})
    include = [{"kind": "Adapter", "name": "red"}]
    app = adapter("legacy", template=template(), include=include)
    made = pod_monitor(app, compose(app, [part]))
    assert made is not None
    labels = {"podpatterns.dev/kind": "Adapter", "podpatterns.dev/name": "legacy"}
    assert made["metadata"]["name"] == "adapter-legacy"
    assert made["metadata"]["labels"] == labels
    assert made["metadata"]["ownerReferences"][0]["uid"] == "uid-of-legacy"
    assert made["spec"]["selector"] == {"matchLabels": labels}
    assert [
        (e["port"], e["path"], e["relabelings"][0]["regex"]) for e in made["spec"]["podMetricsEndpoints"]
    ] == [("metrics", "/metrics", "adapter"), ("metrics", "/m", "adapter-red")]


def test_the_hash_tells_of_changes() -> None:
    def hash_of(**metrics: object) -> str:
        app = adapter(template=template(), metrics=metrics)
        made = pod_monitor(app, compose(app, {}))
        assert made is not None
        return str(made["metadata"]["annotations"][HASH])

    assert hash_of() == hash_of(path="/metrics") == hash_of(maxSeries=7)
    assert hash_of(path="/m") != hash_of()


def test_without_an_adapter_there_is_none() -> None:
    app = sidecarapp(template=template())
    assert pod_monitor(app, compose(app, {})) is None


def test_the_objects_labels_are_passed_on() -> None:
    """A Prometheus may choose PodMonitors by them."""
    app = pattern("Adapter", "x", adapter(template=template()).spec.manifest())
    labelled = app.model_copy(
        update={"metadata": app.metadata.model_copy(update={"labels": {"release": "prometheus"}})}
    )
    made = pod_monitor(labelled, compose(labelled, {}))
    assert made is not None
    assert made["metadata"]["labels"]["release"] == "prometheus"

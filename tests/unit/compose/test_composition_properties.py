"""Any SidecarApp gives either all its problems or a Pod that holds together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import event, given, reject
from hypothesis import strategies as st

from podpatterns.api import InvalidObject, SidecarApp
from podpatterns.compose import CannotCompose, compose
from testbed.builders import sidecarapp

seldom = st.integers(0, 9).map(lambda n: n == 9)


@dataclass
class Writer:
    """Writes manifests that are mostly well, with a clash or a slip now and then."""

    draw: st.DrawFn
    written: int = 0

    def container(self) -> dict[str, Any]:
        self.written += 1
        name = "c1" if self.draw(seldom) else f"c{self.written}"
        container: dict[str, Any] = {"name": name, "image": "i"}
        if self.draw(st.booleans()):
            container["ports"] = [{"containerPort": 1 if self.draw(seldom) else self.written}]
        if self.draw(seldom):
            container["volumeMounts"] = [{"name": self.draw(st.sampled_from("vwo")), "mountPath": "/o"}]
        return container

    def containers(self, least: int, most: int) -> list[dict[str, Any]]:
        return [self.container() for _ in range(self.draw(st.integers(least, most)))]

    def volumes(self) -> list[dict[str, Any]]:
        names = self.draw(st.lists(st.sampled_from("vw"), max_size=2, unique=True))
        return [{"name": n, "mountPath": f"/{n}", "mounts": self.mounts(n)} for n in names]

    def mounts(self, name: str) -> list[dict[str, Any]]:
        if self.draw(st.booleans()):
            return []
        return [{"container": f"c{self.draw(st.integers(1, 3))}", "mountPath": f"/{name}{self.draw(seldom)}"}]

    def extras(self) -> dict[str, Any]:
        orders = st.sampled_from(["BeforeApp", "WithApp"])
        spec: dict[str, Any] = {
            "sidecars": [{**c, "order": self.draw(orders)} for c in self.containers(0, 2)],
            "sharedVolumes": self.volumes(),
        }
        if self.draw(st.booleans()):
            spec["sharedMemory"] = "1Mi"
        return spec


@st.composite
def applications(draw: st.DrawFn) -> tuple[SidecarApp, SidecarApp]:
    """An application and the part that it includes."""
    writer = Writer(draw)
    template = {
        "spec": {
            "containers": writer.containers(0 if draw(seldom) else 1, 2),
            "initContainers": writer.containers(0, 1),
            "volumes": [{"name": "o", "emptyDir": {}}] if draw(st.booleans()) else [],
        }
    }
    include = [{"kind": "SidecarApp", "name": "part"}]
    try:
        app = sidecarapp(template=template, include=include, **writer.extras())
        return app, sidecarapp("part", **writer.extras())
    except InvalidObject:  # two sidecars of one name: the schema's business
        return reject()


@given(both=applications())
def test_problems_or_a_pod_that_holds_together(both: tuple[SidecarApp, SidecarApp]) -> None:
    app, part = both
    try:
        spec = compose(app, [part]).template["spec"]
    except CannotCompose as refused:
        event("refused")
        told = refused.problems
    else:
        event("composed")
        holds_together(spec)
        everything_is_there(spec, app, part)
        return
    assert told
    assert all(p.path and p.message for p in told)


def holds_together(spec: dict[str, Any]) -> None:
    everyone = spec.get("initContainers", []) + spec["containers"]
    assert len({c["name"] for c in everyone}) == len(everyone)
    declared = [v["name"] for v in spec.get("volumes", [])]
    assert len(set(declared)) == len(declared)
    for container in everyone:
        mounts = container.get("volumeMounts", [])
        assert {m["name"] for m in mounts} <= set(declared)
        assert len({m["mountPath"] for m in mounts}) == len({(m["name"], m["mountPath"]) for m in mounts})
    running = spec["containers"] + [c for c in everyone if c.get("restartPolicy") == "Always"]
    for port in range(1, 31):
        listening = {c["name"] for c in running for p in c.get("ports", []) if p["containerPort"] == port}
        assert len(listening) <= 1


def everything_is_there(spec: dict[str, Any], app: SidecarApp, part: SidecarApp) -> None:
    everyone = {c["name"]: c for c in spec.get("initContainers", []) + spec["containers"]}
    assert app.spec.template is not None
    written = [*app.spec.template["spec"]["containers"], *app.spec.template["spec"]["initContainers"]]
    written += [s.container for s in (*app.spec.sidecars, *part.spec.sidecars)]
    assert everyone.keys() == {c["name"] for c in written}
    for container in written:
        kept = {
            k: v for k, v in everyone[container["name"]].items() if k not in ("volumeMounts", "restartPolicy")
        }
        assert kept == {k: v for k, v in container.items() if k != "volumeMounts"}

"""Any kinds together give either all their problems or a Pod that fits its configuration."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import event, given
from hypothesis import strategies as st

from podpatterns.api import Pattern
from podpatterns.compose import CannotCompose, Composition, compose
from testbed.builders import pattern, template
from tests.unit.compose.test_composition_properties import holds_together

ports = st.integers(1, 25) | st.integers(1_000, 30_000)
seldom = st.integers(0, 9).map(lambda n: n == 9)
variables = st.sampled_from(["HOST", "PORT", "OTHER"])
secret = st.fixed_dictionaries({"name": st.sampled_from("ab"), "key": st.sampled_from("kl")})


def maybe(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=fields)


def reads(port: int) -> st.SearchStrategy[dict[str, Any]]:
    """A port for reads, which may be another upstream's."""
    env = maybe(hostName=variables, portName=variables)
    return st.fixed_dictionaries({"listen": st.just({"port": port + 1})}, optional={"env": env})


@st.composite
def upstreams(draw: st.DrawFn) -> list[dict[str, Any]]:
    made = []
    for port in draw(st.lists(ports, min_size=1, max_size=3, unique=True)):
        protocol = draw(st.sampled_from(["redis", "tcp", "http", "postgres", "memcached"]))
        endpoints = draw(st.lists(st.sampled_from(["a:1", "b:2", "[::1]:3"]), min_size=1, unique=True))
        tls = draw(maybe(tls=maybe(caSecretRef=secret)))
        if protocol == "redis":
            ways = maybe(authSecretRef=secret) | st.fixed_dictionaries({"reads": reads(port)})
            server: dict[str, Any] = {"redis": {"endpoints": endpoints, **tls, **draw(ways)}}
        elif protocol == "postgres" and draw(st.booleans()):
            more = draw(maybe(authSecretRef=secret, reads=reads(port)))
            server = {"postgres": {"endpoints": endpoints, "username": "u", **tls, **more}}
        else:
            server = {"endpoints": endpoints, **tls}
        made.append(
            {
                "name": f"u{port}",
                "protocol": protocol,
                "listen": {"port": port},
                "local": {"container": {"name": f"local{port}"}},
                **server,
                **draw(maybe(env=maybe(hostName=variables, portName=variables))),
            }
        )
    return made


@st.composite
def ambassador_specs(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "mode": draw(st.sampled_from(["Proxy", "Proxy", "Local"])),
        "upstreams": draw(upstreams()),
        "proxy": draw(maybe(metricsPort=ports.map(lambda p: p + 100))),
    }


@st.composite
def adapter_specs(draw: st.DrawFn) -> dict[str, Any]:
    sources: list[dict[str, Any]] = [
        {"name": "j", "type": "json", "json": {"url": "http://127.0.0.1:1/"}},
        {"name": "l", "type": "log", "log": {"volume": draw(st.sampled_from("vw")), "path": "x"}},
        {"name": "s", "type": "statsd", "statsd": {"port": draw(ports)}},
        {"name": "p", "type": "proc", "proc": {"command": "x"}},
    ]
    chosen = draw(st.lists(st.sampled_from(sources), min_size=1, unique_by=lambda s: s["name"]))
    contract = {"name": "custom", "metrics": [{"name": "app_x_total", "type": "counter"}]}
    finds = {"regex": "x"} if chosen[0]["type"] == "log" else {"path": "process_cpu_seconds_total"}
    return {
        "sources": chosen,
        "rules": [{"source": chosen[0]["name"], **finds, "metric": "app_x_total"}],
        "contract": contract,
        "metrics": draw(maybe(port=ports.map(lambda p: p + 200))),
    }


SPECS = {
    "SidecarApp": st.just({"sidecars": [{"name": "sidecar", "image": "i"}]}),
    "Ambassador": ambassador_specs(),
    "Adapter": adapter_specs(),
}


@st.composite
def applications(draw: st.DrawFn) -> tuple[Pattern, list[Pattern]]:
    """An application and the parts that it includes, each of any kind."""

    def one(name: str, extra: dict[str, Any]) -> Pattern:
        kind = draw(st.sampled_from(sorted(SPECS)))
        volumes = [{"name": v, "mountPath": f"/{v}"} for v in draw(st.sets(st.sampled_from("vw")))]
        return pattern(kind, name, {**draw(SPECS[kind]), **extra, "sharedVolumes": volumes})

    parts = [one(name, {}) for name in draw(st.lists(st.sampled_from(["one", "two"]), unique=True))]
    env = [{"name": "OTHER", "value": "mine"}] if draw(seldom) else []
    own = template({"name": "web", "image": "i", "env": env, "ports": [{"containerPort": draw(ports)}]})
    include = [{"kind": p.kind, "name": p.metadata.name} for p in parts]
    return one("app", {"template": own, "include": include}), parts


@given(objects=applications())
def test_problems_or_a_pod_that_fits_its_configuration(objects: tuple[Pattern, list[Pattern]]) -> None:
    app, parts = objects
    try:
        composition = compose(app, parts)
    except CannotCompose as refused:
        event("refused")
        told = refused.problems
    else:
        event(f"composed with {len(composition.files)} files")
        it_fits(app, composition)
        return
    assert told
    assert all(p.path and p.message for p in told)


def it_fits(app: Pattern, composition: Composition) -> None:
    spec = composition.template["spec"]
    holds_together(spec)
    what_is_mounted_is_there(composition, f"{app.kind.lower()}-{app.metadata.name}")
    for container in spec["containers"]:
        names = [v["name"] for v in container.get("env", [])]
        assert len(set(names)) == len(names)


def what_is_mounted_is_there(composition: Composition, config_map: str) -> None:
    spec = composition.template["spec"]
    containers = {c["name"] for c in spec.get("initContainers", [])}
    volumes = [v for v in spec.get("volumes", []) if "projected" in v]
    mounted = []
    for volume in volumes:
        first, *secrets = volume["projected"]["sources"]
        assert first["configMap"]["name"] == config_map
        [item] = first["configMap"]["items"]
        mounted.append(item["key"])
        text = composition.data[item["key"]]
        if item["path"].endswith(".yaml"):
            assert yaml.safe_load(text)
        given_keys = {f"{s['secret']['name']}/{i['key']}" for s in secrets for i in s["secret"]["items"]}
        for line in text.splitlines():
            for word in line.split():
                if word.startswith("/etc/podpatterns/secrets/"):
                    assert word.removeprefix("/etc/podpatterns/secrets/") in given_keys
    assert sorted(mounted) == sorted(composition.data)
    assert {file.container for file in composition.files} <= containers
    assert set(composition.proxies) <= containers

"""Random objects of our kinds: mostly well, of few names and ports, so that they clash; or with a slip."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from testbed.manifests import manifest

CONTAINERS = ("web", "app", "s1", "s2", "adapter", "haproxy", "ambassador", "pgbouncer")
VOLUMES = ("v", "w", "data", "shared-memory", "adapter", "haproxy", "haproxy-run", "pgbouncer-run")
PORTS = (80, 81, 5432, 6379, 6380, 8125, 8404, 8405, 8406, 9090, 65535)
PLACES = (
    "/",
    "/v",
    "/v/",
    "/w",
    "/dev/shm",
    "/etc/podpatterns",
    "/run/haproxy",
    "/var/lib/podpatterns/volumes/v",
)
VARIABLES = ("HOST", "PORT", "OTHER")
METRICS = (
    "app_requests_total",
    "app_requests",
    "app_errors_total",
    "app_request_duration_seconds",
    "app_request_duration_seconds_sum",
    "app_request_duration_seconds_count",
    "app_resource_saturation",
    "own_seconds",
    "own_seconds_bucket",
    "adapter_own",
)
LABELS = ("code", "resource", "le", "__own", "quantile")
TEXTS = ("x", "", "${code}", "${}", "${code", "$${code}", "a${b${}", "$}")
JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    1.5,
    1 << 40,
    "",
    "x",
    "X Y",
    "é\x1b",
    "9" * 70,
    [],
    {},
    [None],
    [[]],
    {"": {}},
)


class Writer:
    """Writes objects, the same ones from the same chance."""

    def __init__(self, chance: Random) -> None:
        self._chance = chance

    def manifest(self) -> dict[str, Any]:
        """Return an object that has the form of its kind, as far as its fields tell one by one."""
        kind, spec = self._chance.choice(
            (("SidecarApp", self._sidecarapp), ("Ambassador", self._ambassador), ("Adapter", self._adapter))
        )
        return manifest(kind, "site", {**spec(), **self._pattern()})

    def slipped(self, obj: dict[str, Any]) -> dict[str, Any]:
        """Return the object with something else at a place or two."""
        changed = copy.deepcopy(obj)
        for _ in range(self._chance.choice((1, 1, 2))):
            places = list(_places(changed["spec"])) or [(changed, "spec")]
            node, key = self._chance.choice(places)
            match self._chance.randrange(4):
                case 0 if isinstance(node, dict):
                    node[f"{key}x"] = node.pop(key)
                case 1:
                    del node[key]
                case _:
                    node[key] = copy.deepcopy(self._chance.choice(JUNK))
        return changed

    def _seldom(self, times: int = 8) -> bool:
        return self._chance.randrange(times) == 0

    def _maybe(self, **fields: Callable[[], Any]) -> dict[str, Any]:
        return {name: make() for name, make in fields.items() if self._chance.random() < 0.3}

    def _some(self, values: tuple[str, ...], most: int) -> list[str]:
        return self._chance.sample(values, self._chance.randrange(most + 1))

    def _of(self, *values: Any) -> Callable[[], Any]:
        return lambda: self._chance.choice(values)

    def _pattern(self) -> dict[str, Any]:
        chance = self._chance
        spec: dict[str, Any] = {
            "sharedVolumes": [
                self._shared(name) for name in self._some(VOLUMES[: 8 if self._seldom() else 2], 2)
            ]
        }
        if not self._seldom(6):
            spec["template"] = self._template()
            if self._seldom():
                name = chance.choice(VOLUMES)
                spec["volumeClaimTemplates"] = [{"metadata": {"name": name}, "spec": {}}]
        return {**spec, **self._maybe(sharedMemory=self._of("64Mi"), replicas=self._of(0, 1, 3))}

    def _template(self) -> dict[str, Any]:
        spec: dict[str, Any] = {
            "containers": [self._container(n) for n in self._some(CONTAINERS[:3], 2) or ["web"]],
            "volumes": [{"name": n, "emptyDir": {}} for n in self._some(VOLUMES[2:3], 1)],
        }
        if self._seldom():
            spec["volumes"].append({"name": self._chance.choice(VOLUMES[3:])})
        if self._seldom(4):
            restarts = self._maybe(restartPolicy=self._of("Always"))
            spec["initContainers"] = [{**self._container("init"), **restarts}]
        if self._seldom(20):
            spec["containers"] = []
        return {
            "spec": {
                **spec,
                **self._maybe(shareProcessNamespace=self._of(True, False), hostPID=self._of(True)),
            }
        }

    def _container(self, name: str) -> dict[str, Any]:
        if self._seldom(16):
            name = self._chance.choice(CONTAINERS)
        return {
            "name": name,
            "image": self._chance.choice(
                ("web:1", "web", "web:latest", "r:5000/web", f"w@sha256:{'0' * 64}")
            ),
            **self._maybe(
                ports=lambda: [self._port() for _ in range(self._chance.choice((1, 1, 2)))],
                env=lambda: [{"name": n, "value": "x"} for n in self._some(VARIABLES, 1)],
                volumeMounts=self._mounts,
            ),
        }

    def _port(self) -> dict[str, Any]:
        return {
            "containerPort": self._chance.choice((self._chance.randrange(1000, 2000), *PORTS[:2])),
            **self._maybe(protocol=self._of("TCP", "UDP"), hostPort=self._of(8080, 8081, 0)),
        }

    def _mounts(self) -> list[dict[str, Any]]:
        names = [self._chance.choice(VOLUMES if self._seldom() else VOLUMES[:3]) for _ in range(2)]
        return [
            {"name": n, "mountPath": at} for n, at in zip(names, self._chance.sample(PLACES, 2), strict=True)
        ][: self._chance.choice((1, 1, 2))]

    def _shared(self, name: str) -> dict[str, Any]:
        of = CONTAINERS if self._seldom() else CONTAINERS[:1]
        mounts = [
            {"container": c, **self._maybe(mountPath=self._of(*PLACES), subPath=self._of("x"))}
            for c in self._some(of, 1)
        ]
        return {"name": name, "mountPath": self._chance.choice(("/x" + name, *PLACES[1:4])), "mounts": mounts}

    def _sidecarapp(self) -> dict[str, Any]:
        names = self._some(CONTAINERS[2:4] if not self._seldom() else CONTAINERS, 2)
        orders = self._of("BeforeApp", "WithApp")
        return {"sidecars": [{**self._container(n), **self._maybe(order=orders)} for n in names]}

    def _ambassador(self) -> dict[str, Any]:
        numbers = range(self._chance.choice((1, 1, 2, 3)))
        spec: dict[str, Any] = {"upstreams": [self._upstream(n) for n in numbers]}
        port = self._of(*PORTS)
        proxy = self._maybe(metricsPort=port, container=self._altered)
        return {**spec, **self._maybe(mode=self._of("Proxy", "Local"), proxy=lambda: proxy)}

    def _upstream(self, number: int) -> dict[str, Any]:
        ends = [
            self._chance.choice(
                ("a:1", "b:2", "[::1]:3", "[1.2.3.4]:3", "[abc]:4" if self._seldom() else "c:4")
            )
        ]
        protocol = self._chance.choice(("redis", "tcp", "http", "postgres", "memcached"))
        listen: dict[str, Any] = {
            "port": self._chance.choice((self._chance.randrange(1000, 2000), *PORTS[2:5]))
        }
        upstream: dict[str, Any] = {"name": f"u{number}", "protocol": protocol, "listen": listen}
        if protocol == "redis":
            more = self._maybe(
                reads=self._reads, readPolicy=self._of("Replica"), sentinel=lambda: {"masterName": "m"}
            )
            upstream["redis"] = {"endpoints": ends, **more}
        elif protocol == "postgres" and self._chance.random() < 0.5:
            upstream["postgres"] = {"endpoints": ends, "username": "u", **self._maybe(reads=self._reads)}
        else:
            upstream["endpoints"] = ends
            if self._seldom(4):
                name = "s" * 80 if self._seldom(4) else "s"
                listen["unixSocket"] = {"volume": self._chance.choice(VOLUMES[:2]), "name": name[:64]}
        local = {"container": self._container(f"local{number}")}
        return {**upstream, **self._maybe(env=self._env), "local": local}

    def _env(self) -> dict[str, Any]:
        return self._maybe(hostName=self._of(*VARIABLES), portName=self._of(*VARIABLES))

    def _reads(self) -> dict[str, Any]:
        return {"listen": {"port": self._chance.choice(PORTS)}, **self._maybe(env=self._env)}

    def _altered(self) -> dict[str, Any]:
        """A helper's container as its author alters it."""
        return self._maybe(image=self._of("own:1"), ports=lambda: [self._port()])

    def _adapter(self) -> dict[str, Any]:
        names = self._some(("json", "prometheus", "log", "statsd", "syslog", "proc"), 3) or ["json"]
        sources = [self._source(kind) for kind in names]
        rules = [self._rule(self._chance.choice(sources)) for _ in range(self._chance.randrange(4))]
        contract = self._maybe(labels=self._labels, buckets=self._of([1, 2.5], [2, 1], [1, 1]))
        name = self._chance.choice(("", "", "red/v1", "use/v1", "custom", "custom"))
        if name:
            contract["name"] = name
        if name == "custom":
            types = self._of("counter", "gauge", "histogram")
            contract["metrics"] = [
                {"name": n, "type": types(), **self._maybe(labels=lambda: self._some(LABELS[:2], 1))}
                for n in self._some(METRICS[:-1], 2) or ["own_total"]
            ]
        metrics = self._maybe(port=self._of(*PORTS))
        more = {"rules": rules, "contract": contract, "metrics": metrics}
        return {"sources": sources, **more, "adapter": self._maybe(container=self._altered)}

    def _source(self, kind: str) -> dict[str, Any]:
        file = self._file
        formats = self._maybe(format=self._of("json", "regex"))
        members: dict[str, Callable[[], dict[str, Any]]] = {
            "json": lambda: {"url": "http://127.0.0.1/", **self._maybe(socket=file)},
            "prometheus": lambda: {"url": "http://127.0.0.1/"},
            "log": lambda: {**file(), **formats},
            "statsd": lambda: {"port": self._chance.choice(PORTS), **self._maybe(socket=file)},
            "syslog": lambda: {"port": 5140, **self._maybe(socket=file, streamSocket=file), **formats},
            "proc": lambda: {"command": "x"},
        }
        return {"name": kind, "type": kind, kind: members[kind]()}

    def _file(self) -> dict[str, Any]:
        return {"volume": self._chance.choice(VOLUMES[:2]), "path": self._chance.choice("xy")}

    def _rule(self, source: dict[str, Any]) -> dict[str, Any]:
        kind = source["type"]
        lines = kind in ("log", "syslog") and source[kind].get("format", "regex") == "regex"
        paths = ("process_open_fds", "process_open_fds", "hits", "a - b", "a / b")
        finds = {"regex": "x"} if lines else {"path": self._chance.choice(paths)}
        identity = self._maybe(identity=self._of("id")) if self._seldom() else {}
        if self._chance.random() < 0.5:
            return {"source": source["name"], **finds, **identity, **self._emission()}
        emit = [{**self._emission(), **self._maybe(value=self._of("ms", ""))} for _ in range(2)]
        return {"source": source["name"], **finds, **identity, "emit": emit}

    def _emission(self) -> dict[str, Any]:
        how = self._maybe(scale=self._of(0.001, -1, 0, 2), aggregation=self._of("sum", "max"))
        metric = self._chance.choice(METRICS if self._seldom(4) else METRICS[:6])
        return {"metric": metric, **self._maybe(labels=self._labels), **(how if self._seldom(3) else {})}

    def _labels(self) -> dict[str, str]:
        names = self._some(LABELS if self._seldom(4) else LABELS[:2], 2)
        return {name: self._chance.choice(TEXTS if self._seldom(3) else TEXTS[:1]) for name in names}


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every field and item below a node, with what holds it."""
    for key, inner in list(node.items()) if isinstance(node, dict) else list(enumerate(node)):
        yield node, key
        if isinstance(inner, dict | list):
            yield from _places(inner)

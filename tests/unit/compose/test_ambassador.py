"""The pod fragment of an Ambassador; golden files show it whole."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from podpatterns.api import Ambassador, Pattern
from podpatterns.compose import CannotCompose, Composition, compose
from testbed.builders import adapter, ambassador, redis_upstream, sidecarapp, template

API = {
    "name": "api",
    "protocol": "http",
    "listen": {"port": 8081},
    "endpoints": ["api.example.com:443"],
}


def app(**spec: Any) -> Ambassador:
    return ambassador(template=template(), **spec)


def composed(pattern: Pattern, *parts: Pattern) -> Composition:
    return compose(pattern, parts)


def problems(pattern: Pattern, *parts: Pattern) -> list[str]:
    with pytest.raises(CannotCompose) as caught:
        composed(pattern, *parts)
    return [f"{p.reason} {p.path}" for p in caught.value.problems]


def helpers(composition: Composition) -> dict[str, dict[str, Any]]:
    return {c["name"]: c for c in composition.template["spec"]["initContainers"]}


def metrics_ports(composition: Composition) -> dict[str, int]:
    return {name: c["ports"][-1]["containerPort"] for name, c in helpers(composition).items()}


class TestProxies:
    def test_one_engine_has_the_metrics_port(self) -> None:
        assert metrics_ports(composed(app(upstreams=[API]))) == {"haproxy": 8404}
        assert metrics_ports(composed(app())) == {"ambassador": 8404}

    def test_the_second_has_the_next(self) -> None:
        both = app(upstreams=[API, redis_upstream()], proxy={"metricsPort": 9000})
        assert metrics_ports(composed(both)) == {"ambassador": 9000, "haproxy": 9001}

    def test_the_escape_hatch_is_merged_last(self) -> None:
        container = {
            "image": "mine",
            "env": [{"name": "GOMAXPROCS", "value": "1"}],
            "startupProbe": {"failureThreshold": 9},
            "ports": [{"containerPort": 6379, "hostPort": 6379}],
        }
        helper = helpers(composed(app(proxy={"container": container, "resources": {"limits": {"cpu": 1}}})))
        proxy = helper["ambassador"]
        assert (proxy["image"], proxy["env"]) == ("mine", container["env"])
        assert proxy["startupProbe"]["failureThreshold"] == 9
        assert proxy["startupProbe"]["httpGet"]["path"] == "/healthz"
        port = {"name": "cache", "containerPort": 6379, "hostPort": 6379, "protocol": "TCP"}
        assert proxy["ports"][0] == port
        assert proxy["resources"] == {"limits": {"cpu": 1}}

    @pytest.mark.parametrize("name", ["a-name-of-16-chr", "80", "a--b"])
    def test_a_name_that_no_port_may_have_is_left_out(self, name: str) -> None:
        proxy = helpers(composed(app(upstreams=[redis_upstream(name)])))["ambassador"]
        assert proxy["ports"][0] == {"containerPort": 6379}

    def test_parts_have_proxies_of_their_own(self) -> None:
        web = sidecarapp(
            template=template(),
            include=[{"kind": "Ambassador", "name": n} for n in ("cache", "queue")],
        )
        queue = ambassador("queue", upstreams=[redis_upstream("q", 6380)], proxy={"metricsPort": 8405})
        composition = composed(web, ambassador("cache"), queue)
        assert metrics_ports(composition) == {"ambassador-cache": 8404, "ambassador-queue": 8405}
        assert [f.container for f in composition.files] == ["ambassador-cache", "ambassador-queue"]

    def test_no_helper_gets_the_service_accounts_token(self) -> None:
        """The API server mounts it where nothing else is."""
        red = {"kind": "Adapter", "name": "red"}
        for name, helper in helpers(composed(app(include=[red]), adapter("red"))).items():
            at = {m["mountPath"]: m["name"] for m in helper["volumeMounts"]}
            assert at["/var/run/secrets/kubernetes.io/serviceaccount"] == name

    def test_proxies_get_no_shared_volumes(self) -> None:
        volume = {"name": "content", "mountPath": "/srv"}
        proxy = helpers(composed(app(sharedVolumes=[volume], sharedMemory="1Mi")))["ambassador"]
        assert {m["name"] for m in proxy["volumeMounts"]} == {"ambassador"}

    def test_unless_they_are_named(self) -> None:
        volume = {"name": "run", "mounts": [{"container": "ambassador", "mountPath": "/run/x"}]}
        proxy = helpers(composed(app(sharedVolumes=[volume])))["ambassador"]
        assert [m["name"] for m in proxy["volumeMounts"]][-1] == "run"


def by_two_ports(**changes: Any) -> dict[str, Any]:
    reads = {"listen": {"port": 6380}, "env": {"portName": "READ_PORT"}, **changes}
    return redis_upstream(readPolicy="PreferReplica", reads=reads)


class TestRedisByTwoPorts:
    def test_haproxy_stands_for_it_and_redis_ambassador_for_the_other(self) -> None:
        composition = composed(app(upstreams=[by_two_ports(), redis_upstream("queue", 6390)]))
        assert metrics_ports(composition) == {"ambassador": 8404, "haproxy": 8405}
        assert [p["containerPort"] for p in helpers(composition)["haproxy"]["ports"]] == [6379, 6380, 8405]

    @pytest.mark.parametrize(
        "beyond_haproxy",
        [
            pytest.param({"authSecretRef": {"name": "redis", "key": "password"}}, id="password"),
            pytest.param({"tls": {"certSecretRef": {"name": "client"}}}, id="client certificate"),
            pytest.param({"sentinel": {"masterName": "shop"}}, id="Sentinel"),
            pytest.param({"maxReplicaLag": "1s"}, id="lag"),
            pytest.param({"readAfterWrite": {"policy": "Causal"}}, id="causal reads"),
        ],
    )
    def test_redis_ambassador_stands_for_it_where_haproxy_knows_too_little(
        self, beyond_haproxy: dict[str, Any]
    ) -> None:
        redis = by_two_ports()
        upstream = {**redis, "redis": {**redis["redis"], **beyond_haproxy}}
        composition = composed(app(upstreams=[upstream]))
        assert [p["containerPort"] for p in helpers(composition)["ambassador"]["ports"]] == [6379, 6380, 8404]

    def test_the_application_is_told_both_ports(self) -> None:
        upstream = {**by_two_ports(), "env": {"portName": "PORT"}}
        assert self.variables(app(upstreams=[upstream])) == {"PORT": "6379", "READ_PORT": "6380"}

    def test_in_mode_local_they_are_one(self) -> None:
        local = {"container": {"name": "redis"}}
        upstream = {**by_two_ports(), "env": {"portName": "PORT"}, "local": local}
        assert self.variables(app(mode="Local", upstreams=[upstream])) == {
            "PORT": "6379",
            "READ_PORT": "6379",
        }

    def test_a_name_that_another_port_has_is_left_out(self) -> None:
        other = {**API, "name": "cache-reads"}
        ports = helpers(composed(app(upstreams=[by_two_ports(), other])))["haproxy"]["ports"]
        assert ports[:3] == [
            {"name": "cache", "containerPort": 6379},
            {"containerPort": 6380},
            {"name": "cache-reads", "containerPort": 8081},
        ]

    def test_its_ports_are_nobody_elses(self) -> None:
        other = {**API, "listen": {"port": 6380}}
        assert problems(app(upstreams=[by_two_ports(), other])) == [
            "PortsConflict spec.upstreams[1].listen.port"
        ]
        web = {"name": "web", "ports": [{"containerPort": 6380}]}
        assert problems(ambassador(template=template(web), upstreams=[by_two_ports()])) == [
            "PortsConflict spec.template.spec.containers[0].ports[0].containerPort"
        ]

    def test_a_port_and_a_variable_shape_the_pod_and_a_policy_does_not(self) -> None:
        before = composed(app(upstreams=[by_two_ports()]))
        for changed in (by_two_ports(listen={"port": 6381}), by_two_ports(env={"portName": "OTHER"})):
            assert composed(app(upstreams=[changed])).revision != before.revision
        policy = by_two_ports()
        policy["redis"]["readPolicy"] = "Replica"
        after = composed(app(upstreams=[policy]))
        assert after.revision == before.revision
        assert after.template == before.template
        assert after.files != before.files

    @staticmethod
    def variables(pattern: Pattern) -> dict[str, str]:
        [web] = composed(pattern).template["spec"]["containers"]
        return {v["name"]: v["value"] for v in web["env"]}


class TestLocal:
    def test_the_port_is_declared_if_the_author_has_not(self) -> None:
        silent, telling = (
            {**redis_upstream("a", 1), "local": {"container": {"name": "one"}}},
            {
                **redis_upstream("b", 2),
                "local": {"container": {"name": "two", "ports": [{"containerPort": 2}]}},
            },
        )
        found = helpers(composed(app(mode="Local", upstreams=[silent, telling])))
        assert [found[name]["ports"] for name in ("one", "two")] == [
            [{"name": "a", "containerPort": 1}],
            [{"containerPort": 2, "protocol": "TCP"}],
        ]

    def test_there_is_no_configuration(self) -> None:
        local = {**redis_upstream(), "local": {"container": {"name": "redis"}}}
        assert not composed(app(mode="Local", upstreams=[local])).files


class TestProblems:
    def test_a_port_of_the_application(self) -> None:
        web = {"name": "web", "ports": [{"containerPort": 6379}]}
        assert problems(ambassador(template=template(web))) == [
            "PortsConflict spec.template.spec.containers[0].ports[0].containerPort"
        ]

    def test_a_port_of_two_parts(self) -> None:
        web = sidecarapp(
            template=template(), include=[{"kind": "Ambassador", "name": n} for n in ("one", "two")]
        )
        assert problems(web, ambassador("one"), ambassador("two", proxy={"metricsPort": 1})) == [
            "PortsConflict Ambassador two: spec.upstreams[0].listen.port"
        ]

    def test_the_second_metrics_port(self) -> None:
        upstreams = [{**API, "listen": {"port": 8405}}, redis_upstream()]
        assert problems(app(upstreams=upstreams)) == ["PortsConflict spec.proxy.metricsPort"]
        last = app(upstreams=[API, redis_upstream()], proxy={"metricsPort": 65_535})
        assert problems(last) == ["InvalidSpec spec.proxy.metricsPort"]

    def test_a_variable_that_the_container_sets(self) -> None:
        web = {"name": "web", "env": [{"name": "REDIS_HOST", "value": "elsewhere"}]}
        upstream = {**redis_upstream(), "env": {"hostName": "REDIS_HOST"}}
        assert problems(ambassador(template=template(web), upstreams=[upstream])) == [
            "InvalidSpec spec.upstreams[0].env.hostName"
        ]

    def test_a_variable_with_two_values(self) -> None:
        web = sidecarapp(
            template=template(), include=[{"kind": "Ambassador", "name": n} for n in ("one", "two")]
        )
        one, two = (
            ambassador(
                name,
                upstreams=[{**redis_upstream("c", port), "env": {"portName": "PORT"}}],
                proxy={"metricsPort": port + 100},
            )
            for name, port in (("one", 1), ("two", 2))
        )
        assert problems(web, one, two) == ["InvalidSpec Ambassador two: spec.upstreams[0].env.portName"]

    def test_mode_local_without_a_server(self) -> None:
        assert problems(app(mode="Local")) == ["InvalidSpec spec.upstreams[0].local"]

    def test_brackets_without_an_address(self) -> None:
        assert problems(app(upstreams=[{**API, "endpoints": ["[:::]:1"]}])) == [
            "InvalidSpec spec.upstreams[0].endpoints[0]"
        ]

    def test_a_container_or_a_volume_of_the_helpers_name(self) -> None:
        taken = ambassador(
            template=template({"name": "ambassador"}, volumes=[{"name": "ambassador", "emptyDir": {}}])
        )
        assert problems(taken) == [
            "InvalidSpec spec.template.spec.containers[0].name",
            "InvalidSpec spec.template.spec.volumes[0].name",
        ]

    def test_a_part_with_a_name_too_long_for_a_container(self) -> None:
        name = "n" * 57
        web = sidecarapp(template=template(), include=[{"kind": "Ambassador", "name": name}])
        assert problems(web, ambassador(name)) == [f"InvalidSpec Ambassador {name}: metadata.name"]


class TestUnixSockets:
    def listening(self, name: str, volume: str = "run", port: int = 5432) -> dict[str, Any]:
        listen = {"port": port, "unixSocket": {"volume": volume, "name": name}}
        return {"name": f"db{port}", "protocol": "postgres", "listen": listen, "endpoints": ["postgres:5432"]}

    def with_volume(self, *upstreams: dict[str, Any]) -> Ambassador:
        return app(upstreams=list(upstreams), sharedVolumes=[{"name": "run", "mountPath": "/run/db"}])

    def test_the_proxy_listens_in_the_shared_volume(self) -> None:
        composition = composed(self.with_volume(self.listening(".s.PGSQL.5432")))
        mounts = helpers(composition)["haproxy"]["volumeMounts"]
        assert {"name": "run", "mountPath": "/run/sockets/run"} in mounts
        [file] = composition.files
        assert "    bind unix@/run/sockets/run/.s.PGSQL.5432 mode 666\n" in file.text

    def test_another_name_makes_new_pods_and_a_new_file(self) -> None:
        one, other = (composed(self.with_volume(self.listening(name))) for name in ("a", "b"))
        assert one.revision != other.revision
        assert one.files[0].key != other.files[0].key

    def test_what_is_wrong_is_said(self) -> None:
        assert problems(app(upstreams=[self.listening("a", "nowhere")])) == [
            "InvalidSpec spec.upstreams[0].listen.unixSocket.volume"
        ]
        assert problems(self.with_volume(self.listening("a"), self.listening("a", port=5433))) == [
            "InvalidSpec spec.upstreams[1].listen.unixSocket"
        ]
        long = "v" * 40
        volume = {"name": long, "mountPath": "/run/db"}
        assert problems(app(upstreams=[self.listening("n" * 40, long)], sharedVolumes=[volume])) == [
            "InvalidSpec spec.upstreams[0].listen.unixSocket"
        ]


def followed(**fields: Any) -> dict[str, Any]:
    return {
        "name": "db",
        "protocol": "postgres",
        "listen": {"port": 5432},
        "postgres": {"endpoints": ["pg:5432"], "username": "shop", **fields},
    }


PG_READS = {"listen": {"port": 5433}, "env": {"portName": "READ_PORT"}}


class TestPostgresThatIsFollowed:
    def test_a_proxy_of_its_own_stands_for_it(self) -> None:
        composition = composed(app(upstreams=[followed(reads=PG_READS), API, redis_upstream()]))
        assert metrics_ports(composition) == {"ambassador": 8404, "haproxy": 8405, "pgbouncer": 8406}
        proxy = helpers(composition)["pgbouncer"]
        assert [p["containerPort"] for p in proxy["ports"]] == [5432, 5433, 8406]
        assert proxy["image"].startswith("podpatterns/postgres-ambassador:")
        assert "--metrics=:8406" in proxy["args"]

    def test_without_its_settings_haproxy_does(self) -> None:
        plain = {**API, "name": "db", "protocol": "postgres"}
        assert metrics_ports(composed(app(upstreams=[plain]))) == {"haproxy": 8404}

    def test_the_program_is_told_what_is_its_own(self) -> None:
        upstream = {**followed(reads=PG_READS, pooling={}), "env": {"portName": "P"}, "required": False}
        composition = composed(app(upstreams=[upstream], proxy={"startWhen": "Healthy"}))
        [file] = composition.files
        assert yaml.safe_load(file.text) == {
            "proxy": {"startWhen": "Healthy"},
            "upstreams": [
                {
                    "name": "db",
                    "protocol": "postgres",
                    "listen": {"port": 5432},
                    "required": False,
                    "postgres": {
                        "endpoints": ["pg:5432"],
                        "username": "shop",
                        "pooling": {},
                        "reads": {"listen": {"port": 5433}},
                    },
                }
            ],
        }
        assert composition.unchecked == ()

    def test_its_secrets_are_in_the_volume_of_its_configuration(self) -> None:
        tls = {"caSecretRef": {"name": "ca", "key": "ca.crt"}, "certSecretRef": {"name": "client"}}
        fields = {"authSecretRef": {"name": "pg", "key": "password"}, "tls": tls}
        composition = composed(app(upstreams=[followed(**fields)]))
        sources = composition.template["spec"]["volumes"][0]["projected"]["sources"]
        assert [s["secret"]["name"] for s in sources[1:]] == ["ca", "client", "pg"]
        assert "Secret pg, key password (spec.upstreams[0].postgres.authSecretRef)" in composition.secrets

    def test_the_application_is_told_both_ports_and_in_mode_local_one(self) -> None:
        local = {"container": {"name": "postgres"}}
        upstream = {**followed(reads=PG_READS), "env": {"portName": "PORT"}, "local": local}
        variables = TestRedisByTwoPorts.variables
        assert variables(app(upstreams=[upstream])) == {"PORT": "5432", "READ_PORT": "5433"}
        assert variables(app(mode="Local", upstreams=[upstream])) == {"PORT": "5432", "READ_PORT": "5432"}

    def test_the_port_of_reads_is_nobody_elses(self) -> None:
        other = {**API, "listen": {"port": 5433}}
        told = problems(app(upstreams=[followed(reads=PG_READS), other]))
        assert told == ["PortsConflict spec.upstreams[0].postgres.reads.listen.port"]

    def test_a_port_shapes_the_pod_and_a_pool_does_not(self) -> None:
        before = composed(app(upstreams=[followed(reads=PG_READS)]))
        moved = composed(app(upstreams=[followed(reads={"listen": {"port": 5434}})]))
        pooled = composed(app(upstreams=[followed(reads=PG_READS, pooling={"size": 3}, database="shop")]))
        assert moved.revision != before.revision
        assert (pooled.revision, pooled.template) == (before.revision, before.template)
        assert pooled.files != before.files

    def test_brackets_without_an_address(self) -> None:
        told = problems(app(upstreams=[followed(endpoints=["[1]:5432"])]))
        assert told == ["InvalidSpec spec.upstreams[0].postgres.endpoints[0]"]

    def test_its_metrics_port_is_a_port(self) -> None:
        upstreams = [followed(), API, redis_upstream()]
        with pytest.raises(CannotCompose, match="give at most 65533"):
            composed(app(upstreams=upstreams, proxy={"metricsPort": 65534}))


class TestProbes:
    def configuration(self, **spec: Any) -> str:
        [file] = composed(app(**spec)).files
        return file.text

    def test_the_helper_is_told_which_upstreams_are_optional_and_when_to_start(self) -> None:
        optional = {**API, "name": "mail", "required": False, "listen": {"port": 8082}}
        reads = {**by_two_ports(), "required": False}
        told = self.configuration(upstreams=[API, optional, reads], proxy={"startWhen": "Healthy"})
        assert "    setenv OPTIONAL_UPSTREAMS mail,cache,cache.reads\n    setenv START_WHEN Healthy\n" in told
        assert "setenv" not in self.configuration(upstreams=[API])

    def test_what_nobody_checks_is_known(self) -> None:
        checked = {**API, "name": "www", "listen": {"port": 8082}, "healthCheck": {}}
        assert composed(app(upstreams=[API, checked, redis_upstream()])).unchecked == ("api",)


def cache(**changes: Any) -> dict[str, Any]:
    upstream = redis_upstream()
    redis = changes.pop("redis", {})
    return {**upstream, **changes, "redis": {**upstream["redis"], **redis}}


def test_a_client_certificate_is_a_file_and_its_key_where_either_proxy_looks() -> None:
    upstream = cache(redis={"tls": {"certSecretRef": {"name": "client"}}})
    volumes = composed(app(upstreams=[upstream])).template["spec"]["volumes"]
    items = volumes[0]["projected"]["sources"][1]["secret"]["items"]
    assert [item["path"] for item in items] == [
        "secrets/client/tls.crt",
        "secrets/client/tls.key",
        "secrets/client/tls.crt.key",
    ]


class TestRevision:
    BASE = app()

    @pytest.mark.parametrize(
        "spec",
        [
            pytest.param({"upstreams": [cache(redis={"endpoints": ["other:6379"]})]}, id="endpoints"),
            pytest.param({"upstreams": [cache(redis={"readPolicy": "Replica"})]}, id="readPolicy"),
            pytest.param({"upstreams": [cache(local={"container": {"name": "r"}})]}, id="local, not used"),
            pytest.param({"proxy": {"metricsPort": 8404}}, id="a default, spelled out"),
        ],
    )
    def test_stays_with_what_rolls_in(self, spec: dict[str, Any]) -> None:
        before, after = composed(self.BASE), composed(app(**spec))
        assert after.revision == before.revision
        assert after.template == before.template

    @pytest.mark.parametrize(
        "spec",
        [
            pytest.param({"upstreams": [cache(listen={"port": 6380})]}, id="port"),
            pytest.param({"upstreams": [cache(env={"portName": "P"})]}, id="variable"),
            pytest.param(
                {"upstreams": [cache(redis={"authSecretRef": {"name": "s", "key": "k"}})]}, id="Secret"
            ),
            pytest.param({"proxy": {"container": {"image": "mine"}}}, id="image"),
            pytest.param({"upstreams": [{**API, "listen": {"port": 6379}}]}, id="another engine"),
            pytest.param(
                {"mode": "Local", "upstreams": [cache(local={"container": {"name": "r"}})]}, id="mode"
            ),
        ],
    )
    def test_changes_with_what_shapes_the_pod(self, spec: dict[str, Any]) -> None:
        before, after = composed(self.BASE), composed(app(**spec))
        assert after.revision != before.revision
        assert after.template != before.template

    def test_the_least_version_of_tls_is_said(self) -> None:
        [file] = composed(app(upstreams=[{**API, "tls": {}}])).files
        assert "    ssl-default-server-options ssl-min-ver TLSv1.2\n" in file.text
        [plain] = composed(app(upstreams=[{k: v for k, v in API.items() if k != "tls"}])).files
        assert "ssl" not in plain.text

    def test_an_image_alone_leaves_the_file_where_it_is(self) -> None:
        """So that the change can be made in place."""
        before, after = composed(self.BASE), composed(app(proxy={"container": {"image": "mine"}}))
        assert before.files == after.files

    def test_is_the_same_in_every_version_of_the_operator(self) -> None:
        """A change of this value restarts every Ambassador's Pods at an upgrade."""
        assert composed(app(upstreams=[cache(env={"hostName": "H"}), API])).revision == "0b17655a64"

"""What a part brings along, what is given to it, and the parts of parts."""

from __future__ import annotations

from typing import Any

import pytest

from podpatterns.api import Pattern, parse
from podpatterns.compose import CannotCompose, compose, include_problems
from podpatterns.compose.part import parts_of
from testbed.builders import adapter, ambassador, template
from testbed.manifests import manifest

REPO = {"name": "REPO", "required": True}
GIT: dict[str, Any] = {
    "env": [REPO],
    "sidecars": [{"name": "git-sync", "image": "git", "env": [{"name": "REF", "value": "main"}]}],
}


def made(name: str, namespace: str = "default", kind: str = "SidecarApp", **spec: Any) -> Pattern:
    return parse(manifest(kind, name, spec, namespace=namespace, generation=1))


def include(name: str, kind: str = "SidecarApp", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "name": name, **fields}


def app(*includes: dict[str, Any], **spec: Any) -> Pattern:
    return made("site", template=spec.pop("template", template()), include=list(includes), **spec)


def given(**values: str) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in values.items()]


def pod(app: Pattern, *parts: Pattern) -> dict[str, Any]:
    spec = compose(app, parts).template["spec"]
    assert isinstance(spec, dict)
    return spec


def env(spec: dict[str, Any], container: str) -> dict[str, Any]:
    """Name -> value of a container's variables."""
    [found] = [c for c in (*spec.get("initContainers", ()), *spec["containers"]) if c["name"] == container]
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in found.get("env", ())}


def problems(app: Pattern, *parts: Pattern) -> list[str]:
    with pytest.raises(CannotCompose) as caught:
        compose(app, parts)
    return [str(p) for p in caught.value.problems]


class TestWhatItBringsAlong:
    def test_volumes_and_init_containers(self) -> None:
        token = {"name": "token", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}}
        agent = {"name": "agent", "volumeMounts": [{"name": "token", "mountPath": "/token"}]}
        part = made("vault", volumes=[token], initContainers=[{"name": "fetch"}], sidecars=[agent])
        spec = pod(app(include("vault"), template=template(initContainers=[{"name": "own"}])), part)
        assert spec["volumes"] == [token]
        assert [c["name"] for c in spec["initContainers"]] == ["fetch", "agent", "own"]
        assert "restartPolicy" not in spec["initContainers"][0]

    @pytest.mark.parametrize(
        ("kind", "other"), [("Ambassador", ambassador), ("Adapter", adapter)], ids=["Ambassador", "Adapter"]
    )
    def test_every_kind_can(self, kind: str, other: Any) -> None:
        part = other(
            "part",
            volumes=[{"name": "v", "emptyDir": {}}],
            initContainers=[{"name": "first"}],
            env=given(TZ="UTC"),
        )
        spec = pod(app(include("part", kind)), part)
        assert spec["volumes"][0] == {"name": "v", "emptyDir": {}}
        first, *others = spec["initContainers"]
        assert first["name"] == "first"
        assert all(env(spec, c["name"])["TZ"] == "UTC" for c in (first, *others))

    def test_its_variables_come_first_and_give_way_to_a_containers_own(self) -> None:
        sidecar = {"name": "s", "env": given(B="own", C="$(A)")}
        part = made("part", env=given(A="1", B="2"), sidecars=[sidecar], initContainers=[{"name": "i"}])
        spec = pod(app(include("part")), part)
        assert list(env(spec, "s").items()) == [("A", "1"), ("B", "own"), ("C", "$(A)")]
        assert env(spec, "i") == {"A": "1", "B": "2"}
        assert env(spec, "web") == {}

    @pytest.mark.parametrize(
        ("of_the_part", "own", "expected"),
        [
            (["A", "B", "C"], ["B"], ["A", "B", "C"]),
            (["A", "B", "C"], ["X", "B", "Y"], ["A", "X", "B", "C", "Y"]),
            (["A", "B", "C"], ["C", "A", "X"], ["B", "C", "A", "X"]),
            (["A"], ["X", "Y"], ["A", "X", "Y"]),
        ],
    )
    def test_a_variable_stands_after_those_that_it_may_refer_to(
        self, of_the_part: list[str], own: list[str], expected: list[str]
    ) -> None:
        """Kubernetes leaves $(A) as it is where A comes later."""
        sidecar = {"name": "s", "env": given(**dict.fromkeys(own, "own"))}
        part = made("part", env=given(**dict.fromkeys(of_the_part, "part")), sidecars=[sidecar])
        found = env(pod(app(include("part")), part), "s")
        assert list(found) == expected
        assert {name for name, value in found.items() if value == "own"} == set(own)

    @pytest.mark.parametrize(
        ("spec", "owner"),
        [
            ({"template": template(volumes=[{"name": "v"}])}, "spec.template.spec.volumes[0]"),
            ({"include": [include("a"), include("b")]}, "SidecarApp a: spec.volumes[0]"),
        ],
    )
    def test_a_volume_of_a_taken_name_is_refused(self, spec: dict[str, Any], owner: str) -> None:
        parts = [made(name, volumes=[{"name": "v", "emptyDir": {}}]) for name in "ab"]
        site = made("site", **{"template": template(), "include": [include("b")], **spec})
        assert problems(site, *parts) == [
            (
                f'SidecarApp b: spec.volumes[0].name: "v" is taken by {owner}: volume names are '
                "unique in a Pod, rename one"
            )
        ]

    def test_a_shared_volume_called_as_a_volume_of_a_part_is_refused(self) -> None:
        part = made("part", volumes=[{"name": "v", "emptyDir": {}}])
        site = app(include("part"), sharedVolumes=[{"name": "v", "mountPath": "/v"}])
        assert problems(site, part) == [
            (
                'spec.sharedVolumes[0].name: "v" is already a volume of the Pod, by SidecarApp part: '
                "spec.volumes[0]: rename one, or leave it out here and mount it by volumeMounts"
            )
        ]

    def test_an_init_container_of_a_taken_name_is_refused(self) -> None:
        parts = [made(name, initContainers=[{"name": "init"}]) for name in "ab"]
        [problem] = problems(app(include("a"), include("b")), *parts)
        assert problem.startswith(
            'SidecarApp b: spec.initContainers[0].name: "init" is taken by SidecarApp a: '
            "spec.initContainers[0]: "
        )

    def test_all_of_it_is_in_the_revision(self) -> None:
        variants: list[dict[str, Any]] = [
            {},
            {"volumes": [{"name": "v", "emptyDir": {}}]},
            {"initContainers": [{"name": "i"}]},
            {"env": given(A="1")},
        ]
        revisions = {compose(app(include("p")), [made("p", **v)]).revision for v in variants}
        assert len(revisions) == len(variants)


class TestParameters:
    def test_a_value_reaches_every_container_that_declares_the_variable(self) -> None:
        secret = {"name": "REF", "valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}}}
        site = app(include("git", env=[*given(REPO="x"), secret]))
        spec = pod(site, made("git", **GIT, initContainers=[{"name": "clone"}]))
        assert env(spec, "git-sync") == {"REPO": "x", "REF": secret["valueFrom"]}
        assert env(spec, "clone") == {"REPO": "x"}

    def test_the_operators_own_stay_in_its_helpers_whatever_a_part_declares(self) -> None:
        part = adapter("red", env=given(POD_NAME="part"), initContainers=[{"name": "i"}])
        spec = pod(app(include("red", "Adapter", env=given(POD_NAME="given"))), part)
        assert env(spec, "adapter-red")["POD_NAME"] == {"fieldRef": {"fieldPath": "metadata.name"}}
        assert env(spec, "i") == {"POD_NAME": "given"}

    def test_one_that_is_not_given_stays(self) -> None:
        spec = pod(app(include("git", env=given(REPO="x"))), made("git", **GIT))
        assert env(spec, "git-sync") == {"REPO": "x", "REF": "main"}

    def test_a_required_one_that_is_not_given_is_refused(self) -> None:
        assert problems(app(include("other"), include("git")), made("git", **GIT), made("other")) == [
            "spec.include[1].env: SidecarApp git demands the variable REPO: give it a value here"
        ]

    def test_one_that_is_not_declared_is_refused(self) -> None:
        assert problems(app(include("git", env=given(REPO="x", REFF="x"))), made("git", **GIT)) == [
            (
                'spec.include[0].env[1].name: SidecarApp git declares no variable "REFF": there is '
                "REF, REPO; did you mean REF?"
            )
        ]
        assert problems(app(include("none", env=given(X="x"))), made("none")) == [
            'spec.include[0].env[0].name: SidecarApp none declares no variable "X": it has none'
        ]

    def test_a_variable_of_the_operators_own_is_not_declared(self) -> None:
        [problem] = problems(app(include("legacy", "Adapter", env=given(POD_NAME="x"))), adapter())
        assert "declares no variable" in problem

    def test_resources_take_the_place_of_those_of_a_container(self) -> None:
        sidecar = {"name": "s", "resources": {"limits": {"cpu": "1"}, "requests": {"cpu": "1"}}}
        resources = [
            {"container": "s", "requests": {"memory": "1Gi"}},
            {"container": "ambassador-cache", "requests": {"cpu": "2"}},
        ]
        site = app(
            include("p", resources=resources[:1]), include("cache", "Ambassador", resources=resources[1:])
        )
        composition = compose(site, [made("p", sidecars=[sidecar]), ambassador("cache")])
        found = {c["name"]: c.get("resources") for c in composition.template["spec"]["initContainers"]}
        assert found == {"s": {"requests": {"memory": "1Gi"}}, "ambassador-cache": {"requests": {"cpu": "2"}}}
        assert composition.default_resources == frozenset(), "somebody wrote them"

    def test_resources_of_an_unknown_container_are_refused(self) -> None:
        site = app(include("git", env=given(REPO="x"), resources=[{"container": "gitsync"}]))
        assert problems(site, made("git", **GIT)) == [
            (
                'spec.include[0].resources[0].container: SidecarApp git has no container "gitsync": there is '
                "git-sync; did you mean git-sync?"
            )
        ]

    def test_what_is_given_is_in_the_revision(self) -> None:
        revisions = {
            compose(app(include("git", **fields)), [made("git", **GIT)]).revision
            for fields in (
                {"env": given(REPO="x")},
                {"env": given(REPO="y")},
                {"env": given(REPO="x"), "resources": [{"container": "git-sync", "limits": {"cpu": "1"}}]},
            )
        }
        assert len(revisions) == 3

    def test_thousands_of_names_cost_little(self) -> None:
        many = made("p", sidecars=[{"name": "s", "env": [{"name": f"N{i}"} for i in range(5_000)]}])
        [problem] = problems(app(include("p", env=given(X="x"))), many)
        assert problem.endswith("and 4995 more")


class TestNamespaces:
    PART = include("git", namespace="platform")
    NOT_SHARED = (
        'spec.include[0]: there is no SidecarApp "git" in namespace platform that is shared with namespace '
        "default: have its owner add default to its spec.sharedWith.namespaces, or take the entry out"
    )

    @pytest.mark.parametrize("names", [["default"], ["shop", "default"], ["*"]])
    def test_a_part_that_is_shared(self, names: list[str]) -> None:
        part = made("git", "platform", sharedWith={"namespaces": names}, sidecars=[{"name": "s"}])
        composition = compose(app(self.PART), [part])
        assert [c["name"] for c in composition.template["spec"]["initContainers"]] == ["s"]
        assert composition.parts == (("SidecarApp", "platform", "git", 1),)

    @pytest.mark.parametrize("shared", [None, {}, {"namespaces": ["shop", "defaul"]}])
    def test_whether_one_that_is_not_shared_exists_is_not_told(self, shared: Any) -> None:
        part = made("git", "platform", sharedWith=shared)
        assert problems(app(self.PART), part) == problems(app(self.PART)) == [self.NOT_SHARED]

    def test_one_of_the_own_namespace_is_another(self) -> None:
        assert problems(app(self.PART), made("git")) == [self.NOT_SHARED]
        pod(app({**self.PART, "namespace": "default"}), made("git"))

    def test_paths_name_the_namespace(self) -> None:
        part = made(
            "git",
            "platform",
            sharedWith={"namespaces": ["*"]},
            sidecars=[{"name": "s", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
        )
        [problem] = problems(app(self.PART), part)
        assert problem.startswith("SidecarApp platform/git: spec.sidecars[0].volumeMounts[0].name: ")

    def test_parts_of_a_part_are_of_its_namespace_and_shared_with_that_of_the_pod(self) -> None:
        outer = made("git", "platform", include=[include("base")], sharedWith={"namespaces": ["*"]})
        shared = made("base", "platform", sharedWith={"namespaces": ["default"]})
        pod(app(self.PART), outer, shared, made("base"))
        [problem] = problems(app(self.PART), outer, made("base", "platform"))
        assert problem.startswith(
            'SidecarApp platform/git: spec.include[0]: there is no SidecarApp "base" in namespace platform '
            "that is shared with namespace default: "
        )

    def test_a_part_is_not_told_of_other_namespaces(self) -> None:
        part = made("part", include=[self.PART])
        assert [p.named for p in parts_of(part, [made("git", "platform")])] == ["SidecarApp part"]
        assert [p.named for p in parts_of(part, [])] == ["SidecarApp part"]


class TestNesting:
    def test_parts_come_before_those_that_include_them(self) -> None:
        parts = [
            made("outer", include=[include("a"), include("b")], sidecars=[{"name": "outer"}]),
            made("a", sidecars=[{"name": "a"}], initContainers=[{"name": "a-init"}]),
            made("b", include=[include("a")], sidecars=[{"name": "b"}]),
        ]
        spec = pod(app(include("outer"), sidecars=[{"name": "own"}]), *parts)
        assert [c["name"] for c in spec["initContainers"]] == ["a-init", "a", "b", "outer", "own"]

    @pytest.mark.parametrize(
        ("includes", "told"),
        [
            (
                {"a": "b", "b": "a"},
                (
                    "SidecarApp b: spec.include[0]: SidecarApp a includes SidecarApp b, which includes "
                    "SidecarApp a"
                ),
            ),
            (
                {"a": "b", "b": "c", "c": "b"},
                (
                    "SidecarApp c: spec.include[0]: SidecarApp b includes SidecarApp c, which includes "
                    "SidecarApp b"
                ),
            ),
            (
                {"a": "site"},
                (
                    "SidecarApp a: spec.include[0]: SidecarApp site includes SidecarApp a, which includes "
                    "SidecarApp site"
                ),
            ),
        ],
    )
    def test_a_cycle_is_told_as_a_whole(self, includes: dict[str, str], told: str) -> None:
        parts = [made(name, include=[include(other)]) for name, other in includes.items()]
        [problem] = problems(app(include("a")), app(include("a")), *parts)
        assert problem == f"{told}: take one of these entries out"

    def test_a_part_that_is_missing_is_told_with_the_part_that_wants_it(self) -> None:
        [problem] = problems(app(include("a")), made("a", include=[include("b")]))
        assert problem.startswith('SidecarApp a: spec.include[0]: there is no SidecarApp "b"')
        with pytest.raises(CannotCompose, match=r'^spec\.include\[0\]: there is no SidecarApp "b"'):
            parts_of(made("a", include=[include("b")]), [])

    def test_the_outermost_word_counts(self) -> None:
        outer = made("outer", include=[include("git", env=given(REPO="outer", REF="outer"))])
        site = app(include("outer", env=given(REPO="site")))
        assert env(pod(site, outer, made("git", **GIT)), "git-sync") == {"REPO": "site", "REF": "outer"}

    def test_a_part_of_a_part_may_demand_a_value(self) -> None:
        outer = made("outer", include=[include("git")])
        assert problems(app(include("outer")), outer, made("git", **GIT)) == [
            "spec.include[0].env: SidecarApp git demands the variable REPO: give it a value here"
        ]
        assert [p.named for p in parts_of(outer, [made("git", **GIT)])] == [
            "SidecarApp outer",
            "SidecarApp git",
        ]

    def test_a_part_that_is_reached_twice_is_there_once(self) -> None:
        parts = [made("git", **GIT), *(made(n, include=[include("git", env=given(REPO="x"))]) for n in "ab")]
        site = app(include("a"), include("git", env=given(REPO="x")), include("b"))
        spec = pod(site, *parts)
        assert [c["name"] for c in spec["initContainers"]] == ["git-sync"]

    def test_with_other_values_it_is_refused(self) -> None:
        parts = [made("git", **GIT), made("a", include=[include("git", env=given(REPO="x"))])]
        assert problems(app(include("a"), include("git", env=given(REPO="y"))), *parts) == [
            (
                "SidecarApp a: spec.include[0]: SidecarApp git is also included by spec.include[1], "
                "which gives it another REPO: give the same in both, or take one out"
            )
        ]

    def test_what_is_given_to_others_makes_no_difference(self) -> None:
        parts = [made("git", **GIT), made("a", include=[include("git")], env=given(A="1"))]
        site = app(include("a", env=given(A="2", REPO="x")), include("git", env=given(REPO="x")))
        assert env(pod(site, *parts), "git-sync") == {"REPO": "x", "REF": "main"}

    def test_more_parts_than_a_pod_can_have_are_refused(self) -> None:
        chain = [made(f"p{i}", include=[include(f"p{i + 1}")]) for i in range(1_000)]
        assert problems(app(include("p0")), *chain) == [
            "spec.include: the Pod would have more than 128 parts: take some out"
        ]

    def test_many_ways_to_one_part_cost_little(self) -> None:
        """There are 2^60 of them."""
        layers = [
            [made(f"p{i}{n}", include=[include(f"p{i + 1}{m}") for m in "ab"]) for n in "ab"]
            for i in range(60)
        ]
        parts = [part for layer in layers for part in layer]
        parts += [made(f"p60{n}", sidecars=[{"name": n, "env": given(X="1")}]) for n in "ab"]
        spec = pod(app(include("p0a", env=given(X="2"))), *parts)
        assert env(spec, "a") == env(spec, "b") == {"X": "2"}


class TestAPartAlone:
    """What it gives to those that it includes is its own fault, before anybody makes Pods of it."""

    def test_it_gives_what_they_declare(self) -> None:
        outer = made("outer", include=[include("git", env=given(REPO="x", WRONG="y"))])
        [problem] = include_problems(outer, [made("git", **GIT)])
        assert str(problem).startswith(
            'spec.include[0].env[1].name: SidecarApp git declares no variable "WRONG"'
        )

    def test_a_part_of_it_gives_what_others_declare(self) -> None:
        inner = made("inner", include=[include("git", resources=[{"container": "wrong"}])])
        [problem] = include_problems(made("outer", include=[include("inner")]), [inner, made("git", **GIT)])
        assert str(problem).startswith("SidecarApp inner: spec.include[0].resources[0].container: ")

    def test_what_they_demand_can_be_given_by_others(self) -> None:
        assert include_problems(made("outer", include=[include("git")]), [made("git", **GIT)]) == []

    def test_what_a_part_declares_that_is_not_known_is_not_judged(self) -> None:
        """It may be shared with those who make Pods, and not with the namespace of this one."""
        far = made("far", "elsewhere", env=given(A="1"), sharedWith={"namespaces": ["shop"]})
        middle = made("middle", include=[include("far", namespace="elsewhere", env=given(A="2"))])
        outer = made("outer", include=[include("middle", env=given(A="3"))])
        assert include_problems(outer, [middle, far]) == []

"""The plan of a scenario, all of it from the seed: objects, steps, kills.

Some scenarios have a few steps of people who wish the operator ill or only wrote something odd
(`illwill.py`), put between the other steps, which a seed decides whether these are there or not. What keeps
an object from being as wanted is corrected in the end, as its author would when told: an edit that can't be
composed, a taken name, a forbidden history. Pods and revisions that only say what isn't so stay for good, as
they must harm nobody; no forged revision may ever have been run.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any, Literal, get_args

from testbed.hostile import ballast
from testbed.manifests import manifest

IMAGES = 4
LARGEST = 6
PART = "part"
STORAGE_CLASS = "chaos"
HOSTILE = 0.4
"""The share of scenarios with steps of ill will."""
WORKING = 0.3
"""The share of scenarios with a site whose Pods end by themselves."""
ORDERED = 0.3
"""The share of scenarios with a site whose Stable Pods have ordinals, an order and a Service of their own."""
CLAIMING = 0.2
"""The share of scenarios with a site whose Stable Pods have claims."""
BALLAST = 300_000
START_DELAYS = {"green": "300ms", "blue": "1s"}
"""By site, how long its nodes take to start or restart a container."""
Strategy = dict[str, Any]
Naming = Literal["Stable", "Generated"]


@dataclass(frozen=True, slots=True)
class Work:
    """Work that ends; with the last image it fails where nothing is tried twice."""

    policy: Literal["OnFailure", "Never"]
    works_for: str
    """The life of a Pod, such as 300ms."""
    backoff_limit: int


@dataclass(frozen=True, slots=True)
class Identity:
    """What Stable Pods have beyond their names."""

    start: int
    """The first ordinal."""
    policy: Literal["OrderedReady", "Parallel"]
    service: str

    def fields(self) -> dict[str, Any]:
        return {
            "ordinals": {"start": self.start},
            "podManagementPolicy": self.policy,
            "serviceName": self.service,
        }


@dataclass(frozen=True, slots=True)
class Claims:
    """The claims of Stable Pods, one each."""

    when_deleted: Literal["Retain", "Delete"]
    when_scaled: Literal["Retain", "Delete"]

    def fields(self) -> dict[str, Any]:
        policy = {"whenDeleted": self.when_deleted, "whenScaled": self.when_scaled}
        spec = {
            "storageClassName": STORAGE_CLASS,
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        }
        template = {"metadata": {"name": "data"}, "spec": spec}
        return {"volumeClaimTemplates": [template], "persistentVolumeClaimRetentionPolicy": policy}


@dataclass(frozen=True, slots=True)
class Site:
    """A SidecarApp that makes Pods."""

    name: str
    replicas: int = 1
    image: int = 1
    naming: Naming = "Stable"
    replacement: Literal["TerminatingOrFailed", "Failed"] = "TerminatingOrFailed"
    strategy: Strategy = field(default_factory=dict)
    include: bool = False
    ballast: int = 0
    """Bytes of environment variables."""
    broken: bool = False
    """It mounts a volume that it doesn't have, and can't be composed."""
    work: Work | None = None
    """Its Pods end by themselves."""
    identity: Identity | None = None
    """Of its Pods while they are Stable."""
    claims: Claims | None = None
    """Of its Pods while they are Stable."""

    def manifest(self) -> dict[str, Any]:
        web: dict[str, Any] = {"name": "web", "image": f"web:{self.image}"}
        if self.ballast:
            web["env"] = ballast(self.ballast)
        if self.broken:
            web["volumeMounts"] = [{"name": "nowhere", "mountPath": "/nowhere"}]
        annotations = {"test.example/start-delay": START_DELAYS.get(self.name, "0s")}
        pod: dict[str, Any] = {"terminationGracePeriodSeconds": 1, "containers": [web]}
        template = {"metadata": {"annotations": annotations}, "spec": pod}
        spec: dict[str, Any] = {
            "replicas": self.replicas,
            "template": template,
            "podNaming": self.naming,
            "podReplacementPolicy": self.replacement,
            "updateStrategy": self.strategy,
        }
        if work := self.work:
            annotations["test.example/works-for"] = work.works_for
            pod["restartPolicy"] = work.policy
            spec["backoffLimit"] = work.backoff_limit
            if self.image == IMAGES and not work.backoff_limit:
                web["image"] = "web:failing"
        if self.identity and self.naming == "Stable":
            spec |= self.identity.fields()
        if self.claims and self.naming == "Stable":
            web.setdefault("volumeMounts", []).append({"name": "data", "mountPath": "/data"})
            spec |= self.claims.fields()
        if self.include:
            spec["include"] = [{"kind": "SidecarApp", "name": PART}]
        return manifest("SidecarApp", self.name, spec)


def part(image: int) -> dict[str, Any]:
    """The part that sites include."""
    return manifest("SidecarApp", PART, {"sidecars": [{"name": "helper", "image": f"helper:{image}"}]})


IllWill = Literal[
    "break site",
    "enlarge site",
    "make stranger",
    "take name",
    "forget time",
    "forge revision",
    "forbid history",
]
"""The steps of people who wish the operator ill, or only wrote something odd."""


@dataclass(frozen=True, slots=True)
class Step:
    do: Literal[
        "apply",
        "apply part",
        "delete pod",
        "fail pod",
        "release pod",
        "delete site",
        "orphan site",
        "kill operator",
        "restart API server",
        "compact etcd",
        "allow history",
        IllWill,
    ]
    site: Site | None = None
    """As it is to be, for `apply`; else just whose Pod or which object."""
    number: int = 0
    """Which Pod or revision, counted round; which image of the part; which name is taken."""
    pause: int = 0
    """Requests of the operator to wait for before the next step, unless it falls silent."""

    def __str__(self) -> str:
        return f"{self.do} {self.site or ''} {self.number}, pause {self.pause}"


@dataclass(frozen=True, slots=True)
class Plan:
    seed: int
    steps: tuple[Step, ...]
    sites: tuple[Site, ...]
    """The objects that are wanted in the end."""
    kills: frozenset[int]
    """The numbers of the writes at which the operator is killed."""
    standby: bool
    """A second operator runs beside."""


def plan(seed: int) -> Plan:
    found = _with_work(Random(f"work {seed}"), _plan(seed))
    found = _with_identity(Random(f"identity {seed}"), found)
    found = _with_claims(Random(f"claims {seed}"), found)
    return replace(found, steps=_with_hostile_steps(Random(f"hostile {seed}"), found.steps))


def _plan(seed: int) -> Plan:
    random = Random(f"plan {seed}")
    sites = {name: _site(random, name) for name in ("red", "green", "blue")[: random.randint(1, 3)]}
    steps = [Step("apply part", number=1), *(Step("apply", site) for site in sites.values())]
    for _ in range(random.randint(4, 10)):
        site = random.choice(list(sites.values()))
        step = _step(random, site)
        if step.do == "apply" and step.site:
            sites[site.name] = step.site
        steps.append(step)
        if step.do in ("delete site", "orphan site") and random.random() < 0.5:
            steps.append(Step("apply", site, pause=random.randint(0, 8)))
    return Plan(
        seed=seed,
        steps=tuple(steps),
        # Held-back rollouts would never settle.
        sites=tuple(replace(site, strategy=_rolling(site.strategy)) for site in sites.values()),
        kills=frozenset(random.sample(range(1, 40), random.choice([0, 0, 1, 1, 2]))),
        standby=random.random() < 0.03,
    )


def _with_work(random: Random, plan: Plan) -> Plan:
    """The same steps, in some scenarios with one site that has work that ends."""
    if random.random() > WORKING:
        return plan
    name = random.choice([site.name for site in plan.sites])
    work = Work(
        random.choice(["OnFailure", "Never"]),
        random.choice(["0s", "300ms", "2s"]),
        random.choice([0, 6]),
    )

    def working(site: Site) -> Site:
        return replace(site, work=work) if site.name == name else site

    steps = (replace(step, site=working(step.site)) if step.site else step for step in plan.steps)
    return replace(plan, steps=tuple(steps), sites=tuple(map(working, plan.sites)))


def _with_identity(random: Random, plan: Plan) -> Plan:
    """The same steps, in some scenarios with one site whose ordinals and order change now and then."""
    if random.random() > ORDERED:
        return plan
    name = random.choice([site.name for site in plan.sites])
    last = _identity(random)

    def placed(site: Site) -> Site:
        nonlocal last
        if site.name != name:
            return site
        last = _identity(random) if random.random() < 0.3 else last
        return replace(site, identity=last)

    steps = tuple(replace(step, site=placed(step.site)) if step.site else step for step in plan.steps)
    sites = tuple(replace(site, identity=last) if site.name == name else site for site in plan.sites)
    return replace(plan, steps=steps, sites=sites)


def _with_claims(random: Random, plan: Plan) -> Plan:
    """The same steps, in some scenarios with one site whose Stable Pods have claims."""
    if random.random() > CLAIMING:
        return plan
    name = random.choice([site.name for site in plan.sites])
    claims = Claims(random.choice(["Retain", "Delete"]), random.choice(["Retain", "Delete"]))

    def claiming(site: Site) -> Site:
        return replace(site, claims=claims) if site.name == name else site

    steps = tuple(replace(step, site=claiming(step.site)) if step.site else step for step in plan.steps)
    return replace(plan, steps=steps, sites=tuple(map(claiming, plan.sites)))


def _identity(random: Random) -> Identity:
    return Identity(
        random.choice([0, 0, 2, 5]),
        random.choice(["OrderedReady", "OrderedReady", "Parallel"]),
        random.choice(["net", "net", "other"]),
    )


def peaceful(plan: Plan) -> Plan:
    """Without what ends the operator."""
    violent = ("kill operator", "restart API server", "compact etcd")
    steps = tuple(step for step in plan.steps if step.do not in violent)
    return replace(plan, steps=steps, kills=frozenset(), standby=False)


def _site(random: Random, name: str) -> Site:
    naming: Naming = random.choice(["Stable", "Generated"])
    return _changed(random, Site(name, naming=naming))


def _changed(random: Random, site: Site) -> Site:
    """Some of it; an odd count of things may change at once."""
    naming: Naming = site.naming if random.random() < 0.8 else random.choice(["Stable", "Generated"])
    generated = naming == "Generated"
    return replace(
        site,
        naming=naming,
        replicas=random.randint(0, LARGEST) if random.random() < 0.6 else site.replicas,
        image=random.randint(1, IMAGES) if random.random() < 0.5 else site.image,
        replacement=random.choice(["TerminatingOrFailed", "Failed"]) if generated else "TerminatingOrFailed",
        strategy=_strategy(random, surge=generated),
        include=random.random() < 0.4,
    )


def _strategy(random: Random, *, surge: bool) -> Strategy:
    strategy: Strategy = {
        "type": random.choice(["InPlaceIfPossible", "InPlaceIfPossible", "Recreate"]),
        "maxUnavailable": random.choice([1, 2, "25%", "50%", "100%"]),
    }
    containers = random.choice(["Helpers", "All", "All"])
    drain = random.choice([0, 0, 1]) if containers == "All" else 0
    strategy["inPlace"] = {"containers": containers, "drainSeconds": drain, "resizeTimeoutSeconds": 60}
    if surge:
        strategy["maxSurge"] = random.choice([0, 0, 1, 2, "30%"])
    held = random.choice(["", "", "", "", "paused", "OnDelete", "partition"])
    if held == "paused":
        strategy["paused"] = True
    elif held == "OnDelete":
        strategy["type"] = "OnDelete"
    elif held == "partition":
        strategy["partition"] = random.randint(1, 3)
    return strategy


def _rolling(strategy: Strategy) -> Strategy:
    kept = {
        name: value for name, value in strategy.items() if name in ("maxUnavailable", "maxSurge", "inPlace")
    }
    return {**kept, "type": "Recreate" if strategy["type"] == "Recreate" else "InPlaceIfPossible"}


def _step(random: Random, site: Site) -> Step:
    pause = random.choice([0, 0, 1, 3, 10, 30])
    number = random.randint(0, 100)
    [do] = random.choices(
        ["apply", "delete pod", "apply part", "delete site", "orphan site", "release pod", "kill operator"],
        [40, 25, 6, 6, 3, 4, 6],
    )
    rare = random.random()
    if rare < 0.01:
        return Step("restart API server", pause=pause)
    if rare < 0.02:
        return Step("compact etcd", pause=pause)
    if rare < 0.03:
        return Step("fail pod", site, number, pause)
    if do == "apply":
        return Step("apply", _changed(random, site), pause=pause)
    if do == "apply part":
        return Step("apply part", number=number % IMAGES, pause=pause)
    return Step(do, site, number, pause)  # type: ignore[arg-type]


def _with_hostile_steps(random: Random, steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same steps in the same order, in some scenarios with others in between."""
    if random.random() > HOSTILE:
        return steps
    found = list(steps)
    for _ in range(random.choice([1, 1, 2])):
        # Not before the first objects are there.
        first = next(i for i, step in enumerate(found) if step.do == "apply") + 1
        at = random.randint(first, len(found))
        site = random.choice([step.site for step in found[:at] if step.do == "apply" and step.site])
        found[at:at] = _hostile_steps(random, site)
    return tuple(found)


def _hostile_steps(random: Random, site: Site) -> list[Step]:
    """One deed, with its correction where one would come soon; the end of the scenario corrects all else."""
    number, pause = random.randint(0, 100), random.choice([0, 1, 3, 10, 30])
    do: IllWill = random.choice(get_args(IllWill))
    match do:
        case "break site":
            deed = Step("break site", replace(site, broken=True), pause=pause)
        case "enlarge site":
            deed = Step("enlarge site", replace(site, ballast=BALLAST), pause=pause)
        case _:
            deed = Step(do, site, number, pause)
    if do == "forge revision":
        # A Pod that is held back has to be made as its revision says.
        held = {"type": "Recreate", "maxUnavailable": 1, "partition": LARGEST}
        edit = replace(site, image=site.image % IMAGES + 1, strategy=held)
        return [deed, Step("apply", edit, pause=30), Step("delete pod", site, number, pause)]
    if do == "forbid history":
        return [deed, Step("apply", _changed(random, site), pause=pause), Step("allow history")]
    if do in ("break site", "enlarge site") and random.random() < 0.5:
        # Somebody loses a Pod meanwhile.
        return [deed, Step("delete pod", site, number, pause), Step("apply", site)]
    return [deed]

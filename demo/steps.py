"""The steps of the demonstration: each does one thing, waits for what must come of it and tells of it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from testbed.eventually import eventually
from testbed.pod import controllers, effective_capabilities, pod, ready, uid

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl
    from testbed.website import Website

REPLICAS = ("site-0", "site-1")

PAGE_SECONDS = 30
REPLACEMENT_SECONDS = 60


@dataclass(frozen=True)
class Shown:
    """An action, its result, and where that takes time, the seconds until then."""

    done: str
    came: str
    seconds: float | None = None


def push_to_deploy(website: Website) -> Shown:
    """A push becomes visible on the page of every replica."""
    text = f"<h1>Pushed at {time.strftime('%H:%M:%S')}</h1>\n"
    started = time.monotonic()
    website.push(text)
    eventually(
        lambda: {website.page(name) for name in REPLICAS}, PAGE_SECONDS, until=lambda pages: pages == {text}
    )
    seconds = time.monotonic() - started
    return Shown("git push", f"{' and '.join(REPLICAS)} serve the new page", seconds)


def replacement(kubectl: Kubectl, website: Website) -> Shown:
    """A deleted Pod comes back under its name, as another Pod, and serves."""
    before = uid(pod(kubectl, "site-0"))
    started = time.monotonic()
    kubectl("delete", "pod", "site-0", "--wait=false")
    new = eventually(
        lambda: pod(kubectl, "site-0"),
        REPLACEMENT_SECONDS,
        until=lambda pod: uid(pod) not in ("", before) and ready(pod),
    )
    eventually(lambda: website.page("site-0"), PAGE_SECONDS)
    seconds = time.monotonic() - started
    owner = kubectl.get("sidecarapp", "site")["metadata"]["uid"]
    if controllers(new) != [owner]:
        raise RuntimeError(f"site-0 should have one controller, {owner}: {controllers(new)}")
    return Shown(
        "kubectl delete pod site-0",
        f"site-0 is back and serves; its UID was {before[:8]}…, now it is {uid(new)[:8]}…",
        seconds,
    )


def privilege(kubectl: Kubectl) -> Shown:
    """Privilege goes to the container that asked for it, not to its neighbour in the Pod."""
    tuner, web = (effective_capabilities(kubectl, "tuned-0", name) for name in ("tuner", "web"))
    if not tuner or web:
        raise RuntimeError(f"tuner alone should have capabilities: {tuner:016x}, web {web:016x}")
    return Shown("privileged: true", f"CapEff of tuner is {tuner:016x}, of web beside it {web:016x}")

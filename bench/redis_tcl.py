"""Redis' own tests against an external server, through the ambassador and directly: which end differently?

python -m bench.redis_tcl [UNIT...]     units such as unit/type/hash, by default all of UNITS
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from bench.redis_suite import Outcomes, directly_and_through, judge
from testbed.cluster.cache import cached, digest
from testbed.cluster.command import run
from testbed.cluster.packages import require
from testbed.cluster.progress import step
from testbed.ports import free_port

UNITS = (
    *(
        f"unit/type/{name}"
        for name in ("hash", "incr", "list", "list-2", "set", "string", "zset", "stream", "stream-cgroups")
    ),
    *(f"unit/{name}" for name in ("keyspace", "scan", "expire", "dump", "sort", "multi", "pubsub")),
    *(
        f"unit/{name}"
        for name in ("protocol", "quit", "scripting", "functions", "introspection-2", "tracking")
    ),
    *(f"unit/{name}" for name in ("bitops", "bitfield", "geo", "hyperloglog", "querybuf", "other")),
)

REPLICATION = "takes part in replication, which an ambassador refuses, without that tag"

EXPLAINED = {
    "unit/scripting: not enough good replicas": "the primary has two good replicas here, the lone one none",
    "unit/querybuf: query buffer resized correctly when not idle": "the server lists the ambassador's"
    " connections, of which the client has two under its name: a shared one, and one for long commands",
    "unit/multi: MULTI and script timeout": "MULTI gets a connection of its own, which can't be set up while"
    " a script keeps the server busy: the client is told so, and its connection ends",
    "unit/expire: Redis should lazy expire keys": "reading on a replica doesn't make the primary expire keys",
}
"""Tests that end differently, and why that is right."""

REPLICATES = "needs:repl"
"""The tag of tests that take part in replication, which an ambassador refuses."""

SECONDS = 300
"""Seconds that a unit may take."""

SKIPPED = {
    **{
        f"{command}: Lazy-expire should not be wrapped in MULTI/EXEC": REPLICATION
        for command in ("SCAN", "RANDOMKEY")
    },
    "SWAPDB wants to wake blocked client, but the key already expired": REPLICATION,
    "MULTI + LPUSH + EXPIRE + DEBUG SLEEP on blocked client, key already expired": REPLICATION,
}
"""Tests that would end their unit, and why that is right."""

SENT = "        if {!$deferred} {\n            if {$blocking} {"
PAUSE = "        if {$deferred && [regexp -nocase {^(b[lrz]|xread|p?unsubscribe)} $method]} {after 100}\n"
"""Milliseconds after a command whose answer isn't read, before another client sends one.

Tests count on the server's getting the first one first. That is nobody's promise between two connections, and
through an ambassador a client's first blocking command has to make its connection to the server.
"""

_OUTCOME = re.compile(r"^\[(ok|err|exception)\]: (.*?)(?: \(\d+ ms\)| in tests/\S+)?$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def main() -> None:
    units = sys.argv[1:] or UNITS
    require({"tclsh": "tcl"})
    sources = next(cached("redis-sources", digest("redis", PAUSE), _download).glob("redis-*/"))
    with tempfile.TemporaryDirectory() as name:
        direct, ours = directly_and_through(Path(name), "Redis' tests", partial(_outcomes, sources, units))
    judge(direct, ours, EXPLAINED)


def _download(directory: Path) -> None:
    """Get Debian's source package of Redis, from where the machine has its packages."""
    lists = directory / "lists"
    (lists / "partial").mkdir(parents=True)
    form = "deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)"
    sources = directory / "sources.list"
    sources.write_text(
        run("apt-get", "indextargets", "--format", form, "Created-By: Packages", "Component: main")
    )
    options = [
        f"--option=Dir::Etc::SourceList={sources}",
        "--option=Dir::Etc::SourceParts=-",
        f"--option=Dir::State::Lists={lists}",
        "--option=APT::Sandbox::User=root",
    ]
    with step("Download Redis' sources"):
        run("apt-get", "--quiet", *options, "update")
        run("apt-get", "--quiet", *options, "--download-only", "source", "redis", directory=directory)
        run("tar", "-xzf", next(directory.glob("redis_*.orig.tar.gz")), "-C", directory)
    client = next(directory.glob("redis-*/tests/support/redis.tcl"))
    text = client.read_text()
    if SENT not in text:
        raise SystemExit(f"{client}: its clients send otherwise than they did; write SENT anew")
    client.write_text(text.replace(SENT, PAUSE + SENT))


def _outcomes(sources: Path, units: Sequence[str], port: int) -> Outcomes:
    """How each test ended."""
    outcomes: Outcomes = {}
    for unit in units:
        own: tuple[str, ...] = (
            "--baseport",
            str(free_port()),
            "--clients",
            "1",
            "--tags",
            f"-{REPLICATES}",
            "--single",
            unit,
        )
        own += tuple(word for test in SKIPPED for word in ("--skiptest", test))
        command = ("./runtest", "--host", "127.0.0.1", "--port", str(port), *own)
        # A test that fails, or breaks its unit off, is an outcome.
        told = run("sh", "-c", f'timeout {SECONDS} "$@" || true', "sh", *command, directory=sources)
        for how, test in _OUTCOME.findall(_COLOUR.sub("", told)):
            key = f"{unit}: {test}"
            if outcomes.get(key) in (None, "passed"):
                outcomes[key] = "passed" if how == "ok" else how
    return outcomes


if __name__ == "__main__":
    main()

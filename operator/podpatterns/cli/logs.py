"""`podpatterns logs`: the logs of all containers of an object's Pods."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Thread

import click

from podpatterns.cli.cluster import Cluster, Object, named, plural_of
from podpatterns.cli.error import CommandError
from podpatterns.cli.options import cluster_options
from podpatterns.cli.podview import pod_view

INTERVAL = 1.0
"""Seconds between two looks for new containers with --follow."""
COLOURS = ("cyan", "green", "yellow", "magenta", "blue", "bright_cyan", "bright_green", "bright_magenta")
UNITS = (3600, 60, 1)


@dataclass(frozen=True, slots=True)
class Source:
    """One container, from one start to its end."""

    pod: str
    uid: str
    container: str
    id: str
    """Of the container that was started; empty before."""

    @property
    def prefix(self) -> str:
        return f"{self.pod}/{self.container}"


def duration(text: str) -> int:
    """Return the seconds of a duration."""
    parts = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", text)
    seconds = (
        sum(int(part or 0) * unit for part, unit in zip(parts.groups(), UNITS, strict=True)) if parts else 0
    )
    if not seconds:
        raise click.BadParameter(f"{text} is no duration such as 30s, 5m or 1h30m")
    return seconds


def _seconds(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:  # noqa: ARG001
    return None if value is None else duration(value)


@click.command()
@click.argument("name", metavar="[KIND/]NAME")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, also of Pods that come.")
@click.option("--tail", type=click.IntRange(min=0), metavar="LINES", help="Last lines of each container.")
@click.option(
    "--since", metavar="DURATION", callback=_seconds, help="Only what is newer than that, such as 5m."
)
@click.option("-c", "--container", metavar="NAME", help="Only the containers of that name.")
@cluster_options
def logs(
    name: str, follow: bool, tail: int | None, since: int | None, container: str | None, cluster: Cluster
) -> None:
    """Print the logs of all containers of an object's Pods, each line with its Pod and container."""
    obj = cluster.existing(name)
    if not obj["spec"].get("template"):
        raise CommandError(f"{named(obj)} is a part and has no Pods: name an object that includes it")
    query = {
        **({} if tail is None else {"tailLines": str(tail)}),
        **({} if since is None else {"sinceSeconds": str(since)}),
    }
    printed = _Printed(cluster, query)
    found = _chosen(cluster.pods_of(obj), container)
    if not follow:
        printed.print(found)
    else:
        with suppress(KeyboardInterrupt):
            printed.follow(obj, found, container)


def _chosen(pods: Sequence[Object], container: str | None) -> list[Source]:
    found = list(sources(pods))
    chosen = [source for source in found if container in (None, source.container)]
    if not chosen:
        known = ", ".join(dict.fromkeys(source.container for source in found))
        told = f'no container "{container}", only {known}' if known else "no Pod"
        raise CommandError(f"there is {told}")
    return chosen


def sources(pods: Sequence[Object]) -> Iterator[Source]:
    """Yield all containers, in the order in which they start, Pod by Pod."""
    for pod in pods:
        view = pod_view(pod)
        for container in view.containers:
            yield Source(view.name, view.uid, container.name, container.id)


class _Printed:
    """The logs on standard output."""

    def __init__(self, cluster: Cluster, query: Mapping[str, str]) -> None:
        self._cluster = cluster
        self._query = query
        self._colours: dict[str, str] = {}

    def print(self, found: Sequence[Source]) -> None:
        """Print what there is, one container after the other; raises CommandError if there is nothing."""
        refused = [told for source in found if (told := self._print(source, self._query))]
        for told in refused[: len(refused) - (len(refused) == len(found))]:
            click.echo(told, err=True)
        if len(refused) == len(found):
            raise CommandError(refused[-1])

    def follow(self, obj: Object, found: Sequence[Source], container: str | None) -> None:
        """Print what comes, until the object is gone and all its containers have ended."""
        query, threads = {**self._query, "follow": "true"}, dict[Source, Thread]()
        uid = obj["metadata"]["uid"]
        while True:
            for source in found:
                if source.id and source not in threads and container in (None, source.container):
                    threads[source] = Thread(target=self._follow, args=(source, query), daemon=True)
                    threads[source].start()
            # A container that starts later has all its lines to be shown.
            query = {"follow": "true"}
            time.sleep(INTERVAL)
            found = list(sources(self._cluster.pods_of(obj)))
            if not found and not any(t.is_alive() for t in threads.values()) and self._is_gone(obj, uid):
                return

    def _is_gone(self, obj: Object, uid: str) -> bool:
        there = self._cluster.get(plural_of(obj), obj["metadata"]["name"])
        return there is None or there["metadata"]["uid"] != uid

    def _follow(self, source: Source, query: Mapping[str, str]) -> None:
        if told := self._print(source, query):
            click.echo(told, err=True)

    def _print(self, source: Source, query: Mapping[str, str]) -> str:
        """Print a log to its end; return why that can't be done, or nothing."""
        colour = self._colours.setdefault(source.prefix, COLOURS[len(self._colours) % len(COLOURS)])
        prefix = click.style(source.prefix, fg=colour)
        try:
            for line in self._cluster.log(source.pod, {"container": source.container, **query}):
                click.echo(f"{prefix} {line}")
        except CommandError as error:
            return f"{source.prefix}: {error.message}"
        return ""

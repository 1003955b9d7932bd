"""`podpatterns run`: the operator itself."""

from __future__ import annotations

import asyncio
import gc
import re

import click

from podpatterns.cli.error import CommandError
from podpatterns.cli.helperimages import helper_images
from podpatterns.compose import HelperImages

COLLECTIONS = (20_000, 20, 20)
"""Python's thresholds for looking for garbage. What is loaded stays, and what comes and goes by the
thousands, JSON, has no cycles: with Python's own thresholds the search took a twelfth of the operator's
time at 300 objects and held everything up for 0.1 s now and then; with these it takes a quarter of that."""


NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def _namespaces(_: click.Context, __: click.Parameter, written: str | None) -> tuple[str, ...]:
    if written is None:
        return ()
    names = tuple(dict.fromkeys(written.split(",")))
    for name in names:
        if not NAME.fullmatch(name):
            raise click.BadParameter(f'"{name}" is no name of a namespace')
    return names


@click.command()
@click.option(
    "--leader-election-namespace",
    metavar="NAMESPACE",
    help="Namespace of the Lease by which one of a cluster's operators leads, or of those that watch the "
    "same namespaces: the same one for all of them. Default: kube-system.",
)
@click.option(
    "--watch-namespaces",
    "namespaces",
    metavar="NAMESPACE[,NAMESPACE...]",
    callback=_namespaces,
    help="Watch these namespaces only; needs --leader-election-namespace. Default: all.",
)
@click.option(
    "--health-probe-bind-address",
    metavar="HOST:PORT",
    help="Serve /healthz and /readyz at this address, such as :8080. Default: serve none.",
)
@click.option(
    "--metrics-bind-address",
    metavar="HOST:PORT",
    help="Serve /metrics at this address, such as :8081. Default: serve none.",
)
@helper_images
@click.option(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
    default="INFO",
    show_default=True,
    help="Least severe messages to log; the log is JSON lines on standard error.",
)
def run(
    leader_election_namespace: str | None,
    namespaces: tuple[str, ...],
    health_probe_bind_address: str | None,
    metrics_bind_address: str | None,
    images: HelperImages,
    log_level: str,
) -> None:
    """Run the operator, in a cluster or with the current kubeconfig."""
    # Slow to import, and needed by this command alone.
    from kubernetes.aio.config import ConfigException  # noqa: PLC0415

    from podpatterns.controller.leadership import CLUSTER_NAMESPACE, LeadershipLostError  # noqa: PLC0415
    from podpatterns.controller.logs import configure  # noqa: PLC0415
    from podpatterns.controller.process import BindAddresses, serve  # noqa: PLC0415

    if namespaces and not leader_election_namespace:
        raise click.UsageError(
            "--watch-namespaces needs --leader-election-namespace: that of the Lease of all operators that "
            "watch one of these"
        )
    configure(log_level)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    try:
        addresses = BindAddresses(health_probe_bind_address, metrics_bind_address)
        lease_namespace = leader_election_namespace or CLUSTER_NAMESPACE
        asyncio.run(serve(lease_namespace, addresses, images, namespaces=namespaces))
    except* (LeadershipLostError, ConfigException) as ends:
        raise CommandError("; ".join(map(str, ends.exceptions))) from None

"""`podpatterns run`: the operator itself."""

from __future__ import annotations

import asyncio
import gc

import click

from podpatterns.cli.error import CommandError
from podpatterns.cli.helperimages import helper_images
from podpatterns.compose import HelperImages

COLLECTIONS = (20_000, 20, 20)
"""Python's thresholds for looking for garbage. What is loaded stays, and what comes and goes by the
thousands, JSON, has no cycles: with Python's own thresholds the search took a twelfth of the operator's
time at 300 objects and held everything up for 0.1 s now and then; with these it takes a quarter of that."""


@click.command()
@click.option(
    "--leader-election-namespace",
    metavar="NAMESPACE",
    default="kube-system",
    show_default=True,
    help="Namespace of the Lease by which one of a cluster's operators leads: the same one for all of them.",
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
    leader_election_namespace: str,
    health_probe_bind_address: str | None,
    metrics_bind_address: str | None,
    images: HelperImages,
    log_level: str,
) -> None:
    """Run the operator, in a cluster or with the current kubeconfig."""
    # Slow to import, and needed by this command alone.
    from kubernetes.aio.config import ConfigException  # noqa: PLC0415

    from podpatterns.controller.leadership import LeadershipLostError  # noqa: PLC0415
    from podpatterns.controller.logs import configure  # noqa: PLC0415
    from podpatterns.controller.process import BindAddresses, serve  # noqa: PLC0415

    configure(log_level)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECTIONS)
    try:
        addresses = BindAddresses(health_probe_bind_address, metrics_bind_address)
        asyncio.run(serve(leader_election_namespace, addresses, images))
    except* (LeadershipLostError, ConfigException) as ends:
        raise CommandError("; ".join(map(str, ends.exceptions))) from None

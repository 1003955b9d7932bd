"""`podpatterns run`: the operator itself."""

from __future__ import annotations

import asyncio
import logging

import click
from pythonjsonlogger.json import JsonFormatter


@click.command()
@click.option(
    "--lease-namespace",
    envvar="POD_NAMESPACE",
    default="default",
    show_default=True,
    help="Namespace of the Lease that keeps a second operator waiting.",
)
@click.option(
    "--health",
    metavar="URL",
    help="Answer liveness and readiness probes here, such as http://0.0.0.0:8080/healthz.",
)
@click.option(
    "--log-level",
    type=click.Choice(["DEBUG", "INFO", "WARNING", "ERROR"]),
    default="INFO",
    show_default=True,
    help="How much to log; the log is JSON lines on standard error.",
)
def run(lease_namespace: str, health: str | None, log_level: str) -> None:
    """Run the operator, in a cluster or with the current kubeconfig."""
    from podpatterns.controller.shell import serve  # noqa: PLC0415 (slow to import, needed here alone)

    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=log_level, handlers=[handler])
    asyncio.run(serve(lease_namespace, health))

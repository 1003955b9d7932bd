"""Options that several commands have, called as kubectl's."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce, wraps
from typing import Any

import click

Command = Callable[..., Any]

namespace_option = click.option(
    "-n", "--namespace", help="The namespace. Default: that of the kubeconfig's context."
)
context_option = click.option("--context", help="The kubeconfig's context. Default: the current one.")
kubeconfig_option = click.option(
    "--kubeconfig",
    type=click.Path(),
    metavar="FILE",
    help="The kubeconfig. Default: the files of $KUBECONFIG, or ~/.kube/config.",
)
all_namespaces_option = click.option("-A", "--all-namespaces", is_flag=True, help="All namespaces.")
files_option = click.option(
    "-f",
    "--filename",
    "files",
    type=click.Path(allow_dash=True),
    metavar="FILENAME",
    multiple=True,
    required=True,
    help="Manifests, in YAML or JSON: a file, a directory or a URL; - reads stdin.",
)


def cluster_options(command: Command) -> Command:
    """Give a command the options that say which cluster and which namespace it is about; it gets these as its
    argument `cluster`."""

    @wraps(command)
    def with_cluster(
        *, namespace: str | None, context: str | None, kubeconfig: str | None, **arguments: Any
    ) -> Any:
        from podpatterns.cli.cluster import Cluster  # noqa: PLC0415 (not needed for the help)

        return command(cluster=Cluster(namespace, context, kubeconfig), **arguments)

    options = (kubeconfig_option, context_option, namespace_option)
    return reduce(lambda wrapped, option: option(wrapped), options, with_cluster)


def output_option(*formats: str) -> Callable[[Command], Command]:
    """Give a command the option for the format of its output."""
    return click.option("-o", "--output", type=click.Choice(formats), help="Format of the output.")


def timeout_option(default: int) -> Callable[[Command], Command]:
    """Give a command that waits the option for the longest wait."""
    return click.option(
        "--timeout",
        type=click.IntRange(min=0),
        metavar="SECONDS",
        default=default,
        show_default=True,
        help="Seconds to wait at most; 0: any time.",
    )

"""Options that several commands have, called as kubectl's."""

from __future__ import annotations

import click

namespace_option = click.option(
    "-n", "--namespace", help="The namespace. Default: that of the kubeconfig's context."
)
context_option = click.option("--context", help="The kubeconfig's context. Default: the current one.")
files_option = click.option(
    "-f",
    "--filename",
    "files",
    metavar="FILENAME",
    multiple=True,
    required=True,
    help="Manifests, in YAML or JSON: a file, a directory or a URL; - reads stdin.",
)

"""Options for the images of the helpers' containers, alike for `run` and for `render`."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce, wraps
from typing import Any

import click

from podpatterns.compose import COMPOSED, HelperImages

DEFAULT = HelperImages()
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Command = Callable[..., Any]


def _digests(_: click.Context, __: click.Parameter, written: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in written:
        helper, _equals, digest = one.partition("=")
        if helper not in COMPOSED:
            raise click.BadParameter(f'there is no helper "{helper}": it is one of {", ".join(COMPOSED)}')
        if not DIGEST.fullmatch(digest):
            raise click.BadParameter(f"{one} is not of the form HELPER=sha256:<64 hexadecimal digits>")
        found[helper] = digest
    return found


OPTIONS = (
    click.option(
        "--helper-image-repository",
        "repository",
        metavar="REPOSITORY",
        default=DEFAULT.repository,
        show_default=True,
        help="Pull the helpers' images from here: REPOSITORY/redis-ambassador:<tag>, and so on.",
    ),
    click.option(
        "--helper-image-tag",
        "tag",
        metavar="TAG",
        default=DEFAULT.tag,
        show_default=True,
        help="Tag of the helpers' images.",
    ),
    click.option(
        "--helper-image-digest",
        "digests",
        metavar="HELPER=DIGEST",
        multiple=True,
        callback=_digests,
        help="Digest of a helper's image, instead of the tag: redis-ambassador=sha256:…",
    ),
    click.option(
        "--helper-image-pull-policy",
        "pull_policy",
        type=click.Choice(["Always", "IfNotPresent", "Never"]),
        help="imagePullPolicy of the helpers' containers. Default: Kubernetes' own.",
    ),
    click.option(
        "--helper-image-pull-secret",
        "pull_secrets",
        metavar="NAME",
        multiple=True,
        help="Secret for their registry: added to each Pod that has a helper, in whose namespace it must be.",
    ),
)


def helper_images(command: Command) -> Command:
    """Give a command these options; it gets what they say as its argument `images`."""

    @wraps(command)
    def with_images(
        *,
        repository: str,
        tag: str,
        digests: dict[str, str],
        pull_policy: str | None,
        pull_secrets: tuple[str, ...],
        **arguments: Any,
    ) -> Any:
        images = HelperImages(repository, tag, digests, pull_policy or DEFAULT.pull_policy, pull_secrets)
        return command(images=images, **arguments)

    return reduce(lambda wrapped, option: option(wrapped), reversed(OPTIONS), with_images)

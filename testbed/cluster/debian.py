"""The Debian images that all others stand on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from testbed.cluster.cache import digest
from testbed.cluster.command import run
from testbed.cluster.image import DIGEST, image_id, label, pull
from testbed.cluster.packages import require
from testbed.cluster.progress import step

# The suites are pinned, their packages aren't: Debian's mirrors keep only the newest version of each, with
# its security fixes, so a version that is pinned today can't be installed tomorrow.
BOOKWORM = "bookworm"
"""For the node, which runs on cgroup v1 too, the examples, and the helpers, whose tests run its programs."""
TRIXIE = "trixie"
"""For the operator, and to compile."""

OPTIONS = (
    "--quiet",
    "--mode=root",
    "--variant=minbase",
    # Symbolic links from the start; otherwise a package that makes them later brings all of Perl along.
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
    "--include=usr-is-merged",
    # What follows holds for packages installed later, too. Nothing needs to be safe on disk at once: an image
    # that isn't complete is thrown away.
    "--dpkgopt=force-unsafe-io",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-exclude=/usr/share/man/*",
    # As in the published image, apt leaves nothing behind. mmdebstrap itself needs what it downloads a while.
    '--aptopt=Dir::Cache::pkgcache ""',
    '--aptopt=Dir::Cache::srcpkgcache ""',
    "--customize-hook=echo 'APT::Keep-Downloaded-Packages \"false\";' > $1/etc/apt/apt.conf.d/no-archives",
)


# What the owner of this machine trusts beside Debian's authorities, such as a proxy's.
AUTHORITIES = Path("/usr/local/share/ca-certificates")


def debian(suite: str = BOOKWORM) -> str:
    """Return the tag of a small Debian image: the published one, or one made from packages.

    Raises:
        RuntimeError: the published one can't be had, and only root can make one.
    """
    published, built = f"debian:{suite}-slim", f"podpatterns/debian:{suite}"
    options = _options(suite)
    made_from = digest(suite, *options, *_authorities(suite))
    if label(built, DIGEST) == made_from:
        return built
    if image_id(published) or pull(published):
        return published
    if os.geteuid() != 0:
        raise RuntimeError(f"the image {published} can't be pulled, and only root can make one from packages")
    require({"mmdebstrap": "mmdebstrap"})
    with step(f"Build the image {built} from packages"), tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "debian.tar"
        _bootstrap(suite, options, archive, Path(directory))
        run("docker", "import", f"--change=LABEL {DIGEST}={made_from}", "--change=CMD bash", archive, built)
    return built


def _options(suite: str) -> tuple[str, ...]:
    if not _authorities(suite):
        return OPTIONS
    return (*OPTIONS, f"--customize-hook=copy-in {AUTHORITIES} {AUTHORITIES.parent}")


def _authorities(suite: str) -> list[Path]:
    """Return the certificates for what is fetched in a build; the images for bookworm take packages alone."""
    return sorted(AUTHORITIES.glob("*.crt")) if suite == TRIXIE else []


def _bootstrap(suite: str, options: tuple[str, ...], archive: Path, directory: Path) -> None:
    # In memory, which is twice as fast; the mount is gone with the process.
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs "$TMPDIR" && exec "$@"', "sh"]
    work = directory / "work"
    work.mkdir()
    command: list[str | Path] = [*mount, "mmdebstrap", *options, suite, archive, *_mirror(suite)]
    run(*command, environment={"TMPDIR": str(work)})


def _mirror(suite: str) -> list[str]:
    """Return where this machine gets packages of Debian from; nothing, for the default, if it doesn't."""
    form = "$(REPO_URI) $(RELEASE) $(COMPONENT)"
    lines = run(
        "apt-get", "indextargets", "--format", form, "Created-By: Packages", "Component: main"
    ).splitlines()
    sources = []
    for uri, release, component in map(str.split, lines):
        codename, _, pocket = release.partition("-")
        if codename in (BOOKWORM, TRIXIE):
            sources.append(f"deb {uri} {f'{suite}-{pocket}' if pocket else suite} {component}")
    return sources

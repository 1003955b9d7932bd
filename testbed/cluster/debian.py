"""The Debian image that all others stand on."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from testbed.cluster.cache import digest
from testbed.cluster.command import run
from testbed.cluster.image import DIGEST, image_id, label, pull
from testbed.cluster.packages import require
from testbed.cluster.progress import step

# The suite is pinned, its packages aren't: Debian's mirrors keep only the newest version of each, with its
# security fixes, so a version that is pinned today can't be installed tomorrow.
SUITE = "bookworm"
PUBLISHED = "debian:bookworm-slim"
BUILT = "podpatterns/debian:bookworm"

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


def debian() -> str:
    """The tag of a small Debian image that the engine has: the published one, or one made from packages.

    Raises:
        RuntimeError: the published one can't be had, and only root can make one.
    """
    options = digest(SUITE, *OPTIONS)
    if label(BUILT, DIGEST) == options:
        return BUILT
    if image_id(PUBLISHED) or pull(PUBLISHED):
        return PUBLISHED
    if os.geteuid() != 0:
        raise RuntimeError(f"the image {PUBLISHED} can't be pulled, and only root can make one from packages")
    require({"mmdebstrap": "mmdebstrap"})
    with step(f"Build the image {BUILT} from packages"), tempfile.TemporaryDirectory() as directory:
        archive = Path(directory) / "debian.tar"
        _bootstrap(archive, Path(directory))
        run("docker", "import", f"--change=LABEL {DIGEST}={options}", "--change=CMD bash", archive, BUILT)
    return BUILT


def _bootstrap(archive: Path, directory: Path) -> None:
    # In memory, which is twice as fast; the mount is gone with the process.
    mount = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs "$TMPDIR" && exec "$@"', "sh"]
    work = directory / "work"
    work.mkdir()
    run(*mount, "mmdebstrap", *OPTIONS, SUITE, archive, *_mirror(), environment={"TMPDIR": str(work)})


def _mirror() -> list[str]:
    """Where this machine gets packages of the suite from; nothing, for Debian's default, if it doesn't."""
    form = "deb $(REPO_URI) $(RELEASE) $(COMPONENT)"
    sources = run(
        "apt-get", "indextargets", "--format", form, "Created-By: Packages", "Component: main"
    ).splitlines()
    return [source for source in sources if source.split()[2].startswith(SUITE)]

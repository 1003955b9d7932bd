"""A cache of what takes long to build, per user and by the content that it is made from.

Entries lie in `${XDG_CACHE_HOME:-~/.cache}/podpatterns/<name>/<key>`. They never change once there, so any
number of checkouts and processes may share them, and the whole directory may be deleted whenever nothing
runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def cache_directory() -> Path:
    """The root of the cache; it need not exist yet."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "podpatterns"


def cached(name: str, key: str, build: Callable[[Path], object]) -> Path:
    """The directory `<cache>/<name>/<key>`, filled by `build` when it is missing.

    `build` gets an empty directory that is renamed into place when it returns, so an entry is there
    completely or not at all, wherever the process is killed. Others that want the same entry wait
    meanwhile. What `build` raises is raised here, and nothing is kept. It must leave nothing mounted
    inside: what a killed build left is removed.
    """
    entry = cache_directory() / name / key
    if entry.exists():
        return entry
    with lock(f"{name}-{key}"):
        if not entry.exists():
            entry.parent.mkdir(parents=True, exist_ok=True)
            for abandoned in entry.parent.glob(f".{key}.*"):
                shutil.rmtree(abandoned, ignore_errors=True)
            # Each attempt has a name of its own: children of a killed one may go on writing for a while.
            unfinished = entry.with_name(f".{key}.{os.getpid()}")
            unfinished.mkdir()
            try:
                build(unfinished)
                unfinished.rename(entry)
            except BaseException:
                shutil.rmtree(unfinished)
                raise
    return entry


def name_in_cache(path: Path) -> str:
    """The name of something in the cache, which stands for its content; empty for a path outside."""
    cache = cache_directory()
    return str(path.relative_to(cache)) if path.is_relative_to(cache) else ""


@contextmanager
def lock(name: str) -> Iterator[None]:
    """Holds the lock `name` against other processes and threads; freed even when its holder is killed."""
    path = cache_directory() / "locks" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def digest(*inputs: Path | str | bytes) -> str:
    """A short hexadecimal hash of strings, bytes, and what files and directory trees contain.

    Of a tree count the relative names, the files' contents and executable bit, and the targets of symbolic
    links; where it lies, its times, its owners and Python's `__pycache__` don't.
    """
    hasher = hashlib.sha256()
    for item in inputs:
        for part in _tree(item) if isinstance(item, Path) else [item]:
            content = part.encode() if isinstance(part, str) else part
            # With its length before each part, ("ab", "c") is not ("a", "bc").
            hasher.update(b"%d:" % len(content) + content)
    return hasher.hexdigest()[:20]


def _tree(root: Path) -> Iterator[str | bytes]:
    for path in [root, *sorted(path for path in root.rglob("*") if "__pycache__" not in path.parts)]:
        yield str(path.relative_to(root))
        if path.is_symlink():
            yield f"link {path.readlink()}"
        elif not path.is_dir():
            yield f"file {bool(path.stat().st_mode & 0o100)}"
            yield path.read_bytes()

"""Manifests: the objects of ours in files, directories and lists, at URLs and on standard input."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import yaml

from podpatterns.api import GROUP, KINDS
from podpatterns.api.text import shown
from podpatterns.cli.error import CommandError
from podpatterns.cli.kubectlyaml import NoJson, documents

SUFFIXES = {".yaml", ".yml", ".json"}
"""Of the files that count in a directory, as kubectl takes them."""
URL_TIMEOUT = 30.0
"""Seconds for the answer of a server that has a manifest."""
SHOWN_LENGTH = 300
"""Bytes of a kind and a name in a message: all that an object can have."""
KIND_NAMES = [kind.kind for kind in KINDS]


@dataclass(frozen=True, slots=True)
class Manifest:
    """An object as somebody wrote it."""

    source: str
    """File, URL or <stdin>."""
    obj: Mapping[str, Any]

    @property
    def kind(self) -> str:
        return str(self.obj.get("kind"))

    @property
    def name(self) -> str:
        return str(self._metadata.get("name", ""))

    @property
    def namespace(self) -> str:
        """Namespace that the manifest names; empty without one."""
        return str(self._metadata.get("namespace") or "")

    @property
    def where(self) -> str:
        return f"{self.source}: {shown(f'{self.kind.lower()}/{self.name}', SHOWN_LENGTH)}"

    @property
    def unknown_kind(self) -> str | None:
        """Return what is wrong with the kind of an object of our group, or None."""
        if self.kind in KIND_NAMES:
            return None
        by_lower = {name.lower(): name for name in KIND_NAMES}
        close = difflib.get_close_matches(self.kind.lower(), by_lower, n=1)
        kinds = ", ".join(KIND_NAMES)
        meant = f"did you mean {by_lower[close[0]]}?" if close else f"the kinds are {kinds}"
        return f'there is no kind "{self.kind}" in {GROUP}: {meant}'

    @property
    def _metadata(self) -> Mapping[str, Any]:
        metadata = self.obj.get("metadata")
        return metadata if isinstance(metadata, Mapping) else {}


def read_manifests(names: Sequence[str]) -> list[Manifest]:
    """Return the objects of our API group, in order. Files may hold others too.

    Raises CommandError for what can't be read, and where there is no object of ours.
    """
    found = [m for name in names for source, text in _texts(name) for m in _manifests(source, text)]
    if not found:
        raise CommandError(f"{', '.join(names)}: no object of {GROUP}")
    return found


def _texts(name: str) -> Iterator[tuple[str, str]]:
    if name == "-":
        yield "<stdin>", sys.stdin.read()
    elif name.startswith(("http://", "https://")):
        try:
            yield name, _fetched(name)
        except (URLError, UnicodeDecodeError, TimeoutError) as error:
            raise CommandError(f"{name}: {error}") from None
    else:
        yield from _files(Path(name))


def _fetched(url: str) -> str:
    answer: HTTPResponse = urlopen(url, timeout=URL_TIMEOUT)  # noqa: S310 (http or https, as found out before)
    with answer:
        return answer.read().decode()


def _files(path: Path) -> Iterator[tuple[str, str]]:
    try:
        inside = sorted(p for p in path.iterdir() if p.suffix in SUFFIXES) if path.is_dir() else [path]
        for file in inside:
            yield str(file), file.read_text()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CommandError(f"{path}: {error}") from None


def _manifests(source: str, text: str) -> Iterator[Manifest]:
    try:
        found = documents(text)
    except (yaml.YAMLError, NoJson) as error:
        raise CommandError(f"{source}: {error}") from None
    for document in found:
        for obj in _objects(document):
            if _is_ours(obj):
                yield Manifest(source, obj)


def _objects(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a document: one, those of a List, or those of a bare list."""
    if isinstance(document, list):
        yield from (obj for item in document for obj in _objects(item))
    elif isinstance(document, Mapping):
        if str(document.get("kind")).endswith("List") and isinstance(document.get("items"), list):
            yield from (obj for item in document["items"] for obj in _objects(item))
        else:
            yield document


def _is_ours(obj: Mapping[str, Any]) -> bool:
    """Return True for our group; without an apiVersion the kind tells. Others have an Ambassador too."""
    version = obj.get("apiVersion")
    if version is None:
        return obj.get("kind") in KIND_NAMES
    return str(version).partition("/")[0] == GROUP

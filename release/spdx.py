"""A software bill of materials in SPDX 2.3, as JSON: what an image was put together from."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import HeaderParser
from urllib.parse import quote

NAMESPACE = "https://podpatterns.dev/spdx"


@dataclass(frozen=True, order=True)
class Package:
    """Something with a name and a version that an image holds; `url` is its package URL (purl)."""

    name: str
    version: str
    url: str
    license: str = "NOASSERTION"


def debian_package(status: str) -> Package:
    """Return the package of a paragraph of dpkg's status."""
    fields = HeaderParser().parsestr(status)
    name, version = str(fields["Package"]), str(fields["Version"])
    url = f"pkg:deb/debian/{name}@{quote(version, safe='')}?arch={fields['Architecture']}"
    return Package(name, version, url)


def python_distribution(metadata: str) -> Package:
    """Return the package of a distribution's METADATA."""
    fields = HeaderParser().parsestr(metadata)
    name, version = str(fields["Name"]), str(fields["Version"])
    normalized = re.sub(r"[-_.]+", "-", name).lower()
    url = f"pkg:pypi/{normalized}@{quote(version, safe='')}"
    return Package(name, version, url, fields["License-Expression"] or "NOASSERTION")


def go_modules(build_information: str) -> list[Package]:
    """Return what `go version -m` says of a program: Go itself, and the modules that are linked in."""
    first, *lines = build_information.splitlines()
    version = first.rpartition(" go")[2].split()[0]
    found = [Package("stdlib", version, f"pkg:golang/stdlib@{version}")]
    for line in lines:
        kind, *fields = line.split()
        if kind in ("dep", "=>"):
            if kind == "=>":  # It replaces the module of the line before.
                found.pop()
            name, version = fields[:2]
            found.append(Package(name, version, f"pkg:golang/{quote(name)}@{quote(version, safe='')}"))
    return found


def document(image: str, digest: str, packages: Iterable[Package], epoch: int) -> str:
    """Return the document of an image that has that digest."""
    name, _, version = image.rpartition(":")
    subject = Package(
        image, version, f"pkg:oci/{name.rpartition('/')[2]}@{quote(digest, safe='')}", "Apache-2.0"
    )
    held = sorted(set(packages))
    content = {
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "SPDXID": "SPDXRef-DOCUMENT",
        "name": image,
        "documentNamespace": f"{NAMESPACE}/{name}/{version}/{digest.rpartition(':')[2]}",
        "creationInfo": {
            "created": datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "creators": ["Tool: podpatterns-release"],
        },
        "packages": [_package(subject), *map(_package, held)],
        "relationships": _relationships(subject, held),
    }
    return json.dumps(content, indent=1) + "\n"


def _package(package: Package) -> dict[str, object]:
    return {
        "SPDXID": _identifier(package),
        "name": package.name,
        "versionInfo": package.version,
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": False,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": package.license,
        "copyrightText": "NOASSERTION",
        "externalRefs": [
            {
                "referenceCategory": "PACKAGE-MANAGER",
                "referenceType": "purl",
                "referenceLocator": package.url,
            }
        ],
    }


def _relationships(subject: Package, held: Sequence[Package]) -> list[dict[str, str]]:
    pairs = [("SPDXRef-DOCUMENT", "DESCRIBES", _identifier(subject))]
    pairs += [(_identifier(subject), "CONTAINS", _identifier(package)) for package in held]
    return [
        {"spdxElementId": element, "relationshipType": kind, "relatedSpdxElement": related}
        for element, kind, related in pairs
    ]


def _identifier(package: Package) -> str:
    """Return an identifier that no other package has; SPDX allows letters, digits, dots and dashes in it."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "-", package.name)
    return f"SPDXRef-{readable}-{hashlib.sha256(package.url.encode()).hexdigest()[:10]}"

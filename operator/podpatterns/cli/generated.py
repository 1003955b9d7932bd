"""Files that commands of podpatterns write, or check that they are up to date."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import yaml

check_option = click.option(
    "--check", is_flag=True, help="Write nothing; fail when a file is missing or not up to date."
)


class _Dumper(getattr(yaml, "CSafeDumper", yaml.SafeDumper)):  # type: ignore[misc]
    def ignore_aliases(self, _data: Any) -> bool:
        return True


def yaml_text(manifest: Mapping[str, Any]) -> str:
    """Return the text of one document of a file."""
    text: str = yaml.dump(manifest, Dumper=_Dumper, allow_unicode=True, width=110)
    return text


def keep(files: Mapping[Path, str], command: str, *, check: bool) -> None:
    """Write the files that are stale; with `check`, fail and name them and the command that writes them."""
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    if check and stale:
        raise click.ClickException(f"stale: {', '.join(map(str, stale))}; mend it with: {command}")
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(files[path])
        click.echo(f"wrote {path}")

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from testbed.cluster.cache import cache_directory, cached, digest

if TYPE_CHECKING:
    from pathlib import Path

# Takes its time to build what argv names, and says in argv's file when it does.
BUILDER = """
import pathlib, sys, time
from testbed.cluster.cache import cached

def build(directory):
    with open(sys.argv[1], "a") as log:
        log.write("built\\n")
    (directory / "half").write_text("")
    print("building", flush=True)
    time.sleep(float(sys.argv[2]))
    (directory / "whole").write_text("")

cached("thing", "k1", build)
"""


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def start_builder(log: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, log, str(seconds)], stdout=subprocess.PIPE, text=True
    )


def test_an_entry_is_built_once() -> None:
    first = cached("thing", "k1", lambda directory: (directory / "file").write_text("1"))
    second = cached("thing", "k1", lambda directory: (directory / "file").write_text("2"))
    assert first == second == cache_directory() / "thing" / "k1"
    assert (first / "file").read_text() == "1"


def test_nothing_is_kept_of_a_failed_build() -> None:
    def fail(directory: Path) -> None:
        (directory / "half").write_text("")
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        cached("thing", "k1", fail)
    assert not list((cache_directory() / "thing").iterdir())


def test_a_killed_build_is_repeated_from_the_start(tmp_path: Path) -> None:
    with start_builder(tmp_path / "log", 60) as builder:
        assert builder.stdout
        assert builder.stdout.readline() == "building\n"
        builder.kill()

    entry = cached("thing", "k1", lambda directory: (directory / "whole").write_text(""))
    assert [path.name for path in entry.iterdir()] == ["whole"]
    assert list(entry.parent.iterdir()) == [entry]


def test_two_processes_build_an_entry_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with start_builder(log, 0.3) as one, start_builder(log, 0.3) as other:
        assert (one.wait(), other.wait()) == (0, 0)
    assert log.read_text() == "built\n"
    assert (cache_directory() / "thing" / "k1" / "whole").exists()


def test_a_digest_follows_content_and_not_place(tmp_path: Path) -> None:
    def tree(name: str, content: str = "1", mode: int = 0o644, link: str = "file") -> Path:
        root = tmp_path / name
        (root / "directory").mkdir(parents=True)
        (root / "directory" / "file").write_text(content)
        (root / "directory" / "file").chmod(mode)
        (root / "directory" / "link").symlink_to(link)
        return root

    same = digest(tree("one"))
    assert digest(tree("another")) == same
    assert (
        len(
            {same, digest(tree("a", content="2")), digest(tree("b", mode=0o755)), digest(tree("c", link="x"))}
        )
        == 4
    )


def test_a_digest_tells_its_inputs_apart() -> None:
    assert len({digest("ab", "c"), digest("a", "bc"), digest("abc"), digest("", "abc")}) == 4


def test_the_digest_of_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        digest(tmp_path / "missing")

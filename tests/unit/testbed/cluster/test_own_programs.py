from __future__ import annotations

from pathlib import Path

from testbed.cluster.own_programs import HELPERS, sources


def test_a_program_is_made_from_nothing_of_another_and_of_no_tests() -> None:
    files = [path.relative_to(HELPERS.parent) for path in _files("haproxy-ambassador")]
    assert Path("cmd/haproxy-ambassador/main.go") in files
    assert {file.parts[:2] for file in files if file.parts[0] == "cmd"} == {("cmd", "haproxy-ambassador")}
    assert not [file for file in files if file.name.endswith("_test.go")]


def test_what_is_embedded_and_the_version_of_what_is_required_count() -> None:
    found = sources(HELPERS / "redis-ambassador")
    assert [path.name for path in found if isinstance(path, Path)].count("help.txt") == 1
    assert any(str(entry).startswith("go.yaml.in/yaml/v3 v3.") for entry in found)


def _files(program: str) -> list[Path]:
    return [entry for entry in sources(HELPERS / program) if isinstance(entry, Path)]

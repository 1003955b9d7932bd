"""Tests beside other tests: one list of failures, one closing line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
HERE = "def test_here():\n    pass\n"


def run(directory: Path, there: str) -> tuple[int, str]:
    """The exit status and the output of a test run in which `there` are the tests beside."""
    (directory / "conftest.py").write_text('pytest_plugins = ["testbed.beside"]\n')
    for name, tests in {"here": HERE, "there": there}.items():
        (directory / name).mkdir()
        (directory / name / f"test_{name}.py").write_text(tests)
    process = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", f"--rootdir={directory}", "--durations=5", "--beside=there"],
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    return process.returncode, process.stdout


def test_all_that_passes_is_counted_once(tmp_path: Path) -> None:
    status, output = run(tmp_path, "def test_there():\n    pass\n")
    assert status == pytest.ExitCode.OK
    assert "there/test_there.py::test_there PASSED" in output
    assert "2 passed" in output.splitlines()[-1]


def test_a_failure_fails_the_run_and_is_shown_with_what_was_said(tmp_path: Path) -> None:
    status, output = run(tmp_path, "def test_there():\n    print('words')\n    assert 1 == 2\n")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "FAILED there/test_there.py::test_there - assert 1 == 2" in output
    assert "Captured stdout call" in output
    assert "1 failed, 1 passed" in output.splitlines()[-1]


def test_a_process_that_ends_early_fails_the_run(tmp_path: Path) -> None:
    status, output = run(tmp_path, "import os\n\ndef test_there():\n    os._exit(0)\n")
    assert status == pytest.ExitCode.TESTS_FAILED
    assert "FAILED there/test_there.py::test_there - The process ended with status 0." in output
    assert "1 failed, 1 passed" in output.splitlines()[-1]

"""A program in the background that never outlives the test run that started it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STOP_SECONDS = 30


class Process:
    """One program with its arguments, which can be started more than once; its output is appended to `log`.

    The kernel kills it when the thread that started it ends, however that happens, so start it from the
    main thread. With `keep` it lives on instead.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, *, keep: bool = False) -> None:
        self.command = [str(word) for word in command]
        self.log = log
        self._keep = keep
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts the program; what it needs to be ready is for the caller to wait for."""
        guard = [] if self._keep else ["setpriv", "--pdeathsig", "KILL", "--"]
        with self.log.open("ab") as log:
            # A session of its own: Ctrl-C goes to the test run alone, which stops its programs in its own
            # order.
            self._process = subprocess.Popen(
                [*guard, *self.command],
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Asks the program to end (SIGTERM) and waits; does nothing when it isn't running."""
        if self._process:
            self._process.terminate()
            self._process.wait(STOP_SECONDS)
            self._process = None

    def kill(self) -> None:
        """Ends the program at once (SIGKILL) and waits; does nothing when it isn't running."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def leave(self) -> None:
        """Lets a program started with `keep` run on."""
        if self._process:
            self._process.returncode = 0  # Popen warns of a program that nobody waited for

    @property
    def pid(self) -> int | None:
        """The process id, None when stopped or not yet started."""
        return self._process.pid if self._process else None

    @property
    def ended(self) -> bool:
        """The program was started and has ended although nobody stopped it."""
        return self._process is not None and self._process.poll() is not None

    def check(self) -> None:
        """Raises RuntimeError with the end of the log when the program ended although nobody stopped it."""
        if self._process and self._process.poll() is not None:
            raise RuntimeError(f"{self.log.stem} ended with {self._process.returncode}\n{self.log_tail()}")

    def log_tail(self, lines: int = 20) -> str:
        """The last lines of the log under a heading that says where all of it is."""
        text = self.log.read_text(errors="replace") if self.log.exists() else "not started yet"
        tail = text.splitlines()[-lines:]
        return "\n".join([f"--- {self.log}", *tail])

"""The operator as a process of its own, which tests may stop and kill as a cluster would."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

from testbed.cluster.process import Process
from testbed.eventually import eventually

PROGRAM = Path(sys.executable).with_name("podpatterns")
START_SECONDS = 30
REVIVE_SECONDS = 0.2


class OperatorProcess:
    """`command` under `identity`, the name of the Pod that it would be."""

    def __init__(
        self,
        kubeconfig: Path,
        directory: Path,
        identity: str = "operator-0",
        command: Sequence[str | Path] = (PROGRAM, "run"),
    ) -> None:
        environment = [f"KUBECONFIG={kubeconfig}", f"POD_NAME={identity}"]
        self._process = Process(["env", *environment, *command], directory / f"{identity}.log")

    def start(self, *, leading: bool = True) -> None:
        """Returns when the operator is in sync, and leads unless told not to wait for that."""
        lines = len(self.messages())
        self.launch()
        for message in ["In sync", *(["Leading"] if leading else [])]:
            eventually(lambda: self._check_for(message, lines), START_SECONDS)  # noqa: B023 (called at once)

    def launch(self) -> None:
        """Returns at once."""
        self._process.start()

    def stop(self) -> None:
        """SIGTERM, and waits."""
        self._process.stop()

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()

    def restart(self) -> None:
        self.stop()
        self.start()

    @contextmanager
    def kept_running(self) -> Iterator[None]:
        """Inside, it is started again whenever it ends, as a kubelet would."""
        over = Event()

        def keep() -> None:
            while not over.wait(REVIVE_SECONDS):
                if self.ended:
                    self.launch()

        keeper = Thread(target=keep)
        keeper.start()
        try:
            yield
        finally:
            over.set()
            keeper.join()

    @property
    def pid(self) -> int | None:
        """The process id, None when stopped or not yet started."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """It was started and has ended although nobody stopped it."""
        return self._process.ended

    def messages(self) -> list[dict[str, Any]]:
        """Return the operator's log records."""
        if not self._process.log.exists():
            return []
        lines = self._process.log.read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]

    def log_tail(self) -> str:
        return self._process.log_tail(40)

    def _check_for(self, message: str, since: int) -> bool:
        self._process.check()
        return any(m["message"] == message for m in self.messages()[since:])

"""Lines and packets at a steady rate."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODES = (200, 200, 200, 200, 301, 404, 200, 200, 500, 503)
VARIANTS = 1000


def lines(log: Path, rate: int, seconds: float) -> int:
    """Appends so many lines a second, and gives their number."""
    batch = rate // 100
    texts = [
        f"GET /cart/{i} {CODES[i % len(CODES)]} {i * 7 % 1900 / 10}ms\n".encode() for i in range(VARIANTS)
    ]
    block = b"".join(texts[i % VARIANTS] for i in range(batch))
    with log.open("ab", buffering=0) as file:
        return batch * _paced(lambda _: file.write(block), 0.01, seconds)


def packets(port: int, rate: int, seconds: float) -> int:
    """Sends so many packets a second, half of them requests and half times; gives the number of requests."""
    batch = rate // 1000
    texts = [
        text
        for i in range(VARIANTS)
        for text in (
            f"app.requests:1|c|#code:{CODES[i % len(CODES)]}".encode(),
            f"app.time:{i * 7 % 1900 / 10}|ms".encode(),
        )
    ]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.connect(("127.0.0.1", port))

        def send(step: int) -> None:
            at = step * batch % len(texts)
            for text in texts[at : at + batch]:
                sender.send(text)

        return batch * _paced(send, 0.001, seconds) // 2


def _paced(act: Callable[[int], object], period: float, seconds: float) -> int:
    """Acts at the start of each period, late ones without a pause, and gives how often."""
    started = time.perf_counter()
    steps = int(seconds / period)
    for step in range(steps):
        act(step)
        ahead = started + (step + 1) * period - time.perf_counter()
        if ahead > 0:
            time.sleep(ahead)
    return steps

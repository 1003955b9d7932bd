"""A program for a Pod that sends requests to a Service, each on a connection of its own, until SIGTERM.

It needs the standard library only. It prints "enough" after so many requests, and at the end as JSON how
many were sent and how many failed, by kind of failure.
"""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections import Counter
from http.client import HTTPConnection

THREADS, PAUSE, TIMEOUT, OK = 8, 0.01, 5, 200


class Client:
    def __init__(self, host: str, port: int, enough: int) -> None:
        self._host, self._port, self._enough = host, port, enough
        self._outcomes: Counter[str] = Counter()
        self._ended, self._lock = threading.Event(), threading.Lock()

    def run(self) -> None:
        signal.signal(signal.SIGTERM, lambda *_: self._ended.set())
        threads = [threading.Thread(target=self._work) for _ in range(THREADS)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        self._ended.wait()
        for thread in threads:
            thread.join()
        failures = {outcome: number for outcome, number in self._outcomes.items() if outcome}
        seconds = round(time.monotonic() - started, 1)
        result = {"sent": self._outcomes.total(), "failures": failures, "seconds": seconds}
        print(json.dumps(result), flush=True)

    def _work(self) -> None:
        while not self._ended.wait(PAUSE):
            outcome = self._ask()
            with self._lock:
                self._outcomes[outcome] += 1
                if self._outcomes.total() == self._enough:
                    print("enough", flush=True)

    def _ask(self) -> str:
        connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            answer.read()
        except Exception as error:
            return type(error).__name__
        else:
            return "" if answer.status == OK else str(answer.status)
        finally:
            connection.close()


if __name__ == "__main__":
    Client(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])).run()

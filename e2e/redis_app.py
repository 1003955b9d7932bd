"""An application that writes to Redis and reads from it, and says what became of each write.

It is a program for a Pod, and needs the standard library only. After ten minutes it falls silent. A line
of its output is a time in seconds since 1970, a word and the rest:

    acknowledged KEY   SET was answered OK, and WAIT 1 that a replica has it, too
    refused REPLY      Redis, or what stands before it, answered something else
    broken REASON      the connection ended; the write may have been done or not
    unread REASON      a read was not answered as it should be
"""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from io import BufferedRWPair

WRITERS = 4
READERS = 2
ACKNOWLEDGE_MILLISECONDS = 1000
PATIENCE_SECONDS = 20
PAUSE_SECONDS = 0.02
LIFETIME_SECONDS = 600
END = time.monotonic() + LIFETIME_SECONDS


def main() -> None:
    say("running", "")
    loops = [threading.Thread(target=write, args=[number]) for number in range(WRITERS)]
    loops += [threading.Thread(target=read) for _ in range(READERS)]
    for loop in loops:
        loop.start()
    for loop in loops:
        loop.join()
    # A container that ends would be started again.
    signal.pause()


def say(word: str, rest: object) -> None:
    print(f"{time.time():.3f} {word} {rest}\n", end="", flush=True)


def write(writer: int) -> None:
    connection = None
    number = 0
    while time.monotonic() < END:
        number += 1
        key = f"write:{writer}:{number}"
        try:
            connection = connection or connect()
            request(connection, "SET", key, str(number))
            request(connection, "WAIT", "1", str(ACKNOWLEDGE_MILLISECONDS))
            done, replicas = reply(connection), reply(connection)
        except OSError as error:
            say("broken", error)
            connection = None
            time.sleep(PAUSE_SECONDS)
            continue
        if done == "+OK" and replicas.startswith(":") and replicas != ":0":
            say("acknowledged", key)
        else:
            say("refused", f"{done} {replicas}")
            time.sleep(PAUSE_SECONDS)


def read() -> None:
    connection = None
    while time.monotonic() < END:
        try:
            connection = connection or connect()
            request(connection, "STRLEN", "greeting")
            if (length := reply(connection)) != ":5":
                say("unread", length)
        except OSError as error:
            say("unread", error)
            connection = None
        time.sleep(PAUSE_SECONDS)


def connect() -> BufferedRWPair:
    """A stream that sends what is written when it is read from."""
    with socket.create_connection(
        (os.environ["REDIS_HOST"], int(os.environ["REDIS_PORT"])), PATIENCE_SECONDS
    ) as connection:
        return connection.makefile("rwb")


def request(connection: BufferedRWPair, *words: str) -> None:
    """Sends a command in RESP (https://redis.io/docs/latest/develop/reference/protocol-spec/)."""
    strings = "".join(f"${len(word)}\r\n{word}\r\n" for word in words)
    connection.write(f"*{len(words)}\r\n{strings}".encode())


def reply(connection: BufferedRWPair) -> str:
    """The next reply, one of those that are a line."""
    connection.flush()
    line = connection.readline().decode()
    if not line.endswith("\n"):
        raise ConnectionError("closed")
    return line.rstrip()


if __name__ == "__main__":
    main()

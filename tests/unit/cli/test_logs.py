"""`podpatterns logs`, with a server that has Pods and their logs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from podpatterns.cli.logs import duration, logs

APP = {
    "apiVersion": "podpatterns.dev/v1alpha1",
    "kind": "SidecarApp",
    "metadata": {"name": "site", "namespace": "default", "uid": "1"},
    "spec": {"template": {"spec": {}}},
}
LINES = {"web": ["one", "two", "three"], "git": ["cloned"]}


def pod(name: str) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "uid": name, "ownerReferences": [{"controller": True, "uid": "1"}]},
        "spec": {
            "initContainers": [{"name": "git", "restartPolicy": "Always"}],
            "containers": [{"name": "web"}],
        },
        "status": {
            "initContainerStatuses": [{"name": "git", "containerID": f"{name}-git"}],
            "containerStatuses": [{"name": "web", "containerID": f"{name}-web"}],
        },
    }


class Server(BaseHTTPRequestHandler):
    """The paths that the command asks for. The object is gone once all has been followed."""

    protocol_version = "HTTP/1.1"
    pods: tuple[dict[str, Any], ...]
    gone: bool
    queries: list[dict[str, str]]

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: value for key, [value] in parse_qs(url.query).items()}
        if url.path.endswith("/sidecarapps/site") and not self.gone:
            self._answer(200, json.dumps(APP))
        elif url.path.endswith("/pods"):
            self._answer(200, json.dumps({"items": [] if self.gone else self.pods}))
        elif url.path.endswith("/log"):
            self.queries.append(query)
            if "follow" in query and len(self.queries) == 2 * len(self.pods):
                type(self).gone = True
            lines = LINES[query["container"]][-int(query.get("tailLines", "9")) :]
            self._answer(200, "".join(f"{line}\n" for line in lines))
        else:
            self._answer(404, json.dumps({"message": "not found"}))

    def _answer(self, code: int, text: str) -> None:
        """Answer in pieces that end anywhere, as a log comes."""
        self.send_response(code)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for piece in filter(None, (text[:4], text[4:])):
            self.wfile.write(f"{len(piece.encode()):x}\r\n{piece}\r\n".encode())
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Server]]:
    class Own(Server):
        pods = (pod("site-0"), pod("site-1"))
        gone = False
        queries: list[dict[str, str]] = []  # noqa: RUF012 (of this server alone)

    with ThreadingHTTPServer(("127.0.0.1", 0), Own) as http:
        config = {
            "current-context": "here",
            "contexts": [{"name": "here", "context": {"cluster": "here"}}],
            "clusters": [{"name": "here", "cluster": {"server": f"http://127.0.0.1:{http.server_port}"}}],
        }
        (tmp_path / "config").write_text(yaml.safe_dump(config))
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Own
        http.shutdown()
        thread.join()


def run(*options: str, colour: bool = False) -> Result:
    return CliRunner().invoke(logs, ["site", *options], color=colour)


def test_each_line_tells_its_pod_and_container(server: type[Server]) -> None:
    assert run("--tail", "2", "--since", "5m").output.splitlines() == [
        "site-0/git cloned",
        "site-0/web two",
        "site-0/web three",
        "site-1/git cloned",
        "site-1/web two",
        "site-1/web three",
    ]
    assert {(q["tailLines"], q["sinceSeconds"]) for q in server.queries} == {("2", "300")}
    assert run("-c", "git").output == "site-0/git cloned\nsite-1/git cloned\n"


def test_a_terminal_gets_a_colour_for_each_container(server: type[Server]) -> None:
    found = run("-c", "git", colour=True).output.splitlines()
    assert [line[:5] for line in found] == ["\x1b[36m", "\x1b[32m"]
    assert click.unstyle(found[0]) == "site-0/git cloned"


def test_following_ends_with_the_object(server: type[Server]) -> None:
    found = run("--follow", "--tail", "1").output.splitlines()
    assert sorted(found) == ["site-0/git cloned", "site-0/web three", "site-1/git cloned", "site-1/web three"]
    assert {q["follow"] for q in server.queries} == {"true"}


def test_an_object_without_pods_has_no_logs(server: type[Server]) -> None:
    server.pods = ()
    assert (run().exit_code, run().output) == (2, "Error: there is no Pod\n")


def test_a_duration_has_units() -> None:
    assert [duration(text) for text in ("30s", "5m", "1h30m")] == [30, 300, 5400]
    for wrong in ("", "5", "m5", "0s"):
        with pytest.raises(click.BadParameter):
            duration(wrong)

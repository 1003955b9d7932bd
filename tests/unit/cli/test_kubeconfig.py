"""The login that the commands take from a kubeconfig."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
import yaml

from podpatterns.cli import kubeconfig as kubeconfig_module
from podpatterns.cli.error import CommandError
from podpatterns.cli.kubeconfig import Login, login


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def kubeconfig(path: Path, name: str = "one", user: Any = None, **cluster: Any) -> Path:
    config = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}", **cluster}}],
        "users": [{"name": name, "user": {"token": "secret"} if user is None else user}],
    }
    path.write_text(yaml.safe_dump(config))
    return path


def test_a_token_and_an_authority_in_the_file(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path / "config", **{"certificate-authority-data": encoded("CA")})
    assert login(str(file), None) == Login("https://one", "ns-one", authority="CA", token="secret")  # noqa: S106


def test_files_are_beside_the_kubeconfig(tmp_path: Path) -> None:
    for name in ("ca.crt", "me.crt", "me.key"):
        (tmp_path / name).write_text(name)
    user = {"client-certificate": "me.crt", "client-key": "me.key"}
    file = kubeconfig(tmp_path / "config", user=user, **{"certificate-authority": "ca.crt"})
    found = login(str(file), None)
    assert (found.authority, found.certificate) == ("ca.crt", "me.crt\nme.key")


def test_a_token_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("rotated\n")
    found = login(str(kubeconfig(tmp_path / "config", user={"tokenFile": "token"})), None)
    assert found.token == "rotated"  # noqa: S105


def test_files_are_merged_and_the_first_context_is_current(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = kubeconfig(tmp_path / "one"), kubeconfig(tmp_path / "two", "two")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path / 'none'}:{one}:{two}")
    assert login(None, None).server == "https://one"
    assert login(None, "two").namespace == "ns-two"


def test_a_plugin_is_left_to_the_client(tmp_path: Path) -> None:
    plugin = tmp_path / "plugin"
    version = "client.authentication.k8s.io/v1"
    plugin.write_text(
        "#!/bin/sh\n"
        f'echo \'{{"apiVersion": "{version}", "kind": "ExecCredential", "status": {{"token": "made"}}}}\'\n'
    )
    plugin.chmod(0o755)
    user = {"exec": {"apiVersion": version, "command": str(plugin), "interactiveMode": "Never"}}
    found = login(str(kubeconfig(tmp_path / "config", user=user)), None)
    assert (found.server, found.token) == ("https://one", "made")
    plugin.write_text("#!/bin/sh\necho no such account >&2\nexit 1\n")
    with pytest.raises(CommandError, match=r"^kubeconfig: .*exec"):
        login(str(kubeconfig(tmp_path / "config", user=user)), None)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("contexts: []", "there is no current context: choose one with --context"),
        ("current-context: one", 'there is no context "one"'),
        ("a: [", "is no YAML"),
        (
            '{"current-context": "a", "contexts": [{"name": "a", "context": {"cluster": "c"}}]}',
            'there is no cluster "c"',
        ),
    ],
)
def test_what_is_missing_is_one_line(tmp_path: Path, written: str, told: str) -> None:
    (tmp_path / "config").write_text(written)
    with pytest.raises(CommandError) as error:
        login(str(tmp_path / "config"), None)
    assert told in error.value.message
    assert "\n" not in error.value.message


def test_no_kubeconfig_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(CommandError, match="name one with --kubeconfig"):
        login(None, None)
    with pytest.raises(CommandError, match="there is no /none"):
        login("/none", None)


@pytest.mark.parametrize(
    ("host", "server"), [("10.96.0.1", "https://10.96.0.1:443"), ("fd00::1", "https://[fd00::1]:443")]
)
def test_in_a_pod_it_is_that_of_the_service_account(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, server: str
) -> None:
    for name, text in {"namespace": "shop", "ca.crt": "CA", "token": "secret\n"}.items():
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(kubeconfig_module, "SERVICE_ACCOUNT", str(tmp_path))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    assert login(None, None) == Login(server, "shop", authority="CA", token="secret")  # noqa: S106
    file = kubeconfig(tmp_path / "config")
    assert login(str(file), None).server == "https://one"

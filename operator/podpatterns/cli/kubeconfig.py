"""The kubeconfig: the API server of a context, and the credentials for it.

Certificates and tokens are read here. Whatever else there is, such as a plugin that prints a token, is left
to the Kubernetes client, which takes a third of a second to import.
"""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from podpatterns.cli.error import CommandError

DEFAULT = "~/.kube/config"
CLUSTER = {"server", "certificate-authority", "insecure-skip-tls-verify", "tls-server-name", "extensions"}
USER = {"client-certificate", "client-key", "token", "tokenFile"}
SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Directory in a Pod."""
DATA = "-data"
"""Suffix of a field that has the content of a file, in base64."""


@dataclass(frozen=True, slots=True)
class Login:
    """The way to an API server. Certificates are PEM."""

    server: str
    namespace: str
    authority: str = ""
    """Certificates of the authority of the server's; empty: the system's authorities."""
    certificate: str = ""
    """The client's certificate and its key."""
    token: str = ""
    verify: bool = True
    server_name: str = ""
    """Name in the server's certificate; empty: the host of `server`."""
    proxy: str = ""


def login(file: str | None, context: str | None) -> Login:
    """Return the login of a context, of the current one if None; in a Pod without any, its ServiceAccount's.

    `file` stands for the files of $KUBECONFIG, or that in the home directory.
    """
    host = os.environ.get("KUBERNETES_SERVICE_HOST")
    found = _merged(file, may_be_empty=bool(host and not file))
    if host and not found:
        return _of_the_pod(host, os.environ.get("KUBERNETES_SERVICE_PORT", "443"))
    name = context or found.get("current-context")
    if not name:
        raise CommandError("kubeconfig: there is no current context: choose one with --context")
    chosen = _named(found, "context", str(name))
    cluster = _named(found, "cluster", str(chosen.get("cluster")))
    user = _named(found, "user", str(chosen["user"])) if chosen.get("user") else {}
    namespace = str(chosen.get("namespace") or "default")
    if not cluster.get("server"):
        raise CommandError(f'kubeconfig: cluster "{chosen.get("cluster")}" has no server')
    if _plain(cluster, CLUSTER) and _plain(user, USER):
        return _own(cluster, user, namespace)
    return _of_the_client(file, str(name), cluster, namespace)


def _merged(file: str | None, *, may_be_empty: bool) -> dict[str, Any]:
    """Return all files as one, as kubectl merges them: who comes first keeps a name."""
    paths = [file] if file else [p for p in os.environ.get("KUBECONFIG", "").split(os.pathsep) if p]
    merged: dict[str, Any] = {}
    for path in paths or [DEFAULT]:
        for key, value in _read(Path(path).expanduser(), must_exist=bool(file)).items():
            if isinstance(value, list):
                merged.setdefault(key, []).extend(value)
            elif value:
                merged.setdefault(key, value)
    if not (merged or may_be_empty):
        raise CommandError(
            f"kubeconfig: nothing in {', '.join(paths) or DEFAULT}: name one with --kubeconfig"
        )
    return merged


def _read(path: Path, *, must_exist: bool) -> Mapping[str, Any]:
    """Return a file's content, with paths that are relative to it made absolute."""
    try:
        found = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except FileNotFoundError:
        if must_exist:
            raise CommandError(f"kubeconfig: there is no {path}") from None
        return {}
    except OSError as error:
        raise CommandError(f"kubeconfig: {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise CommandError(f"kubeconfig: {path} is no YAML") from None
    if not isinstance(found, dict):
        return {}
    for kind in ("cluster", "user"):
        for entry in found.get(f"{kind}s") or ():
            fields = entry.get(kind) or {}
            for name in ("certificate-authority", "client-certificate", "client-key", "tokenFile"):
                if fields.get(name):
                    fields[name] = str(path.parent / fields[name])
    return found


def _of_the_pod(host: str, port: str) -> Login:
    """Return the login that a Pod has by its ServiceAccount.

    https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/
    """
    return Login(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        namespace=_content(SERVICE_ACCOUNT + "/namespace").strip(),
        authority=_content(SERVICE_ACCOUNT + "/ca.crt"),
        token=_content(SERVICE_ACCOUNT + "/token").strip(),
    )


def _named(found: Mapping[str, Any], kind: str, name: str) -> Mapping[str, Any]:
    for entry in found.get(f"{kind}s") or ():
        if entry.get("name") == name:
            return entry.get(kind) or {}
    raise CommandError(f'kubeconfig: there is no {kind} "{name}"')


def _plain(written: Mapping[str, Any], known: set[str]) -> bool:
    return all(name.removesuffix(DATA) in known for name, value in written.items() if value)


def _own(cluster: Mapping[str, Any], user: Mapping[str, Any], namespace: str) -> Login:
    token = str(user.get("token") or "")
    if user.get("tokenFile"):
        token = _content(user["tokenFile"]).strip()
    return Login(
        server=str(cluster["server"]),
        namespace=namespace,
        authority=_pem(cluster, "certificate-authority"),
        certificate="\n".join(filter(None, (_pem(user, "client-certificate"), _pem(user, "client-key")))),
        token=token,
        verify=not cluster.get("insecure-skip-tls-verify"),
        server_name=str(cluster.get("tls-server-name") or ""),
    )


def _pem(written: Mapping[str, Any], name: str) -> str:
    if data := written.get(f"{name}{DATA}"):
        with suppress(ValueError):
            return base64.b64decode(data).decode()
        raise CommandError(f"kubeconfig: {name}{DATA} is no base64")
    return _content(written[name]) if written.get(name) else ""


def _content(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError as error:
        raise CommandError(f"kubeconfig: {path}: {error.strerror}") from None


def _of_the_client(file: str | None, context: str, cluster: Mapping[str, Any], namespace: str) -> Login:
    """Return the login as the Kubernetes client makes it."""
    from kubernetes import config  # noqa: PLC0415 (slow to import)
    from kubernetes.client import Configuration  # noqa: PLC0415

    made, failures = Configuration(), _Failures()
    logging.getLogger().addHandler(failures)
    try:
        config.load_kube_config(file or os.environ.get("KUBECONFIG"), context, client_configuration=made)
    except Exception as error:  # a plugin's, or an identity provider's, of any class
        failures.messages.append(str(error))
    finally:
        logging.getLogger().removeHandler(failures)
    authorization = str(made.get_api_key_with_prefix("BearerToken", alias="authorization") or "")
    if failures.messages and not (authorization or made.cert_file):
        raise CommandError(f"kubeconfig: {' '.join(failures.messages[0].split())}")
    return Login(
        server=made.host,
        namespace=namespace,
        authority=_content(made.ssl_ca_cert) if made.ssl_ca_cert else "",
        certificate="\n".join(_content(path) for path in _files(made.cert_file, made.key_file)),
        token=authorization.removeprefix("Bearer "),
        verify=bool(made.verify_ssl),
        server_name=str(cluster.get("tls-server-name") or ""),
        proxy=str(cluster.get("proxy-url") or ""),
    )


class _Failures(logging.Handler):
    """What the client logs when a plugin fails, which it doesn't raise."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def _files(*paths: str | None) -> Iterator[str]:
    return (path for path in paths if path)

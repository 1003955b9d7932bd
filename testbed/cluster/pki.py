"""The keys and certificates of a control plane, valid for that one alone."""

from __future__ import annotations

import base64
import ssl
from typing import TYPE_CHECKING

import trustme
import yaml

if TYPE_CHECKING:
    from pathlib import Path


class PKI:
    """A certificate authority with the files that the control plane's programs read from `directory`."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(mode=0o700)
        self._authority = trustme.CA()
        self.ca = directory / "ca.crt"
        self.ca_key = directory / "ca.key"
        self.serving = directory / "kube-apiserver.crt"
        self.serving_key = directory / "kube-apiserver.key"
        self.service_account_key = directory / "service-accounts.key"

        server = self._authority.issue_cert("127.0.0.1", "localhost", "kubernetes.default.svc")
        self._authority.cert_pem.write_to_path(self.ca)
        self._authority.private_key_pem.write_to_path(self.ca_key)
        server.cert_chain_pems[0].write_to_path(self.serving)
        server.private_key_pem.write_to_path(self.serving_key)
        signer = self._authority.issue_cert(common_name="service-accounts")
        signer.private_key_pem.write_to_path(self.service_account_key)

    def write_kubeconfig(self, path: Path, server: str, user: str, group: str | None = None) -> None:
        """A kubeconfig that needs no other file, for the certificate's `user` (CN) in `group` (O)."""
        certificate = self._client_certificate(user, group)
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "podpatterns",
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": _encoded(self._authority.cert_pem),
                    },
                }
            ],
            "users": [
                {
                    "name": user,
                    "user": {
                        "client-certificate-data": _encoded(certificate.cert_chain_pems[0]),
                        "client-key-data": _encoded(certificate.private_key_pem),
                    },
                }
            ],
            "contexts": [{"name": "podpatterns", "context": {"cluster": "podpatterns", "user": user}}],
            "current-context": "podpatterns",
        }
        path.touch(mode=0o600)
        path.write_text(yaml.safe_dump(config))

    def tls_context(self, user: str, group: str | None = None) -> ssl.SSLContext:
        """Return what a client needs to trust the API server and to be known to it as `user` in `group`."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        self._client_certificate(user, group).configure_cert(context)
        return context

    def _client_certificate(self, user: str, group: str | None) -> trustme.LeafCert:
        # The name is never looked at, but without one trustme writes an empty extension that Go refuses.
        return self._authority.issue_cert("localhost", common_name=user, organization_name=group)


def _encoded(pem: trustme.Blob) -> str:
    return base64.b64encode(pem.bytes()).decode()

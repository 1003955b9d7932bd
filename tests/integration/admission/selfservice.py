"""Escalations for the self-service alone."""

from __future__ import annotations

from typing import Any

from podpatterns.api.policy.podsecurity import APPARMOR_ANNOTATION
from testbed.manifests import container, manifest
from tests.integration.admission.builders import SECRET, SECURITY, Object, app, harmless, part, upstream
from tests.integration.admission.escalations import TEMPLATE, Escalation
from tests.integration.admission.ownfields import TLS, page, postgres, redis
from tests.integration.admission.users import OPEN

_SECRET_NAME = {"name": "database"}

SECRETS_OF_VOLUMES: tuple[tuple[str, Object], ...] = (
    ("azureFile.secretName", {"azureFile": {"secretName": "database", "shareName": "s"}}),
    ("cephfs.secretFile", {"cephfs": {"monitors": ["m"], "secretFile": "/etc/ceph"}}),
    ("cephfs.secretRef", {"cephfs": {"monitors": ["m"], "secretRef": _SECRET_NAME}}),
    ("cinder.secretRef", {"cinder": {"volumeID": "v", "secretRef": _SECRET_NAME}}),
    ("flexVolume.secretRef", {"flexVolume": {"driver": "d", "secretRef": _SECRET_NAME}}),
    ("iscsi.secretRef", {"iscsi": {"iqn": "i", "lun": 0, "targetPortal": "t", "secretRef": _SECRET_NAME}}),
    ("rbd.secretRef", {"rbd": {"monitors": ["m"], "image": "i", "secretRef": _SECRET_NAME}}),
    ("scaleIO.secretRef", {"scaleIO": {"gateway": "g", "system": "s", "secretRef": _SECRET_NAME}}),
    ("storageos.secretRef", {"storageos": {"secretRef": _SECRET_NAME}}),
)
"""Secrets in volumes that are not harmless themselves."""

SECRETS_BESIDE: tuple[tuple[str, str, Object], ...] = (
    *(
        ("privileged", f"{path}.{at}", obj)
        for at, source in SECRETS_OF_VOLUMES
        for path, obj in (
            ("spec.template.spec.volumes[0]", app(pod={"volumes": [{"name": "v", **source}]})),
            ("spec.volumes[0]", part(volumes=[{"name": "v", **source}])),
        )
    ),
    (
        "parts",
        "spec.include[0].env[0].valueFrom.secretKeyRef",
        app(
            include=[
                {
                    "kind": "Ambassador",
                    "name": "cache",
                    "env": [{"name": "A", "valueFrom": {"secretKeyRef": SECRET}}],
                }
            ]
        ),
    ),
)
"""Secrets where another right is needed too: that right, the field and the object."""


def _metrics_page(**fields: Any) -> Object:
    source = {"name": "stats", "type": "prometheus", "prometheus": {"url": "https://127.0.0.1/", **fields}}
    return app("Adapter", sources=[source])


def _handled(**fields: Any) -> Object:
    return app(pod={"containers": [harmless(**fields)]})


_WEB, _HOST = f"{TEMPLATE}.containers[0]", {"tcpSocket": {"host": "169.254.169.254", "port": 80}}

SELF_SERVICE_ALONE = (
    *(
        Escalation(f"{at}, self-service", obj, right, at)
        for right, obj, at in (
            ("secrets", redis(tls=TLS), "spec.upstreams[0].redis.tls.caSecretRef"),
            ("secrets", postgres(tls=TLS), "spec.upstreams[0].postgres.tls.caSecretRef"),
            (
                "secrets",
                postgres(tls={"certSecretRef": {"name": "tls"}}),
                "spec.upstreams[0].postgres.tls.certSecretRef",
            ),
            (
                "secrets",
                app("Ambassador", upstreams=[upstream(tls={"certSecretRef": {"name": "tls"}})]),
                "spec.upstreams[0].tls.certSecretRef",
            ),
            ("secrets", page(caSecretRef=TLS["caSecretRef"]), "spec.sources[0].json.caSecretRef"),
            ("secrets", _metrics_page(**TLS), "spec.sources[0].prometheus.caSecretRef"),
            (
                "secrets",
                _metrics_page(headersSecretRef=SECRET),
                "spec.sources[0].prometheus.headersSecretRef",
            ),
            ("secrets", _metrics_page(basicAuthSecret="a"), "spec.sources[0].prometheus.basicAuthSecret"),
            (
                "secrets",
                _metrics_page(clientCertificateSecret="a"),
                "spec.sources[0].prometheus.clientCertificateSecret",
            ),
            (
                "secrets",
                app("Adapter", metrics={"otlp": {"endpoint": "https://otlp", **TLS}}),
                "spec.metrics.otlp.caSecretRef",
            ),
            (
                "privileged",
                app(pod={"ephemeralContainers": [container("debug")]}),
                f"{TEMPLATE}.ephemeralContainers[0].securityContext.allowPrivilegeEscalation",
            ),
            (
                "privileged",
                _handled(securityContext={"procMount": "Unmasked"}),
                f"{_WEB}.securityContext.procMount",
            ),
            (
                "privileged",
                _handled(securityContext={"windowsOptions": {"hostProcess": True}}),
                f"{_WEB}.securityContext.windowsOptions.hostProcess",
            ),
            (
                "privileged",
                app(pod={"securityContext": {"windowsOptions": {"hostProcess": True}}}),
                f"{TEMPLATE}.securityContext.windowsOptions.hostProcess",
            ),
            ("privileged", _handled(livenessProbe=_HOST), f"{_WEB}.livenessProbe"),
            ("privileged", _handled(readinessProbe=_HOST), f"{_WEB}.readinessProbe"),
            ("privileged", _handled(startupProbe=_HOST), f"{_WEB}.startupProbe"),
            ("privileged", _handled(lifecycle={"preStop": _HOST}), f"{_WEB}.lifecycle.preStop"),
            (
                "privileged",
                manifest(
                    "SidecarApp",
                    "tried",
                    {
                        "template": {
                            "metadata": {"annotations": {f"{APPARMOR_ANNOTATION}web": "unconfined"}},
                            "spec": {"containers": [harmless()]},
                        }
                    },
                ),
                f"spec.template.metadata.annotations[{APPARMOR_ANNOTATION}web]",
            ),
            # What a part doesn't say itself an application of somebody else's may say otherwise.
            (
                "privileged",
                part(sidecars=[container("helper", securityContext={**SECURITY, "runAsNonRoot": None})]),
                "spec.sidecars[0].securityContext.runAsNonRoot",
            ),
            ("priorities", app(pod={"priority": 1000}), f"{TEMPLATE}.priority"),
            ("parts", app(include=[{"kind": "Ambassador", "name": "cache"}]), "spec.include[0]"),
            (
                "sharedparts",
                app(include=[{"kind": "SidecarApp", "name": "debug", "namespace": "elsewhere"}]),
                "spec.include[0].namespace",
            ),
            # Its container would have the token and the volumes of the Pods that it gets into.
            (
                "parts",
                part(sidecars=[harmless("helper", volumeMounts=[{"name": "keys", "mountPath": "/keys"}])]),
                "spec.template",
            ),
            (
                "parts",
                app("Adapter", include=[{"kind": "SidecarApp", "name": "debug", "namespace": OPEN}]),
                "spec.include[0]",
            ),
        )
    ),
)
"""What can't be shown beside a Pod by hand: fields that mean the same, or that no Pod of a test can have."""

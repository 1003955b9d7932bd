"""A container that asks to be privileged is; its neighbours in the Pod are not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from testbed.manifests import container, sidecarapp
from testbed.pod import effective_capabilities

if TYPE_CHECKING:
    from testbed.cluster.kubectl import Kubectl

pytestmark = pytest.mark.usefixtures("operator")

CONTAINERS = ("app", "before", "beside")
SYS_ADMIN = 1 << 21  # capabilities(7)


@pytest.mark.parametrize("privileged", CONTAINERS)
def test_only_the_named_container_is_privileged(kubectl: Kubectl, privileged: str) -> None:
    def asking(name: str, **fields: Any) -> dict[str, Any]:
        return container(name, securityContext={"privileged": name == privileged}, **fields)

    helpers = [asking("before", order="BeforeApp"), asking("beside", order="WithApp")]
    kubectl.apply(sidecarapp("tool", asking("app"), sidecars=helpers))
    kubectl("wait", "--for=condition=Ready", "sidecarapp/tool", "--timeout=60s")

    capable = [name for name in CONTAINERS if effective_capabilities(kubectl, "tool-0", name) & SYS_ADMIN]

    assert capable == [privileged]

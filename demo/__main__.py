"""`make demo`: from nothing to push-to-deploy on a real cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

from demo import steps
from demo.cluster import demo_cluster
from testbed import release
from testbed.cluster.images import APACHE, GIT_SERVER, GIT_SYNC, LEGACY, NGINX
from testbed.cluster.kind import KUBECONFIG
from testbed.cluster.kubectl import Kubectl
from testbed.cluster.progress import step, summary
from testbed.diagnosis import diagnosis
from testbed.website import EXAMPLES, SITES, Website

if TYPE_CHECKING:
    from demo.steps import Shown

IMAGES = (GIT_SYNC, NGINX, APACHE, LEGACY, GIT_SERVER)
READY_SECONDS = 120

CLOSING = """
Go on
  export KUBECONFIG=.cluster/kubeconfig PATH="$PWD/.cluster:$PATH"
  kubectl get patterns                             the objects of the demonstration
  kubectl get pods                                 what the operator made of them
  kubectl describe sidecarapp site                 how it fares, and what happened to it
  kubectl scale sidecarapp site --replicas=4       more of them
  kubectl explain sidecarapp.spec                  what else can be said
  kubectl port-forward pod/site-0 8080             its page, at http://localhost:8080/
  kubectl port-forward service/git-server 8081:80  to clone http://localhost:8081/site.git, change it and push

Clean up
  make cluster-delete
"""


def main() -> None:
    with step("make demo"):
        cluster = demo_cluster(*IMAGES)
        kubectl = Kubectl(KUBECONFIG)
        try:
            shown = _demonstrate(kubectl, Website(cluster, kubectl))
        except Exception:
            print(diagnosis(kubectl), file=sys.stderr)
            raise
    print("\nWhat you have seen")
    print(*(_line(result) for result in shown), sep="\n")
    print(CLOSING)
    print(f"Times\n{summary()}")


def _demonstrate(kubectl: Kubectl, website: Website) -> list[Shown]:
    with step("Install the operator with Helm, and a git server"):
        website.start_git_server()
        release.install()
    with step("Apply examples/site.yaml and examples/privileged.yaml"):
        website.start()
        kubectl("apply", f"--filename={EXAMPLES / 'privileged.yaml'}")
        for site in SITES:
            website.push("<h1>The first page</h1>\n", site)
        for name in (*SITES, "tuned"):
            kubectl("wait", "--for=condition=Ready", f"sidecarapp/{name}", f"--timeout={READY_SECONDS}s")
    shown = []
    with step("Push a commit"):
        shown.append(steps.push_to_deploy(website))
    with step("Delete the Pod site-0"):
        shown.append(steps.replacement(kubectl, website))
    with step("Compare the privileges of two containers in a Pod"):
        shown.append(steps.privilege(kubectl))
    return shown


def _line(shown: Shown) -> str:
    seconds = "" if shown.seconds is None else f"{shown.seconds:.1f} s"
    return f"  {shown.done:25}  {seconds:>6}  {shown.came}"


if __name__ == "__main__":
    try:
        main()
    except (RuntimeError, TimeoutError, subprocess.CalledProcessError) as error:
        sys.exit(f"make demo failed: {error}")

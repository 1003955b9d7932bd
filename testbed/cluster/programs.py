"""The programs of a Kubernetes cluster, built once from the Go modules beside this file.

    program("kubectl")                         # a path; built at first use
    python -m testbed.cluster.programs kubectl     # the same from a shell; without names: all

Each directory in `programs/` is a Go module that pins in go.mod and go.sum what is built from it. They are
apart because what they require clashes: in one module with etcd 3.6, Go would silently choose Kubernetes
v1.13.
"""

from __future__ import annotations

import functools
import re
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from testbed.cluster.cache import cache_directory, cached, digest, lock
from testbed.cluster.go import BUILD_FLAGS, go, toolchain
from testbed.cluster.progress import step


@dataclass(frozen=True)
class GoModule:
    """A module in `programs/`.

    `pinned` is the module path whose version is that of all its programs. `variables` are Go string variables
    to set when linking; `{version}`, `{major}` and `{minor}` stand for that version and its parts.
    """

    directory: str
    pinned: str
    packages: dict[str, str]
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def path(self) -> Path:
        return Path(__file__).parent / "programs" / self.directory

    @property
    def version(self) -> str:
        requirements = (self.path / "go.mod").read_text()
        found = re.search(rf"^(?:\t|require ){re.escape(self.pinned)} (v\S+)", requirements, re.MULTILINE)
        if not found:
            raise LookupError(f"{self.path / 'go.mod'} doesn't require {self.pinned}")
        return found[1]

    @property
    def flags(self) -> list[str]:
        major, minor, _ = self.version.removeprefix("v").split(".", 2)
        names = {"version": self.version, "major": major, "minor": minor}
        settings = [f"-X {variable}={value.format(**names)}" for variable, value in self.variables.items()]
        return [*BUILD_FLAGS, "-ldflags=" + " ".join(["-s", "-w", *settings])]


_KUBERNETES = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubeadm",
    "kubectl",
    "kubelet",
)
_CONTAINERD = ("containerd", "containerd-shim-runc-v2", "ctr")

MODULES = (
    GoModule(
        "kubernetes",
        "k8s.io/kubernetes",
        {name: f"k8s.io/kubernetes/cmd/{name}" for name in _KUBERNETES},
        {
            "k8s.io/component-base/version.gitVersion": "{version}",
            "k8s.io/component-base/version.gitMajor": "{major}",
            "k8s.io/component-base/version.gitMinor": "{minor}",
            "k8s.io/component-base/version.gitTreeState": "clean",
        },
    ),
    GoModule("etcd", "go.etcd.io/etcd/server/v3", {"etcd": "go.etcd.io/etcd/server/v3"}),
    GoModule("kind", "sigs.k8s.io/kind", {"kind": "sigs.k8s.io/kind"}),
    GoModule(
        "helm",
        "helm.sh/helm/v4",
        {"helm": "helm.sh/helm/v4/cmd/helm"},
        {"helm.sh/helm/v4/internal/version.version": "{version}"},
    ),
    GoModule("kwok", "sigs.k8s.io/kwok", {"kwok": "sigs.k8s.io/kwok/cmd/kwok"}),
    GoModule(
        "containerd",
        "github.com/containerd/containerd/v2",
        {name: f"github.com/containerd/containerd/v2/cmd/{name}" for name in _CONTAINERD},
        {"github.com/containerd/containerd/v2/version.Version": "{version}"},
    ),
    GoModule(
        "coredns",
        "github.com/coredns/coredns",
        {"coredns": "podpatterns.dev/testbed/cluster/programs/coredns"},
    ),
    GoModule(
        "statsd-exporter",
        "github.com/prometheus/statsd_exporter",
        {"statsd_exporter": "github.com/prometheus/statsd_exporter"},
    ),
    GoModule(
        "otlp-receiver",
        "go.opentelemetry.io/collector/receiver/otlpreceiver",
        {"otlp-receiver": "podpatterns.dev/testbed/cluster/programs/otlp-receiver"},
    ),
    GoModule(
        "kstatus",
        "sigs.k8s.io/cli-utils",
        {"kstatus": "podpatterns.dev/testbed/cluster/programs/kstatus"},
    ),
    GoModule(
        "argocd-health",
        "github.com/yuin/gopher-lua",
        {"argocd-health": "podpatterns.dev/testbed/cluster/programs/argocd-health"},
    ),
)


def program(name: str) -> Path:
    """The program `name`, built with `go` first when the cache doesn't have it."""
    return programs(name)[0]


def programs(*names: str) -> list[Path]:
    """Several programs; those of one Go module are built together, which is faster than one by one."""
    for module in MODULES:
        wanted = [name for name in names if name in module.packages]
        if not all(_path(name).exists() for name in wanted):
            _build(module, wanted)
    return [_path(name) for name in names]


def version(name: str) -> str:
    """The version that go.mod pins for the program `name`, such as `v1.37.2`."""
    return _module(name).version


def _module(name: str) -> GoModule:
    for module in MODULES:
        if name in module.packages:
            return module
    raise LookupError(f"no Go module in {MODULES[0].path.parent} has the program {name}")


def _path(name: str) -> Path:
    return cache_directory() / _entry(name) / _key(name) / name


def _entry(name: str) -> str:
    return f"programs/{name}"


@functools.cache
def _key(name: str) -> str:
    module = _module(name)
    return digest(
        *sorted(module.path.iterdir()), toolchain(module.path), *module.flags, module.packages[name]
    )


def _build(module: GoModule, names: list[str]) -> None:
    with lock(f"build-{module.directory}"), tempfile.TemporaryDirectory() as output:
        missing = [name for name in names if not _path(name).exists()]
        if not missing:  # another process built them while this one waited
            return
        with step(f"Build {', '.join(missing)} {module.version}"):
            packages = [module.packages[name] for name in missing]
            go("build", *module.flags, "-o", f"{output}/", *packages, directory=module.path)
        for name in missing:
            built = Path(output, _binary(module.packages[name])).rename(Path(output, name))
            cached(_entry(name), _key(name), functools.partial(shutil.copy2, built))


def _binary(package: str) -> str:
    """The name that `go build` gives a program: its package's last element that isn't a major version."""
    *_, parent, last = package.split("/")
    return parent if re.fullmatch(r"v\d+", last) else last


if __name__ == "__main__":
    print(*programs(*(sys.argv[1:] or [name for module in MODULES for name in module.packages])), sep="\n")

"""The rules for the containers, ports, volumes and variables of a Pod, in CEL: those of `compose/rules`."""

from __future__ import annotations

from podpatterns.api.bounds import POD_CONTAINERS
from podpatterns.api.names import Kind
from podpatterns.compose.adapter import ROLE as ADAPTER
from podpatterns.compose.admission.cel import Variable, clause, indexed, later, record, spec_list, text, texts
from podpatterns.compose.helpers.proxy import ENGINES
from podpatterns.compose.part import MAX_CONTAINER_NAME
from podpatterns.compose.volumes import SHARED_MEMORY

_IS_APP = "has(object.spec.template)"
_ALONE = f"{_IS_APP} && {spec_list('include')}.size() == 0"
"""Parts bring containers and volumes of which one object knows nothing."""
FREE_PORTS = 16
"""Ports after a taken one among which a free one is looked for."""


def pod_rules(kind: Kind) -> list[Variable]:
    """Return the rules, each a list of what is wrong."""
    return [
        Variable("tooManyContainers", _too_many()),
        Variable("longNames", _long_names(kind)),
        Variable("noContainer", _no_container()),
        Variable("names", "variables.containers.map(c, string(c.name))"),
        Variable("takenNames", _taken_names()),
        Variable("ports", "variables.containers.filter(c, c.runs).map(c, c.ports).flatten()"),
        Variable("portKeys", "variables.ports.map(p, string(p.protocol) + ' ' + string(p.number))"),
        Variable("portNumbers", "variables.ports.map(p, int(p.number))"),
        Variable("takenPorts", _taken_ports()),
        Variable("hostPorts", "variables.containers.map(c, c.ports).flatten().filter(p, p.host > 0)"),
        Variable("hostPortKeys", "variables.hostPorts.map(p, string(p.hostKey) + ' ' + string(p.host))"),
        Variable("takenHostPorts", _taken_host_ports()),
        Variable("helperVolumes", _helper_volumes(kind)),
        Variable("volumes", _volumes()),
        Variable("takenVolumes", _taken_volumes()),
        Variable("unknownContainers", _unknown_containers()),
        Variable("unknownVolumes", _unknown_volumes()),
        Variable("mountsInOnePlace", _mounts_in_one_place()),
    ]


RULES = (
    "tooManyContainers",
    "longNames",
    "noContainer",
    "takenNames",
    "takenPorts",
    "takenHostPorts",
    "takenVolumes",
    "unknownContainers",
    "unknownVolumes",
    "mountsInOnePlace",
)


def _too_many() -> str:
    told = (
        f"'spec: the Pod would have ' + string(variables.containers.size()) + ' containers: "
        f"{POD_CONTAINERS} are the most, take some out'"
    )
    return clause(f"{_IS_APP} && variables.containers.size() > {POD_CONTAINERS}", told)


def _long_names(kind: Kind) -> str:
    """In another object's Pod a part's helpers are called after it."""
    if kind.kind == "SidecarApp":
        return "[]"
    roles = "variables.proxies.map(r, r + '-run')" if kind.kind == "Ambassador" else texts([ADAPTER])
    most = f"({MAX_CONTAINER_NAME} - r.size() - 1)"
    told = (
        f"'metadata.name: longer than ' + string({most}) + ' characters: containers are named "
        f"after it, shorten it'"
    )
    return f"{_IS_APP} ? [] : {roles}.filter(r, object.metadata.name.size() > {most}).map(r, {told})"


def _no_container() -> str:
    told = "'spec.template.spec.containers: the application has no container: name at least one'"
    return clause(f"{_IS_APP} && {spec_list('template.spec.containers')}.size() == 0", told)


def _taken_names() -> str:
    told = (
        "string(c.path) + '.name: \"' + string(c.name) + '\" is taken by '"
        " + (o.composed ? 'a helper that the operator adds' : string(o.path))"
        " + ': container names are unique in a Pod, rename one'"
    )
    return later("variables.containers", "variables.names", told, item="c")


def _taken_ports() -> str:
    """Init containers that end are not in `ports`, and the ports of one container may have one number."""
    free = (
        f"lists.range({FREE_PORTS}).map(n, n + 1 + int(p.number)).filter(n, n < 65536 && !(n "
        f"in variables.portNumbers))"
    )
    told = (
        "string(p.path) + ': ' + string(p.protocol) + ' port ' + string(p.number) + ' is "
        "taken by ' + string(o.path)"
        " + ': the containers of a Pod share one port space, give one of them another port'"
        f" + [{free}].map(f, f.size() > 0 ? ', such as ' + string(f[0]) : '')[0]"
    )
    return later(
        "variables.ports",
        "variables.portKeys",
        told,
        item="p",
        condition="o.container != p.container || p.composed",
    )


def _taken_host_ports() -> str:
    """The API server refuses these among the Pod's containers, and in each init container for itself."""
    told = (
        "string(p.hostPath) + ': port ' + string(p.host) + ' of the node is taken by ' + string(o.hostPath)"
        " + ': give one of them another hostPort'"
    )
    return later("variables.hostPorts", "variables.hostPortKeys", told, item="p")


def _helper_volumes(kind: Kind) -> str:
    match kind.kind:
        case "Ambassador":
            run = texts(engine.role for engine in ENGINES if engine.run_directory)
            return f"variables.proxies.map(r, r in {run} ? [r, r + '-run'] : [r]).flatten()"
        case "Adapter":
            return texts([ADAPTER])
    return "[]"


_OWN = f"{spec_list('template.spec.volumes')}.map(v, v.name)"
_CLAIMS = f"{spec_list('volumeClaimTemplates')}.map(v, v.metadata.name)"
_SHARED = spec_list("sharedVolumes")


def _volumes() -> str:
    memory = clause("has(object.spec.sharedMemory)", text(SHARED_MEMORY))
    return f"{_OWN} + {_CLAIMS} + {_SHARED}.map(v, v.name) + variables.helperVolumes + {memory}"


def _taken_volumes() -> str:
    of_helpers = "variables.helperVolumes"

    def told(path: str, rest: str, name: str, why: str) -> str:
        return f"{indexed(path, 'i', rest)} + ': \"' + {name} + '\" {why}'"

    own = told("spec.template.spec.volumes", ".name", "v", "holds a helper\\'s configuration: rename it")
    memory = told("spec.template.spec.volumes", ".name", "v", "is the volume of spec.sharedMemory: rename it")
    claim = told(
        "spec.volumeClaimTemplates", ".metadata.name", "v", "is a volume that the operator adds: rename it"
    )
    shared = told("spec.sharedVolumes", ".name", "v.name", "is already a volume of the Pod: rename one")
    others = f"({_OWN} + {of_helpers} + {_CLAIMS} + [{text(SHARED_MEMORY)}])"
    return (
        f"!{_IS_APP} ? [] : {_OWN}.transformList(i, v, v in {of_helpers}, {own})"
        f" + {_OWN}.transformList(i, v, has(object.spec.sharedMemory) && v == "
        f"{text(SHARED_MEMORY)}, {memory})"
        f" + {_CLAIMS}.transformList(i, v, v in {of_helpers} || v == {text(SHARED_MEMORY)}, {claim})"
        f" + {_SHARED}.transformList(i, v, v.name in {others}, {shared})"
    )


def _names(names: str) -> str:
    """Return the end of a sentence that lists names."""
    return (
        f"({names}.size() == 0 ? 'the Pod has none' : 'the Pod has ' + {names}.slice(0, "
        f"{names}.size() < 5 ? {names}.size() : 5).join(', ') + ({names}.size() > 5 ? ' "
        f"and ' + string({names}.size() - 5) + ' more' : ''))"
    )


def _unknown_containers() -> str:
    names = "variables.names.sort()"
    path = f"{indexed('spec.sharedVolumes', 'i', '.mounts[')} + string(j) + '].container'"
    told = f"{path} + ': no container is named \"' + m.container + '\": ' + {_names(names)}"
    return (
        f"!({_ALONE}) ? [] : {_SHARED}.transformList(i, v, v.?mounts.orValue([]).transformList(j, m,"
        f" !(m.container in variables.names), {told})).flatten()"
    )


def _unknown_volumes() -> str:
    told = (
        "string(m.path) + ': no volume is named \"' + string(m.name) + '\": declare it in "
        "spec.sharedVolumes, "
        f"spec.volumeClaimTemplates or spec.template.spec.volumes (' + "
        f"{_names('variables.volumes.sort()')} + ')'"
    )
    return (
        f"!({_ALONE}) ? [] : variables.containers.map(c, c.mounts.filter(m, !(m.name in variables.volumes))"
        f".map(m, {told})).flatten()"
    )


def _mounts_in_one_place() -> str:
    """A shared volume is mounted where the container names none of its own; in a helper, if that is named."""
    bare = "(m.at.endsWith('/') && m.at != '/' ? m.at.substring(0, m.at.size() - 1) : string(m.at))"
    written = f"c.mounts.map(m, {record(name='m.name', at=bare)})"
    named = "v.?mounts.orValue([]).filter(m, m.container == c.name)"
    place = (
        f"({named}.map(m, m.?mountPath.orValue('')).filter(p, p != '') + (has(v.mountPath) ? "
        f"[v.mountPath] : []))"
    )
    shared = (
        f"{_SHARED}.filter(v, !c.mounts.exists(m, m.name == v.name) && !c.altered && "
        f"(!c.composed || {named}.size() > 0))"
        f".map(v, {place}.slice(0, {place}.size() > 0 ? 1 : 0)"
        f".map(at, [{record(at='at')}].map(m, {record(name='v.name', at=bare)})[0])).flatten()"
    )
    memory = clause(
        f"has(object.spec.sharedMemory) && !c.composed && !c.mounts.exists(m, m.name == "
        f"{text(SHARED_MEMORY)})",
        record(name=text(SHARED_MEMORY), at="'/dev/shm'"),
    )
    told = (
        "string(c.path) + '.volumeMounts: volumes \"' + string(o.name) + '\" and \"' + "
        "string(p.name) + '\" both want '"
        " + string(p.at) + ': mount one of them elsewhere'"
    )
    clashes = later("places", "places.map(p, string(p.at))", told, item="p", condition="o.name != p.name")
    return (
        f"!{_IS_APP} ? [] : variables.containers.map(c, [{written} + {shared} + {memory}]"
        f".map(places, {clashes}).flatten()).flatten()"
    )

"""The rules of an Adapter, in CEL: those of `compose/rules/metricrules.py` and `compose/rules/contract.py`.

A part is judged by them too, as it has its rules whoever includes it.
"""

from __future__ import annotations

from podpatterns.api.bounds import POD_SETTINGS
from podpatterns.compose.admission.cel import Variable, clause, indexed, later, record, spec_list, text, texts
from podpatterns.compose.rules.contract import BUILTIN, WELL_KNOWN, Metric
from podpatterns.compose.rules.metricrules import PROC_METRICS

_RULES = spec_list("rules")
_CUSTOM = "object.spec.?contract.?metrics.orValue([])"
_CONTRACT = "object.spec.?contract.?name.orValue('')"
_EMISSION_FIELDS = ("labels", "scale", "aggregation")

_NAMELESS = r"^(\$\{[^}]+\}|[^$]|\$+[^{$])*\$\{\}"
"""A reference in a label that names no group, outside of others."""

RULES = (
    "sharedProcesses",
    "tooManySettings",
    "buckets",
    "contractLabels",
    "sockets",
    "findings",
    "emissionProblems",
    "typeProblems",
    "aggregations",
    "openMetrics",
    "missingLabels",
    "missingMetrics",
)


def adapter_rules() -> list[Variable]:
    return [
        Variable("sharedProcesses", _shared_processes()),
        Variable("tooManySettings", _too_many_settings()),
        Variable("buckets", _buckets()),
        Variable(
            "contractLabels",
            _bad_labels("'spec.contract.labels'", "object.spec.?contract.?labels.orValue({})"),
        ),
        Variable("sockets", _sockets()),
        Variable("findings", _findings()),
        Variable("known", _known()),
        Variable("emissions", _emissions()),
        Variable("emissionProblems", _emission_problems()),
        Variable("typeProblems", _type_problems()),
        Variable("gauges", "variables.emissions.filter(x, x.target.type == 'gauge')"),
        Variable("aggregations", _aggregations()),
        Variable("metricNames", "variables.emissions.map(x, string(x.metric))"),
        Variable("families", _families()),
        Variable("familyNames", "variables.families.map(f, string(f.name))"),
        Variable("openMetrics", _open_metrics()),
        Variable("missingLabels", _missing_labels()),
        Variable("missingMetrics", _missing_metrics()),
    ]


def _shared_processes() -> str:
    pod = "object.spec.?template.?spec"
    told = (
        "'spec.template.spec.shareProcessNamespace: a source of type proc needs the containers to see each "
        "other\\'s processes: take this field out'"
    )
    return clause(
        f"object.spec.sources.exists(s, has(s.proc)) && !{pod}.?shareProcessNamespace.orValue(true)"
        f" && !{pod}.?hostPID.orValue(false)",
        told,
    )


def _too_many_settings() -> str:
    def settings(one: str) -> str:
        return f"([0] + {one}.?labels.orValue({{}}).map(l, 0))"

    each = f"has(r.emit) ? r.emit.map(e, {settings('e')}).flatten() : {settings('r')}"
    number = f"{_RULES}.map(r, {each}).flatten().size()"
    told = (
        f"'spec: the Pod would have ' + string({number}) + ' metrics, labels and endpoints in its helpers\\' "
        f"configuration: {POD_SETTINGS} are the most, take some out'"
    )
    return clause(f"has(object.spec.template) && {number} > {POD_SETTINGS}", told)


def _buckets() -> str:
    def rising(buckets: str) -> str:
        return f"!{buckets}.exists(n, low, n + 1 < {buckets}.size() && !(low < {buckets}[n + 1]))"

    own, listed = "object.spec.?contract.?buckets.orValue([])", "m.?buckets.orValue([])"
    told = " + ': must be rising numbers; +Inf is added'"
    return (
        f"{clause('!(' + rising(own) + ')', text('spec.contract.buckets') + told)}"
        f" + {_CUSTOM}.transformList(i, m, !({rising(listed)}), "
        f"{indexed('spec.contract.metrics', 'i', '.buckets')}{told})"
    )


def _bad_labels(path: str, labels: str) -> str:
    told = (
        f"{path} + ': \"' + l + '\" cannot be a label: use letters, digits and "
        f"underscores, and neither le nor "
        "quantile nor two underscores in front'"
    )
    return f"{labels}.filter(l, l in ['le', 'quantile'] || l.startsWith('__')).map(l, {told})"


def _sockets() -> str:
    told = (
        f"{indexed('spec.sources', 'i', '.syslog.streamSocket')} + ': is the same file as "
        f"socket; choose another'"
    )
    same = " && ".join(
        f"s.syslog.socket.{field} == s.syslog.streamSocket.{field}" for field in ("volume", "path")
    )
    return (
        "object.spec.sources.transformList(i, s, has(s.syslog) && has(s.syslog.socket)"
        f" && has(s.syslog.streamSocket) && {same}, {told})"
    )


def _findings() -> str:
    """A path or regex that does not go with its source is a matter of the CRD's rules."""
    at = "'spec.rules[' + string(i) + ']"
    identity = (
        f"{at}.identity: the source ' + r.source + ' is of type ' + s.type + '; only the "
        f"lists of a JSON page have "
        "elements to tell apart'"
    )
    proc = (
        f"{at}.path: a source of type proc has no ' + r.?path.orValue('') + '; it has "
        f"[{' '.join(PROC_METRICS)}]'"
    )
    found = [
        clause("has(r.identity) && s.type != 'json'", identity),
        clause(f"s.type == 'proc' && !(r.?path.orValue('') in {texts(PROC_METRICS)})", proc),
    ]
    return (
        f"{_RULES}.transformList(i, r, object.spec.sources.filter(s, s.name == r.source).map(s, "
        f"{' + '.join(found)}).flatten()).flatten()"
    )


def _metric(metric: Metric) -> str:
    return record(name=text(metric.name), type=text(metric.type), labels=texts(metric.labels))


def _known() -> str:
    """The metrics that have their type from the contract, the first of a name first."""
    custom = f"{_CUSTOM}.map(m, {record(name='m.name', type='m.type', labels='m.?labels.orValue([])')})"
    builtin = "".join(
        f"{_CONTRACT} == {text(name)} ? [{', '.join(map(_metric, metrics))}] : "
        for name, metrics in BUILTIN.items()
    )
    well_known = f"[{', '.join(map(_metric, WELL_KNOWN))}]"
    return f"{_CONTRACT} == '' ? {well_known} : {builtin}{custom}"


def _emissions() -> str:
    """The metrics that the rules make, each with the meaning of its name and its source."""

    def emission(one: str, at: str) -> str:
        other = record(
            name=f"{one}.metric",
            type=f"{one}.metric.endsWith('_total') ? 'counter' : 'gauge'",
            labels="[]",
        )
        # Where a metric and a part of another one have one name, the one listed first has it.
        either = (
            f"variables.known.filter(m, m.name == {one}.metric || m.type == 'histogram'"
            f" && {one}.metric in [m.name + '_sum', m.name + '_count'])"
        )
        return record(
            metric=f"{one}.metric",
            at=at,
            labels=f"{one}.?labels.orValue({{}})",
            scale=f"{one}.?scale.orValue(1)",
            aggregation=f"{one}.?aggregation.orValue('')",
            valued="has(e.value)" if one == "e" else "false",
            target=f"({either} + [{other}])[0]",
            whole=f"{either}.size() == 0 || {either}[0].name == {one}.metric",
            known=f"{either}.size() > 0",
            path="r.?path.orValue('')",
            source="s",
        )

    at = indexed("spec.rules", "i")
    of_several = emission("e", f"{at} + '.emit[' + string(j) + ']'")
    return (
        f"{_RULES}.transformList(i, r, object.spec.sources.filter(s, s.name == r.source).map(s, has(r.emit)"
        f" ? r.emit.transformList(j, e, {of_several}) : [{emission('r', at)}]).flatten()).flatten()"
    )


def _of_emissions(*problems: str) -> str:
    return f"variables.emissions.map(x, {' + '.join(problems)}).flatten()"


def _emission_problems() -> str:
    own = (
        "string(x.at) + '.metric: must be a metric\\'s name such as app_requests_total; "
        "adapter_… are the adapter\\'s own'"
    )
    scale = "string(x.at) + '.scale: must be a number other than 0'"
    unclosed = "string(x.at) + '.labels.' + l + ': ${ without }; write ${group}'"
    nameless = "string(x.at) + '.labels.' + l + ': a group without a name; write ${group}'"
    return _of_emissions(
        clause("string(x.metric).startsWith('adapter_')", own),
        clause("x.scale == 0", scale),
        _bad_labels("string(x.at) + '.labels'", "x.labels"),
        "x.labels.filter(l, string(x.labels[l]).lastIndexOf('${') > string(x.labels[l]).lastIndexOf('}'))"
        f".map(l, {unclosed})",
        f"x.labels.filter(l, string(x.labels[l]).matches({text(_NAMELESS)})).map(l, {nameless})",
    )


def _type_problems() -> str:
    name, kind = "string(x.target.name)", "string(x.target.type)"
    falls = f"string(x.at) + '.scale: must be above 0: ' + {name} + ' is a ' + {kind} + ', which never falls'"
    totals = (
        f"string(x.at) + '.metric: ' + {name} + ' is a histogram of single values, of "
        f"which a source of type '"
        f" + string(x.source.type) + ' knows only totals; give ' + {name} + '_sum and ' + "
        f"{name} + '_count instead'"
    )
    value = f"string(x.at) + '.value: ' + {name} + ' is a histogram: name the group that holds the value'"
    pair = (
        f"string(x.at) + '.metric: ' + {name} + ' is a ' + {kind} + ', which never falls; "
        f"of ' + string(x.path)"
        " + ' only a gauge can be made'"
    )
    single = "x.target.type == 'histogram' && x.whole"
    return _of_emissions(
        clause("x.scale < 0 && x.target.type != 'gauge'", falls),
        clause(f"{single} && x.source.type in ['json', 'proc']", totals),
        clause(f"{single} && x.source.type in ['log', 'syslog'] && !x.valued", value),
        clause(
            "x.source.type == 'prometheus' && x.target.type != 'gauge'"
            " && string(x.path).matches('^[!-~]+ [-*/] [!-~]+$')",
            pair,
        ),
    )


def _aggregations() -> str:
    added = (
        "string(x.at) + '.aggregation: ' + string(x.target.name) + ' is a ' + string(x.target.type) + "
        "', which is always added up; leave it out'"
    )
    how = "({0}.aggregation == '' ? 'sum' : string({0}.aggregation))"
    others = (
        f"variables.gauges.transformList(j, o, j < i && o.target.name == x.target.name, {how.format('o')})"
    )
    last = f"{others}[{others}.size() - 1]"
    differs = (
        f"string(x.at) + '.aggregation: ' + string(x.target.name) + ' is the ' + {last} + "
        f"' of what another rule "
        f"finds, and cannot be the ' + {how.format('x')} + ' as well; say the same in both'"
    )
    return (
        f"variables.emissions.filter(x, x.target.type != 'gauge' && x.aggregation != '').map(x, {added})"
        " + variables.gauges.transformList(i, x, "
        f"{others}.size() > 0 && {last} != {how.format('x')}, {differs})"
    )


def _families() -> str:
    """The names of each metric in OpenMetrics text."""
    name = "string(x.target.name)"
    base = f"({name}.endsWith('_total') ? {name}.substring(0, {name}.size() - 6) : {name})"
    histogram = (
        f"[{name}, {', '.join(f'{name} + {text(end)}' for end in ('_bucket', '_sum', '_count', '_created'))}]"
    )
    names = (
        f"(x.target.type == 'counter' ? [{name}, {base}, {base} + '_created']"
        f" : x.target.type == 'histogram' || !x.known && x.source.type == 'prometheus' ? "
        f"{histogram} : [{name}])"
    )
    first = "x.whole && variables.metricNames.indexOf(string(x.metric)) == i"
    one = record(name="n", metric="x.target.name", at="x.at")
    return f"variables.emissions.transformList(i, x, {first}, {names}.map(n, {one})).flatten()"


def _open_metrics() -> str:
    told = (
        "string(x.at) + '.metric: ' + string(x.metric) + ' and ' + string(o.metric) + "
        "' cannot both be there: in OpenMetrics both have the name ' + string(x.name)"
    )
    return later(
        "variables.families", "variables.familyNames", told, item="x", condition="o.metric != x.metric"
    )


def _missing_labels() -> str:
    told = (
        f"string(x.at) + '.labels: ' + {_CONTRACT} + ' wants the label ' + string(l) + ' "
        f"on ' + string(x.target.name) + "
        "'; give it here or in contract.labels'"
    )
    given = "x.labels.exists(k, k == l && x.labels[k] != '')"
    of_all = "object.spec.?contract.?labels.orValue({})"
    return (
        f"variables.emissions.map(x, x.target.labels.filter(l, !({of_all}.exists(k, k == "
        f"l) ? {of_all}[string(l)] != ''"
        f" : {given})).map(l, {told})).flatten()"
    )


def _missing_metrics() -> str:
    made = "variables.emissions.exists(x, x.metric == {})"
    parts = " && ".join(made.format(f"m.name + '_{part}'") for part in ("sum", "count"))
    told = (
        f"'spec.rules: no rule makes ' + string(m.name) + ', a ' + string(m.type) + ' that ' + {_CONTRACT} + "
        "' wants; add one, or choose another contract'"
    )
    return (
        f"{_CONTRACT} == '' ? [] : variables.known.filter(m, !{made.format('m.name')}"
        f" && !(m.type == 'histogram' && {parts})).map(m, {told})"
    )

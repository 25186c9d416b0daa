"""/metrics: what a server counts, as Prometheus reads it: of the many series of the real one those that teach. Pure.

    page([Series("apiserver_request_total", "counter", "…", {(("verb", "GET"),): 3})])

Models k/component-base metrics/legacyregistry Handler; k/apiserver pkg/endpoints/metrics requestCounter
longRunningRequestsGauge; k/apiserver pkg/util/flowcontrol/metrics.
Simplified: no histograms; nothing about the process itself.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubemini.apiserver.decide.forms.plain import Plain

TYPE = "text/plain; version=0.0.4; charset=utf-8; escaping=underscores"
Labels = tuple[tuple[str, str], ...]


class Series(NamedTuple):
    """One name with all its values, by their labels."""

    name: str
    kind: str
    help: str
    values: Mapping[Labels, float]


def page(series: Iterable[Series]) -> Plain:
    """The text of *series*, in order of their names."""
    lines = []
    for one in sorted(series, key=lambda one: one.name):
        lines += [f"# HELP {one.name} {one.help}", f"# TYPE {one.name} {one.kind}"]
        lines += [f"{one.name}{_shown(labels)} {value:g}" for labels, value in sorted(one.values.items())]
    return Plain("\n".join([*lines, ""]), TYPE)


def _shown(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in sorted(labels)) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def request(verb: str, group: str, version: str, resource: str, subresource: str, scope: str, code: int) -> Labels:
    """The labels of a request that was answered."""
    labels = {"verb": verb, "group": group, "version": version, "resource": resource, "subresource": subresource}
    return tuple({**labels, "scope": scope, "code": str(code), "component": "apiserver", "dry_run": ""}.items())

"""Which cluster stands behind the door: the options of the command line → a cluster that has started and is ready.

Simulated time begins a little before the clock on the wall and catches up while the cluster starts, so that dates in
objects are today's. Everything else is as in any run: the same programs, the same parameters, another beginning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from kubemini import faults
from kubemini.api.timestamps import START
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.flags import NODE, RBAC, Flags
from kubemini.apiserver.server import ApiServer
from kubemini.cluster import Cluster, Topology, build
from kubemini.cluster.topology.bare import without
from kubemini.params import Params, changed
from kubemini.scenarios import load, with_params
from kubemini.sim.units import MS, SECOND
from kubemini.wire.cuts import Cut

MANIFESTS = (".yaml", ".yml", ".json")
NOT_IN_API_ONLY = ("scheduler", "controller-manager", "kubectl")
EARLY = 3 * SECOND  # so long the start of an API server takes in simulated time
PATIENCE = 60 * SECOND  # of simulated time, for the first API server to be ready
TOPOLOGIES = {"single": "single", "stacked": "stacked", "external": "external"}


class NotServed(ValueError):
    """What was asked for cannot be served; the message says what would be right."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for. *sources*: the name of a scenario, or files of manifests."""

    sources: tuple[str, ...] = ()
    topology: str = ""
    workers: int = 3
    api_only: bool = False
    params: Mapping[str, str] = field(default_factory=dict)
    tokens: Mapping[str, UserInfo] = field(default_factory=dict)


def made(wanted: Wanted, now: datetime) -> Cluster:
    """The cluster, which begins to live shortly before *now* (UTC). Raises ValueError of any part of it."""
    start = (now - START) // (datetime.resolution) - EARLY
    manifests = [source for source in wanted.sources if source.endswith(MANIFESTS) and _holds_manifests(source)]
    scenarios = [source for source in wanted.sources if source not in manifests]
    if len(scenarios) > 1:
        raise NotServed(f"one scenario at a time, not {' and '.join(scenarios)}: the rest may be files of manifests")
    cluster = _of_scenario(scenarios[0], wanted, start) if scenarios else _plain(wanted)
    _begin_at(cluster, start)
    flags = Flags(tokens=wanted.tokens, authorization=(NODE, RBAC))
    for server in api_servers(cluster):
        server.flags = flags
    for source in manifests:
        cluster.apply(Path(source))
    return cluster

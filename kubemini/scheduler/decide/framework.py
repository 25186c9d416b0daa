"""One scheduling cycle: ask the plugins which nodes can take a pod, how well, and take the best. Pure.

How it goes
    1. Each plugin's ``prefilter``, once. One may end the cycle, or name the only nodes worth asking.
    2. If the pod is nominated to a node, that node alone; if it fits it is taken, however bad.
    3. The filters, node by node from where the last search ended, until enough nodes fit: all of them below 100 nodes,
       a share of 50 to 5 % above. The search goes on to the first fitting node too many.
    4. With two or more left: ``prescore``, ``score``, ``normalize``, weights; the highest total wins.
A node on which pods of the same or a higher priority are nominated must fit with them and without them.

Invariant: the same facts and the same place to start give the same decision. We look at nodes one after another, as
kube-scheduler does with ``parallelism: 1``; with its 16 workers nodes are found in an order that varies a little.
Models k/k pkg/scheduler Scheduler.schedulePod
Models k/k pkg/scheduler Scheduler.findNodesThatFitPod
Models k/k pkg/scheduler/framework/runtime frameworkImpl.RunFilterPluginsWithNominatedPods
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, takewhile
from operator import add
from typing import Any

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.decision import Decision, winner
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.nominator import nominated_node
from kubemini.scheduler.decide.plugin import SKIP, ZERO, Cycle, Plugin, PluginError, Refusal

UNKNOWN: Any = object()  # what is not remembered
FEW, LEAST_PERCENT = 100, 5  # minFeasibleNodesToFind, minFeasibleNodesPercentageToFind


def enough(nodes: int) -> int:
    """How many fitting nodes end the search. Models k/k pkg/scheduler Scheduler.numFeasibleNodesToFind"""
    if nodes < FEW:
        return nodes
    percent = max(LEAST_PERCENT, 50 - nodes // 125)
    return max(FEW, nodes * percent // 100)


def priority(pod: Obj) -> int:
    """Of pods that want the same room the one with the higher priority has it."""
    found: int = pod["spec"].get("priority") or 0
    return found


@dataclass(slots=True)
class Filters:
    """Those that are asked of a node, in order: the *local* ones first, whose answers are remembered."""

    head: Sequence[Plugin]
    tail: Sequence[Plugin]

    @classmethod
    def of(cls, plugins: Sequence[Plugin], skipped: Sequence[str] = ()) -> "Filters":
        """Those of *plugins* that filter and do not skip the pod."""
        asked = [p for p in plugins if p.filter is not None and p.name not in skipped]
        head = list(takewhile(lambda plugin: plugin.local, asked))
        return cls(head, asked[len(head) :])

    def __iter__(self) -> Iterator[Plugin]:
        return chain(self.head, self.tail)


@dataclass(slots=True)
class Asked:
    """The plugins that a cycle concerns, after ``prefilter``."""

    plugins: Sequence[Plugin]
    skipped: tuple[str, ...] = ()
    nodes: tuple[str, ...] | None = None  # None: all
    narrowed_by: tuple[str, ...] = ()
    refusal: Refusal | None = None

    @property
    def filters(self) -> Filters:
        """Those that filter."""
        return Filters.of(self.plugins, self.skipped)


def decide(cycle: Cycle, plugins: Sequence[Plugin], start: int = 0) -> Decision:
    """Where the pod goes, in the opinion of *plugins*; the search begins at the node with the number *start*."""
    decision = Decision(len(cycle.nodes))
    if not cycle.nodes:
        return decision
    try:
        asked = prefilter(cycle, plugins)
        decision.skipped_filters, decision.prefilter = asked.skipped, asked.refusal
        if asked.refusal is None:
            feasible = search(cycle, asked, start, decision)
            decision.feasible = [info.name for info in feasible]
            rank(cycle, plugins, feasible, decision)
    except PluginError as error:
        decision.error = str(error)
    return decision


def prefilter(cycle: Cycle, plugins: Sequence[Plugin]) -> Asked:
    """Which plugins the pod concerns, and which nodes may be asked at all.

    Models k/k pkg/scheduler/framework/runtime frameworkImpl.RunPreFilterPlugins
    """
    asked, skipped, narrowing = Asked(plugins), [], []
    for plugin in plugins:
        said = plugin.prefilter(cycle) if plugin.prefilter else None
        if said == SKIP:
            skipped.append(plugin.name)
        elif isinstance(said, Refusal | str):
            asked.refusal = refused(said, plugin)
            break
        elif said is not None:
            narrowing.append(plugin.name)
            asked.nodes = tuple(said) if asked.nodes is None else tuple(n for n in asked.nodes if n in said)
            if not asked.nodes:
                asked.refusal = Refusal((_nowhere(narrowing),), False, plugin.name)
                break
    asked.skipped, asked.narrowed_by = tuple(skipped), tuple(sorted(narrowing))
    return asked


def _nowhere(plugins: Sequence[str]) -> str:
    names = sorted(plugins)
    many = f"plugin(s) [{' '.join(names)}] simultaneously"
    return "node(s) didn't satisfy " + (f"plugin {names[0]}" if len(names) == 1 else many)


def refused(said: Refusal | str, plugin: Plugin) -> Refusal:
    """What *plugin* said, under its name."""
    return Refusal((said,), True, plugin.name) if isinstance(said, str) else replace(said, plugin=plugin.name)


# -- filters -----------------------------------------------------------------------------------------------------------
def search(cycle: Cycle, asked: Asked, start: int, decision: Decision) -> list[NodeInfo]:
    """The nodes that can take the pod, enough of them; why others cannot goes into *decision*."""
    filters = asked.filters
    wanted = nominated_node(cycle.pod)
    if wanted:
        info = next((info for info in cycle.nodes if info.name == wanted), None)
        refusal = passes(cycle, filters, info) if info else None
        if info is not None and refusal is None:
            return [info]
        if refusal is not None:
            decision.refusals[wanted] = refusal
    nodes = cycle.nodes
    if asked.nodes is not None:
        nodes = [info for info in nodes if info.name in asked.nodes]
        decision.narrowed_by, decision.allowed = asked.narrowed_by, asked.nodes
    feasible: list[NodeInfo] = []
    limit, first = enough(len(nodes)), start % max(1, len(nodes))
    known = "" if cycle.nominated or filters.tail else cycle.shape  # what is remembered is all there is to say
    for info in chain(nodes[first:], nodes[:first]):
        refusal = info.memo.get(known, UNKNOWN)
        if refusal is UNKNOWN:
            refusal = passes(cycle, filters, info)
        if refusal is not None:
            decision.refusals[info.name] = refusal
        elif len(feasible) < limit:
            feasible.append(info)
        else:
            break
    decision.searched = len(feasible) + len(decision.refusals)
    return feasible


def passes(cycle: Cycle, filters: Filters, info: NodeInfo) -> Refusal | None:
    """Why the node cannot take the pod: with those of its rank who are nominated there, or without them."""
    if cycle.nominated:
        own = cycle.pod["metadata"].get("uid")
        rank = priority(cycle.pod)
        ahead = [
            pod
            for pod in cycle.nominated.get(info.name, ())
            if priority(pod) >= rank and pod["metadata"].get("uid") != own
        ]
        if ahead:
            crowded, there = fork(cycle, filters), info.copy()
            for pod in ahead:
                there.add(pod)
                changed(crowded, filters, pod, there, +1)
            refusal = reject(crowded, filters, there)
            if refusal is not None:
                return refusal
    return reject(cycle, filters, info)


def reject(cycle: Cycle, filters: Filters, info: NodeInfo) -> Refusal | None:
    """The first plugin that says no, and its reasons."""
    if cycle.shape:
        found: Refusal | None = info.memo.get(cycle.shape, UNKNOWN)
        if found is UNKNOWN:
            found = info.memo[cycle.shape] = _first(cycle, filters.head, info)
    else:
        found = _first(cycle, filters.head, info)
    return found if found is not None or not filters.tail else _first(cycle, filters.tail, info)


def _first(cycle: Cycle, filters: Iterable[Plugin], info: NodeInfo) -> Refusal | None:
    for plugin in filters:
        if plugin.filter is not None:
            said = plugin.filter(cycle, info)
            if said:
                return refused(said, plugin)
    return None


def fork(cycle: Cycle, filters: Iterable[Plugin]) -> Cycle:
    """The same cycle, to see how it would be with other pods."""
    copies = {p.name: p.fork(cycle.state[p.name]) for p in filters if p.fork and p.name in cycle.state}
    return replace(cycle, state={**cycle.state, **copies})


def changed(cycle: Cycle, filters: Iterable[Plugin], pod: Obj, info: NodeInfo, sign: int) -> None:
    """Another pod is on the node, or is there no more: the plugins mend what they have worked out."""
    for plugin in filters:
        if plugin.change is not None:
            plugin.change(cycle, pod, info, sign)


# -- scores ------------------------------------------------------------------------------------------------------------
def rank(cycle: Cycle, plugins: Sequence[Plugin], feasible: Sequence[NodeInfo], decision: Decision) -> None:
    """Take the best of those that can; a single one is taken as it is."""
    if len(feasible) == 1:
        decision.node = feasible[0].name
    elif feasible:
        score(cycle, plugins, feasible, decision)
        decision.node = feasible[winner(decision.sums)].name


def score(cycle: Cycle, plugins: Sequence[Plugin], feasible: Sequence[NodeInfo], decision: Decision) -> None:
    """What each plugin gives each node: raw, from 0 to 100, and weighted. Raises PluginError.

    Models k/k pkg/scheduler prioritizeNodes
    """
    asked: list[Plugin] = []
    skipped: list[Plugin] = []
    nothing = [0] * len(feasible)
    known: dict[str, list[int]] = {}
    for plugin in plugins:
        if plugin.score is not None:
            said = _prescore(cycle, plugin, feasible)
            (skipped if said == SKIP else asked).append(plugin)
            if said == ZERO:
                known[plugin.name] = nothing
    known |= _remembered(cycle, [p for p in asked if p.local and p.name not in known], feasible)
    decision.feasible = [info.name for info in feasible]
    decision.skipped_scores = tuple(plugin.name for plugin in skipped)
    decision.sums = nothing
    for plugin in asked:
        raw = known[plugin.name] if plugin.name in known else _raw(cycle, plugin, feasible)
        shares = plugin.normalize(cycle, feasible, raw) if plugin.normalize else raw
        decision.given.append((plugin.name, plugin.weight, raw, shares))
        if shares is not nothing:
            weighted = shares if plugin.weight == 1 else [plugin.weight * share for share in shares]
            decision.sums = list(map(add, decision.sums, weighted))


def _raw(cycle: Cycle, plugin: Plugin, feasible: Sequence[NodeInfo]) -> list[int]:
    give = plugin.score
    assert give is not None, "only those that score are asked"
    return [give(cycle, info) for info in feasible]


def _remembered(cycle: Cycle, plugins: Sequence[Plugin], feasible: Sequence[NodeInfo]) -> dict[str, list[int]]:
    """The raw scores of local plugins: those of nodes that have not changed are remembered."""
    if not cycle.shape or not plugins:
        return {}
    key = f"score {cycle.shape}"
    rows = [info.memo.get(key) for info in feasible]
    for at, row in enumerate(rows):
        if row is None:
            info = feasible[at]
            rows[at] = info.memo[key] = tuple(p.score(cycle, info) for p in plugins if p.score is not None)
    columns = zip(*rows)
    return {plugin.name: list(column) for plugin, column in zip(plugins, columns)}


def _prescore(cycle: Cycle, plugin: Plugin, feasible: Sequence[NodeInfo]) -> str | None:
    if plugin.prescore is None:
        return None
    try:
        return plugin.prescore(cycle, feasible)
    except PluginError as error:
        raise PluginError(f'running PreScore plugin "{plugin.name}": {error}') from None

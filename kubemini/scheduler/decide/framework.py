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
from functools import partial
from itertools import chain, repeat, takewhile
from operator import add

from kubemini.api.objects import Obj
from kubemini.scheduler.decide.decision import Decision, winner
from kubemini.scheduler.decide.kept.columns import REFUSED, Ask, Column, Span, taken
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.nominator import nominated_node
from kubemini.scheduler.decide.plugin import SKIP, ZERO, Cycle, Plugin, PluginError, Refusal

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
            rank(cycle, plugins, search(cycle, asked, start, decision), decision)
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
@dataclass(slots=True)
class Fitting:
    """The nodes that can take a pod, and the *column* that they were read off, if they were."""

    nodes: Sequence[NodeInfo]
    names: list[str]
    column: Column | None = None

    @classmethod
    def of(cls, nodes: Sequence[NodeInfo]) -> "Fitting":
        """These, one by one."""
        return cls(nodes, [info.name for info in nodes])


def search(cycle: Cycle, asked: Asked, start: int, decision: Decision) -> Fitting:
    """The nodes that can take the pod, enough of them; why others cannot goes into *decision*."""
    filters = asked.filters
    wanted = nominated_node(cycle.pod)
    if wanted:
        info = next((info for info in cycle.nodes if info.name == wanted), None)
        refusal = passes(cycle, filters, info) if info else None
        if info is not None and refusal is None:
            return Fitting.of([info])
        if refusal is not None:
            decision.refusals[wanted] = refusal
    if asked.nodes is not None:
        decision.narrowed_by, decision.allowed = asked.narrowed_by, asked.nodes
        found = _one_by_one(cycle, filters, _named(cycle, asked.nodes), start, decision)
    elif cycle.columns is None or cycle.nominated or filters.tail:
        found = _one_by_one(cycle, filters, cycle.nodes, start, decision)
    else:
        found = _read_off(cycle, filters, start, decision)
    decision.searched = len(found.nodes) + len(decision.refusals)
    return found


def _named(cycle: Cycle, names: Sequence[str]) -> Sequence[NodeInfo]:
    """Those nodes, in the order of all."""
    if cycle.columns is None:
        return [info for info in cycle.nodes if info.name in names]
    places = cycle.columns.places
    return [cycle.nodes[place] for place in sorted(places[name] for name in set(names) if name in places)]


def _one_by_one(cycle: Cycle, filters: Filters, nodes: Sequence[NodeInfo], start: int, decision: Decision) -> Fitting:
    feasible: list[NodeInfo] = []
    limit, first = enough(len(nodes)), start % max(1, len(nodes))
    column = _column(cycle, filters) if nodes is cycle.nodes else None
    ask = partial(reject, cycle, filters.head)
    for place in chain(range(first, len(nodes)), range(first)):
        info = nodes[place]
        if column is None or info.name in cycle.nominated:
            refusal = passes(cycle, filters, info)
        else:
            refusal = column.verdict(place, ask) or reject(cycle, filters.tail, info)
        if refusal is not None:
            decision.refusals[info.name] = refusal
        elif len(feasible) < limit:
            feasible.append(info)
        else:
            break
    return Fitting.of(feasible)


def _column(cycle: Cycle, filters: Filters) -> Column | None:
    """What is known already of what the *local* plugins say."""
    if cycle.columns is None:
        return None
    return cycle.columns.of((cycle.shape, *(plugin.name for plugin in filters.head)))


def _read_off(cycle: Cycle, filters: Filters, start: int, decision: Decision) -> Fitting:
    """The same search, where *local* plugins alone have something to say: a stretch of nodes at a time."""
    column = _column(cycle, filters)
    assert column is not None and cycle.columns is not None, "only a cycle over the cache remembers"
    names = cycle.columns.names
    spans = _spans(cycle, filters.head, column, start % len(names), decision)
    cycle.found, cycle.spans = taken(cycle.nodes, spans), spans
    return Fitting(cycle.found, taken(names, spans), column)


def _spans(cycle: Cycle, head: Sequence[Plugin], column: Column, first: int, decision: Decision) -> list[Span]:
    """Where those nodes lie that fit, but for the one too many with which the search ends."""
    ask: Ask = partial(reject, cycle, head)
    many = len(column.nodes)
    spans, left = [], enough(many) + 1
    for at, end in ((first, many), (0, first)):
        while at < end and left:
            until = min(end, at + left)
            if cycle.vectors is not None:
                cycle.vectors.learn(cycle, head, column, (at, until), ask)
            column.learn(at, until, ask)
            while at < until:
                refused = column.fits.find(REFUSED, at, until)
                upto = until if refused < 0 else refused
                if upto > at:
                    spans.append((at, upto))
                    left -= upto - at
                if refused >= 0:
                    decision.refusals[column.nodes[refused].name] = column.said[refused]
                at = upto + (refused >= 0)
    if not left:
        at, end = spans.pop()
        spans.append((at, end - 1))
    return spans


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


def reject(cycle: Cycle, filters: Iterable[Plugin], info: NodeInfo) -> Refusal | None:
    """The first plugin that says no, and its reasons."""
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
def rank(cycle: Cycle, plugins: Sequence[Plugin], found: Fitting, decision: Decision) -> None:
    """Take the best of those that can; a single one is taken as it is."""
    decision.feasible = found.names
    if len(found.names) == 1:
        decision.node = found.names[0]
    elif found.names:
        score(cycle, plugins, found, decision)
        decision.node = found.names[winner(decision.sums)]


def score(cycle: Cycle, plugins: Sequence[Plugin], found: Fitting, decision: Decision) -> None:
    """What each plugin gives each node: raw, from 0 to 100, and weighted. Raises PluginError.

    Models k/k pkg/scheduler prioritizeNodes
    """
    asked: list[Plugin] = []
    skipped: list[str] = []
    decision.feasible, nothing = found.names, [0] * len(found.nodes)
    known: dict[str, list[int]] = {}
    for plugin in plugins:
        if plugin.score is not None:
            said = _prescore(cycle, plugin, found.nodes)
            if said == SKIP:
                skipped.append(plugin.name)
            else:
                asked.append(plugin)
            if said == ZERO:
                known[plugin.name] = nothing
    decision.skipped_scores = tuple(skipped)
    sums: Iterable[int] = nothing
    for plugin in asked:
        raw = known[plugin.name] if plugin.name in known else _raw(cycle, plugin, found)
        shares = plugin.normalize(cycle, found.nodes, raw) if plugin.normalize else raw
        decision.given.append((plugin.name, plugin.weight, raw, shares))
        if shares is not nothing:
            sums = map(add, sums, _times(plugin.weight, shares))
    decision.sums = list(sums)


def _times(weight: int, shares: Sequence[int]) -> Iterable[int]:
    if weight == 1:
        return shares
    if shares and shares.count(shares[0]) == len(shares):
        return repeat(weight * shares[0], len(shares))
    return [weight * share for share in shares]


def _raw(cycle: Cycle, plugin: Plugin, found: Fitting) -> list[int]:
    give = plugin.score
    assert give is not None, "only those that score are asked"
    if not plugin.local or found.column is None:
        return plugin.scores(cycle, found.nodes) if plugin.scores else [give(cycle, info) for info in found.nodes]
    for span in cycle.spans:
        if cycle.vectors is not None:
            cycle.vectors.give(cycle, plugin, found.column, span)
        found.column.score(plugin.name, *span, partial(give, cycle))
    return taken(found.column.scores[plugin.name], cycle.spans)


def _prescore(cycle: Cycle, plugin: Plugin, feasible: Sequence[NodeInfo]) -> str | None:
    if plugin.prescore is None:
        return None
    try:
        return plugin.prescore(cycle, feasible)
    except PluginError as error:
        raise PluginError(f'running PreScore plugin "{plugin.name}": {error}') from None

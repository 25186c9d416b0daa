"""The same answers for many nodes at once, by numpy, if it is there: for a pod like none before it, in a large cluster.

What depends on a node's room, taints, labels and cordon alone is worked out a stretch of nodes at a time. numpy only
sorts the nodes into those that fit and groups of those that do not; a group's words are the plugins' own, asked of one
node of it. A pod that asks for more (ports of the host, devices, features, plugins of one's own) is asked node by node.
Invariant: every answer is the one that the plugins give; numbers that numpy would round are left to them.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubemini.api.labels import Requirement
from kubemini.api.objects import EMPTY, get
from kubemini.api.placement import nodeselection
from kubemini.scheduler.decide.kept.changes import Changes
from kubemini.scheduler.decide.kept.columns import FITS, UNKNOWN, Ask, Column, Columns
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle, Plugin
from kubemini.scheduler.plugins import (
    balancedallocation,
    nodeaffinity,
    noderesourcesfit,
    nodeunschedulable,
    tainttoleration,
)

FEW = 100  # nodes of which nothing is known: fewer are asked one by one
EXACT = 2**53  # from here on a float is no whole number
MANY_VALUES = 256  # of a label: more are not compared one by one
ROOM, USED = {"cpu": 0, "memory": 1, "ephemeral-storage": 2}, {"cpu": 4, "memory": 5, "ephemeral-storage": 6}
PODS_ROOM, PODS, ASSUMED_CPU, ASSUMED_MEMORY, CORDONED, TAINTS = 3, 7, 8, 9, 10, 11
CORDON, TAINT, AFFINITY, FIT, BALANCED = (
    one.PLUGIN.name for one in (nodeunschedulable, tainttoleration, nodeaffinity, noderesourcesfit, balancedallocation)
)


class NotCovered(Exception):
    """A question that is left to the plugins."""


class Vectors:
    """The nodes of a cache as rows of numbers, mended where a node has changed."""

    def __init__(self, columns: Columns, changes: Changes, few: int = FEW):
        self.columns, self.changes, self.few = columns, changes, few
        self.numpy: Any = None
        self.there = True  # until it is missed
        self.nodes: Sequence[NodeInfo] = ()
        self.rows: Any = None
        self.taints: dict[tuple[Any, ...], int] = {}
        self.labels: dict[str, tuple[Any, dict[str | None, int]]] = {}
        self.read = 0

    # -- what is asked -------------------------------------------------------------------------------------------
    def learn(self, cycle: Cycle, plugins: Sequence[Plugin], column: Column, span: tuple[int, int], ask: Ask) -> None:
        """Fill in which nodes of *span* the filters of *plugins* let pass, if that is worth it and can be done."""
        first, end = span
        if not self.there or column.fits.count(UNKNOWN, first, end) <= self.few:
            return
        try:
            self._update()
            why = self.numpy.zeros(end - first, self.numpy.int64)
            for plugin in plugins:
                found = self._filter(cycle, plugin.name, first, end)
                why += found * (why == 0)
        except NotCovered:
            return
        column.fits[first:end] = (why == 0).astype(self.numpy.uint8).tobytes()
        for code in self.numpy.unique(why[why != 0]).tolist():
            places = (self.numpy.nonzero(why == code)[0] + first).tolist()
            column.said.update(dict.fromkeys(places, ask(self.nodes[places[0]])))

    def give(self, cycle: Cycle, plugin: Plugin, column: Column, span: tuple[int, int]) -> None:
        """Fill in what *plugin* gives the nodes of *span*, likewise."""
        first, end = span
        scores, known = column.scored_by(plugin.name)
        if not self.there or known.count(0, first, end) <= self.few:
            return
        try:
            self._update()
            found = self._score(cycle, plugin, first, end)
        except NotCovered:
            return
        scores[first:end] = found.tolist()
        known[first:end] = bytes((FITS,)) * (end - first)

    # -- filters: 0 for nodes that fit, else a number for each way not to fit -------------------------------------
    def _filter(self, cycle: Cycle, plugin: str, first: int, end: int) -> Any:
        if plugin == CORDON:
            return 1 * (self.rows[CORDONED, first:end] > 0) * (not nodeunschedulable.tolerated(cycle.pod))
        if plugin == TAINT:
            return 2 * self._by_taints(first, end, lambda info: tainttoleration.refusing(cycle.pod, info.taints))
        if plugin == AFFINITY:
            return 3 * ~self._insists(cycle, first, end)
        if plugin == FIT:
            return self._fit(cycle.state[FIT], first, end)
        if plugin == "NodeName" and not cycle.pod["spec"].get("nodeName"):
            return 0
        raise NotCovered

    def _fit(self, wanted: Mapping[str, int], first: int, end: int) -> Any:
        here = self.rows[:, first:end]
        why, never = 8 * (here[PODS] >= here[PODS_ROOM]), self.numpy.zeros(end - first, bool)
        for number, (name, amount) in enumerate(wanted.items()):
            if name not in ROOM or amount >= EXACT:
                raise NotCovered
            lacks = amount > here[ROOM[name]] - here[USED[name]]
            why += lacks * (16 << number)
            never |= lacks & (amount > here[ROOM[name]])
        return why + 1024 * never

    def _by_taints(self, first: int, end: int, answer: Callable[[NodeInfo], Any]) -> Any:
        """What *answer* says of each node, which reads nothing of it but its taints."""
        classes = self.rows[TAINTS, first:end]
        if not classes.any():
            return self.numpy.full(end - first, int(answer(self.nodes[first])), self.numpy.int64)
        _, examples, which = self.numpy.unique(classes, return_index=True, return_inverse=True)
        said = [int(answer(self.nodes[first + int(place)])) for place in examples]
        return self.numpy.array(said, self.numpy.int64)[which]

    def _insists(self, cycle: Cycle, first: int, end: int) -> Any:
        spec = cycle.pod["spec"]
        found = self.numpy.ones(end - first, bool)
        for key, value in (spec.get("nodeSelector") or EMPTY).items():
            found &= self._meets(Requirement(key, "=", (value,)), first, end)
        required = get(spec, *nodeselection.REQUIRED)
        if required is not None:
            one_of = self.numpy.zeros(end - first, bool)
            for term in get(required, "nodeSelectorTerms", default=None) or ():
                one_of |= self._term(term, first, end)
            found &= one_of
        return found

    def _term(self, term: Mapping[str, Any], first: int, end: int) -> Any:
        if term.get("matchFields"):
            raise NotCovered
        expressions = term.get("matchExpressions") or ()
        if not expressions or nodeselection.problems(term):
            return self.numpy.zeros(end - first, bool)
        found = self.numpy.ones(end - first, bool)
        for expression in expressions:
            found &= self._meets(nodeselection.requirement(expression), first, end)
        return found

    def _meets(self, wanted: Requirement, first: int, end: int) -> Any:
        codes, values = self._label(wanted.key)
        if wanted.operator in ("=", "in"):
            picked = [values[value] for value in wanted.values if value in values]
            return self.numpy.isin(codes[first:end], picked)
        if len(values) > MANY_VALUES:
            raise NotCovered
        said = [wanted.matches({} if value is None else {wanted.key: value}) for value in values]
        return self.numpy.array(said, bool)[codes[first:end]]

    # -- scores --------------------------------------------------------------------------------------------------
    def _score(self, cycle: Cycle, plugin: Plugin, first: int, end: int) -> Any:
        if plugin.name == FIT:
            cpu, memory = cycle.state[noderesourcesfit.FREE]
            return self._least_allocated(cpu, memory, first, end)
        if plugin.name == BALANCED:
            cpu, memory = cycle.state[BALANCED]
            return 50 + (50 + self._balance(cpu, memory, first, end) - self._balance(0, 0, first, end)) // 2
        if plugin.name == TAINT:
            return self._by_taints(first, end, lambda info: tainttoleration.prefer(cycle, info))
        if plugin.name == AFFINITY:
            total = self.numpy.zeros(end - first, self.numpy.int64)
            for term in get(cycle.pod, *nodeaffinity.PREFERRED, default=None) or ():
                total += term["weight"] * self._term(term.get("preference") or EMPTY, first, end)
            return total
        raise NotCovered

    def _least_allocated(self, cpu: int, memory: int, first: int, end: int) -> Any:
        here, shares, number = self.rows[:, first:end], 0, 0
        for room, used, wanted in ((here[0], here[ASSUMED_CPU], cpu), (here[1], here[ASSUMED_MEMORY], memory)):
            free = room - used - wanted
            shares += self.numpy.where(free >= 0, free * 100 // self.numpy.maximum(room, 1), 0) * (room > 0)
            number += (room > 0) * 1
        return shares // self.numpy.maximum(number, 1)

    def _balance(self, cpu: int, memory: int, first: int, end: int) -> Any:
        here = self.rows[:, first:end]
        cores, space = self.numpy.maximum(here[0], 1), self.numpy.maximum(here[1], 1)
        one = self.numpy.minimum(cores, here[USED["cpu"]] + cpu) / cores
        other = self.numpy.minimum(space, here[USED["memory"]] + memory) / space
        even = ((1 - abs(one - other) / 2) * 100).astype(self.numpy.int64)
        return self.numpy.where((here[0] > 0) & (here[1] > 0), even, 100)

    # -- rows ----------------------------------------------------------------------------------------------------
    def _update(self) -> None:
        if self.numpy is None:
            self.numpy = self._import()
        changed = self.changes.since(self.read) if self.nodes is self.columns.nodes else None
        self.read = self.changes.now
        if changed is None:
            self.nodes, self.taints, self.labels = self.columns.nodes, {(): 0}, {}
            self.rows = self.numpy.array([self._row(info) for info in self.nodes], self.numpy.int64).T.copy()
            return
        for name in changed:
            place = self.columns.places[name]
            info = self.nodes[place]
            self.rows[:, place] = self._row(info)
            for key, (codes, values) in self.labels.items():
                codes[place] = values.setdefault(info.labels.get(key), len(values))

    def _import(self) -> Any:
        try:
            return importlib.import_module("numpy")
        except ImportError:
            self.there = False
            raise NotCovered from None

    def _row(self, info: NodeInfo) -> list[int]:
        room, used, assumed = info.allocatable, info.requested, info.assumed
        taints = tuple((taint.get("key"), taint.get("value"), taint.get("effect")) for taint in info.taints)
        row = [*(room.get(name, 0) for name in (*ROOM, "pods")), *(used.get(name, 0) for name in USED)]
        row += [len(info.pods), assumed.get("cpu", 0), assumed.get("memory", 0)]
        row += [bool(get(info.node, "spec", "unschedulable")), self.taints.setdefault(taints, len(self.taints))]
        if max(row) >= EXACT:
            self.there = False  # such a node is no business of ours, and so is its cluster
            raise NotCovered
        return row

    def _label(self, key: str) -> tuple[Any, dict[str | None, int]]:
        if key not in self.labels:
            values: dict[str | None, int] = {}
            codes = [values.setdefault(info.labels.get(key), len(values)) for info in self.nodes]
            self.labels[key] = (self.numpy.array(codes, self.numpy.int64), values)
        return self.labels[key]

"""Why a pod goes where it goes, asked of a running cluster: ``explain(cluster, "pod/web-1")``.

Theory of operation. The scheduler that holds the Lease is asked, in its own words and with what it knows at this
instant; nothing in the cluster changes. A pod that runs already is asked about as if it were to be placed now, with its
own room free again. A scenario, or manifests, are first run to the instant that is asked for.
Whoever wants another opinion to count plugs it in (`plug_in`), into a running cluster or for one question.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from kubemini.api.objects import Obj, get, without
from kubemini.cluster import Cluster
from kubemini.ranges import shown
from kubemini.scheduler.decide.framework import decide
from kubemini.scheduler.decide.plugin import Cycle, Plugin
from kubemini.scheduler.explain import Explanation, explained
from kubemini.scheduler.loop import Scheduler
from kubemini.simulate import cluster_of


def explain(
    where: Any,
    what: str,
    *,
    node: str = "",
    manifests: str = "",
    at: str | float | None = None,
    seed: int | None = None,
    plugins: Sequence[Plugin] = (),
) -> Explanation:
    """Where the scheduler puts *what* ("pod/NAME" or "pod/NAMESPACE/NAME"), and why: the result prints itself.

    *where* is a running `Cluster`, or a scenario that is run to *at* ("20s"; else its end); None: *manifests*, a text
    or a file, are applied to a small cluster. *node*: say what would have to change for this one. *plugins*: further
    opinions, for this question alone. Raises ValueError: one sentence that says what to do.
    """
    cluster = cluster_of(where, manifests, at, seed)
    machine = deciding(cluster).machine
    pod = _pod(machine.known.of("Pod"), what)
    asked = tuple(sorted((*machine.plugins, *plugins), key=lambda plugin: plugin.place))
    cycle = _as_if_new(machine.cycle(pod), pod)
    decision = decide(cycle, asked, machine.start)
    room = None if decision.node else machine.make_room(cycle, decision)
    found = explained(cycle, asked, machine.start, room, decision)
    found.placed, found.only = get(pod, "spec", "nodeName") or "", node
    if node:
        found.node(node)
    return found


def plug_in(cluster: Cluster, plugin: Plugin) -> None:
    """Let *plugin* count in every scheduler of *cluster* from now on; one of the same name is replaced."""
    for scheduler in _schedulers(cluster):
        others = (one for one in scheduler.plugins if one.name != plugin.name)
        scheduler.plugins = tuple(sorted((*others, plugin), key=lambda one: one.place))
        if scheduler.up:
            scheduler.machine.plug_in(scheduler.plugins)


def _as_if_new(cycle: Cycle, pod: Obj) -> Cycle:
    """The same picture, but the pod is on no node yet."""
    uid, node = pod["metadata"]["uid"], get(pod, "spec", "nodeName")
    fresh = without(without(pod, ("spec", "nodeName")), ("status", "nominatedNodeName"))
    nodes = []
    for info in cycle.nodes:
        if info.name == node:
            info = info.copy()
            info.remove(uid)
        nodes.append(info)
    return replace(cycle, pod=fresh, nodes=nodes, columns=None, crowds=None, affine=None)


def _pod(pods: Any, what: str) -> Obj:
    kind, _, name = what.partition("/")
    if kind not in ("pod", "pods", "po") or not name:
        raise ValueError(f"{shown(what)}: name a pod, as in pod/web-1 or pod/shop/web-1")
    space, _, short = name.rpartition("/")
    found = pods.get((space or "default", short))
    if found is None:
        there = ", ".join(f"{ns}/{one}" if ns != "default" else one for ns, one in sorted(pods)[:20])
        raise ValueError(f"the scheduler knows no pod {shown(name)}; it knows: {there or 'none yet'}")
    held: Obj = found
    return held


def _schedulers(cluster: Cluster) -> list[Scheduler]:
    return [one for one in cluster.components.values() if isinstance(one, Scheduler)]


def deciding(cluster: Cluster) -> Scheduler:
    """The scheduler that decides, or, while none does, one that listens. Raises ValueError."""
    up = [one for one in _schedulers(cluster) if one.up]
    if not up:
        raise ValueError("no scheduler is running in this cluster: start one, or let time pass until it has started")
    return next((one for one in up if one.elector.leading), up[0])

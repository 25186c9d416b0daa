"""A run is a value: ``run(scenario, seed, commands, until) -> Trace`` is a pure function.

The same arguments give the same bytes in any process and in the browser. Commands are what the reader did:
``(12.5, "crash", "etcd-1")`` at 12.5 simulated seconds. Nothing ever copies a running simulation: to act in the past,
run again with another list of commands.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubemini import faults
from kubemini.cluster import Cluster
from kubemini.ranges import shown
from kubemini.scenarios import Scenario, load, with_params
from kubemini.sim import Trace
from kubemini.sim.engine import EVENT_BUDGET, FULL, Runaway
from kubemini.sim.units import duration

SETTLED = "30s"  # until manifests have become pods
MANIFESTS = {"topology": {"kind": "single", "workers": 2}, "title": "manifests"}


def run(
    scenario: str | Path | dict[str, Any] | Scenario,
    seed: int | None = None,
    commands: Iterable[Sequence[Any]] = (),
    until: str | float | None = None,
    progress: Callable[[float], None] | None = None,
    budget: int = EVENT_BUDGET,
    params: dict[str, Any] | None = None,
    fidelity: str = FULL,
    listen: Sequence[str | float] | None = None,
) -> Trace:
    """Simulate *scenario* (a name, a file, its data, or a `Scenario`) and return everything that happened.

    *until* is seconds or a duration such as "2m"; *progress* is called with the share done,
    every so many events, and may raise `Runaway` when its reader's patience is over;
    *params* changes parameters of the scenario, by their names in params.py: {"etcd_pre_vote": False}.
    *fidelity* "quiescent" leaves out heartbeats that change nothing, which takes less time: the same records come out,
    but for those of the word "timer", which say where election timers stood (see etcd/quiescence.py).
    *listen*, two instants: between them the trace tells each request, answer and watch event (cluster/listening.py).
    Raises ScenarioError or FaultError before anything runs, Runaway after *budget* events.
    """
    if not isinstance(budget, int) or budget < 1:
        raise ValueError(f"budget: {shown(budget)} was given, but it is a number of events, from 1 on")
    cluster, horizon = prepared(scenario, seed, commands, until, params, fidelity)
    if listen is not None:
        since, end = listen
        cluster.listen(duration(since), duration(end))
    advance(cluster, horizon, progress, budget)
    return cluster.trace


def prepared(
    scenario: str | Path | dict[str, Any] | Scenario,
    seed: int | None = None,
    commands: Iterable[Sequence[Any]] = (),
    until: str | float | None = None,
    params: dict[str, Any] | None = None,
    fidelity: str = FULL,
) -> tuple[Cluster, int]:
    """The cluster of a run before anything happens in it, and the instant (µs) at which the run ends.

    Raises ScenarioError or FaultError.
    """
    scenario = with_params(load(scenario), params or {})
    commands = faults.entries(commands, by="you")
    horizon = scenario.until if until is None else duration(until)
    cluster = Cluster(
        scenario.topology, seed=scenario.seed if seed is None else seed, params=scenario.params, fidelity=fidelity
    )
    plan = faults.parse_all(scenario.faults) + faults.parse_all(commands, by="you")
    cluster.trace.header.update(
        scenario=scenario.name,
        title=scenario.title,
        seed=cluster.sim.seed,
        until=horizon,
        commands=commands,
        scenario_commands=[list(f) for f in scenario.faults],
        topology=scenario.topology.header(),
    )
    if scenario.source:
        cluster.trace.header["source"] = scenario.source
    if params:
        cluster.trace.header["params"] = dict(params)
    cluster.prepare(scenario.manifests, scenario.workload)
    faults.schedule(cluster, plan)
    return cluster, horizon


@contextmanager
def collector_paused() -> Iterator[None]:
    """Python looks for no garbage cycles meanwhile: a run makes few, and the search took a tenth of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@collector_paused()
def advance(cluster: Cluster, horizon: int, progress: Callable[[float], None] | None, budget: int) -> None:
    """Run *cluster* to *horizon*, within *budget* events; tell *progress* meanwhile, which may raise to end the run."""
    sim, start = cluster.sim, cluster.sim.now
    if progress:
        sim.watch = lambda: progress((sim.now - start) / max(1, horizon - start))
    try:
        cluster.run_until(horizon, budget)
    finally:
        sim.watch = None
    if progress:
        progress(1.0)


__all__ = ["EVENT_BUDGET", "Runaway", "advance", "collector_paused", "prepared", "run"]


def cluster_of(where: Any, manifests: str, at: str | float | None, seed: int | None) -> Cluster:
    """The cluster that is meant, at the instant that is meant."""
    if isinstance(where, Cluster):
        if at is not None:
            where.run_until(max(duration(at), where.sim.now))
        return where
    if manifests:
        where, at = {**MANIFESTS, "manifests": text_of(manifests)}, at or SETTLED
    if where is None:
        raise ValueError("say where: a Cluster, the name of a scenario, or manifests=FILE")
    cluster, horizon = prepared(where, seed, until=at)
    cluster.run_until(horizon)
    return cluster


def text_of(said: str) -> str:
    """A text, or what is in the file of that name."""
    if "\n" in said:
        return said
    try:
        return Path(said).read_text(encoding="utf-8-sig")
    except OSError as error:
        why = error.strerror or error
        raise ValueError(f"cannot read {shown(said)}: {why}; name a file that is there") from None
    except UnicodeDecodeError:
        raise ValueError(f"{shown(said)} is not text in UTF-8; save it as UTF-8") from None

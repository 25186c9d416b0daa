"""A kubectl line in a notebook: ``kubemini.kubectl(cluster, "get pods -o wide")``.

    cluster = kubemini.Cluster.single()
    kubemini.kubectl(cluster, "create deployment web --image=nginx --replicas=2")
    kubemini.kubectl(cluster, "get pods -w", time="10s")
    kubemini.kubectl("first", "get pods -o wide", at="30s")

The line goes to an API server of the simulation, over its wire, and what it prints is what kubectl would print.
Simulated time passes meanwhile: as much as the line takes, or, for one that goes on by itself, *time*.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kubemini.cluster import Cluster
from kubemini.ranges import shown
from kubemini.sim.engine import EVENT_BUDGET
from kubemini.sim.units import duration
from kubemini.simulate import prepared
from kubemini.users.terminal import Typed

PATIENCE = "60s"


def kubectl(
    where: Cluster | str | Path | dict[str, Any],
    line: str,
    given: str = "",
    *,
    time: str | float = PATIENCE,
    files: Mapping[str, str] | None = None,
    at: str | float | None = None,
    seed: int | None = None,
) -> Typed:
    """Do what *line* says and return what it printed: ``.out``, ``.err``, ``.status``; in a notebook it shows itself.

    *where* is a running `Cluster`, or a scenario that is first run to *at* (else to its end). *given* is standard
    input (``apply -f -``), *files* are files by name, before those of the disk. A line that is not over when *time*
    has passed, such as ``get pods -w``, is ended as by ^C: its status is 130.
    Raises ValueError: one sentence that says what to do.
    """
    if not isinstance(line, str) or not isinstance(given, str):
        raise ValueError(f'kubectl: expected a line such as "get pods -o wide", got {shown(line)}')
    patience = duration(time)
    cluster = _cluster(where, at, seed)
    sim = cluster.sim
    if not cluster.topology.of("apiserver-"):
        raise ValueError("kubectl: this cluster has no API server; take another one, such as Cluster.single()")
    cluster.start()
    typed = cluster.terminal.type(line, given, files)
    end = sim.now + patience
    sim.allow(EVENT_BUDGET)
    while not typed.over and sim.next_instant() <= end:
        sim.step()
    if not typed.over:
        cluster.run_until(end)
        typed.interrupt()
    cluster.run_until(sim.now)
    return typed


def _cluster(where: Any, at: str | float | None, seed: int | None) -> Cluster:
    """The cluster that is meant, at the instant that is meant."""
    if isinstance(where, Cluster):
        if at is not None:
            where.run_until(max(duration(at), where.sim.now))
        return where
    cluster, horizon = prepared(where, seed, until=at)
    cluster.run_until(horizon)
    return cluster

"""The chapter's table: who still answers with three, two, one of three members up."""

from functools import partial
from typing import Any

from kubemini.cluster import Cluster
from kubemini.faults import parse_all, schedule
from kubemini.scenarios import load
from kubemini.sim import Trace
from kubemini.sim.units import SECOND

MOMENTS = {"3 of 3 up": 14, "2 of 3 up": 24, "1 of 3 up": 38}  # seconds into the scenario `quorum`
WINDOW = 6  # seconds: etcdctl gives up after 5
VERBS = {"put": "put", "get": "linearizable get", "get serializable": "serializable get"}


def who_answers(seed: int | None = None) -> list[list[str]]:
    """The scenario `quorum`, questioned three times: a row for each question, a column for each moment."""
    scenario = load("quorum")
    cluster = Cluster(scenario.topology, scenario.seed if seed is None else seed, scenario.params)
    cluster.prepare(scenario.manifests, scenario.workload)
    schedule(cluster, parse_all([*scenario.faults, *(q for at in MOMENTS.values() for q in _questions(at))]))
    columns = [["", *VERBS.values(), "watch", "running pods"]]
    for moment, at in MOMENTS.items():
        seen: list[str] = []
        cluster.run_until((at - 1) * SECOND)
        watch = {"key": "asked", "require_leader": True}
        cluster.user.open_stream("etcd-1", "watch", watch, partial(_heard, seen), partial(_closed, seen))
        cluster.run_until((at + WINDOW) * SECOND)
        fates = [_fate(cluster.trace, at, verb) for verb in VERBS]
        columns.append([moment, *fates, seen[0] if seen else "silence", _visits(cluster.trace, at)])
    return [list(row) for row in zip(*columns, strict=True)]


def _questions(at: int) -> list[tuple]:
    """A write and, a moment later, two reads, all through etcd-1."""
    return [
        (at, "put", "asked", f"at {at} s", "etcd-1"),
        (at + 0.1, "get", "asked", "etcd-1"),
        (at + 0.1, "get", "asked", "etcd-1", "serializable"),
    ]


def _heard(seen: list[str], item: Any) -> None:
    seen += [f"event: {event['kv']['value']}" for event in item["events"]]


def _closed(seen: list[str], error: Any) -> None:
    seen.append(str(error))


def _fate(trace: Trace, at: int, verb: str) -> str:
    asked = (r for r in trace.of("request") if r.detail["kind"] == "etcd" and r.detail["verb"] == verb)
    record = next((r for r in asked if at * SECOND <= r.detail["started"] < (at + 1) * SECOND), None)
    if record is None:
        return "still waiting"
    detail = record.detail
    return detail.get("answer", "ok") if detail["outcome"] == "ok" else detail["why"]


def _visits(trace: Trace, at: int) -> str:
    found = [r for r in trace.of("request") if r.detail["kind"] == "service"]
    fates = [r.detail["outcome"] for r in found if at * SECOND <= r.detail["started"] < (at + WINDOW - 1) * SECOND]
    return f"{fates.count('ok')} of {len(fates)} visits ok"

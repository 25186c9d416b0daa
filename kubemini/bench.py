"""How fast it is: interleaved rounds, CPU time, medians, beside the bars in bars.toml.

Ratios are taken within one round, so a machine that slows down slows both sides. Counts of events are exact.
"""

import gzip
import importlib
import json
import platform
import re
import statistics
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import simpy

from kubemini.cluster import Cluster, build
from kubemini.params import Params
from kubemini.run import advance, run
from kubemini.scenarios import load, names
from kubemini.session import handle
from kubemini.sim.kernel import FULL, QUIESCENT
from kubemini.sim.units import DAY, HOUR, MINUTE, SECOND

ROUNDS = 7
STORY = 120  # seconds
IDLE = 120  # seconds that stand for an hour: every one of them is like the other
YEAR = 365 * DAY
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Result:
    """One figure: the bar it belongs to, its value, and how far the rounds spread."""

    bar: str
    value: float
    spread: str = ""
    case: str = ""


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of ``work()``."""
    start = time.process_time()
    work()
    return time.process_time() - start


def bare_simpy(events: int) -> None:
    """The yardstick: a thousand timeouts in flight, each scheduling the next from a callback."""
    env = simpy.Environment()
    left = [events]

    def fire(_: simpy.Event) -> None:
        if left[0] > 0:
            left[0] -= 1
            env.timeout(1000).callbacks.append(fire)

    for _ in range(20):
        env.timeout(1000).callbacks.append(fire)
    env.run()


def idle_etcd(seconds: int, params: Params | None = None, fidelity: str = FULL) -> Cluster:
    """Five members with nothing to do."""
    cluster = Cluster(build("etcd", members=5), seed=1, params=params, fidelity=fidelity)
    advance(cluster, seconds * SECOND, None, 10**9)
    return cluster


def engine() -> list[Result]:
    """A full etcd run beside bare SimPy, round by round."""
    ratios, cluster, yardstick = [], idle_etcd(300), 200_000
    for _ in range(ROUNDS):
        ours, theirs = cpu(lambda: idle_etcd(300)), cpu(lambda: bare_simpy(yardstick))
        ratios.append((cluster.sim.events / ours) / (yardstick / theirs))
    per_message = cluster.sim.events / cluster.net.packets
    return [
        Result("events_ratio", statistics.median(ratios), _spread(ratios)),
        Result("events_per_message", per_message),
    ]


def beside_pysyncobj() -> list[Result]:
    """The same idle minutes of five members as PySyncObj simulates them, if it is there."""
    try:
        twin: Any = importlib.import_module("tests.pysyncobj_twin")
    except ImportError:
        return []
    params = replace(
        Params(),
        etcd_heartbeat_interval=round(twin.HEARTBEAT * SECOND),
        etcd_election_timeout=round(twin.TIMEOUT[0] * SECOND),
        network_latency=(round(twin.LATENCY[0] * SECOND), round(twin.LATENCY[1] * SECOND)),
    )
    idle_etcd(5, params)
    ratios = [cpu(lambda: idle_etcd(IDLE, params)) / cpu(lambda: twin.idle(IDLE)) for _ in range(ROUNDS)]
    return [Result("pysyncobj_ratio", statistics.median(ratios), _spread(ratios))]


def faulty_year(seed: int = 7) -> Cluster:
    """Five members, fifty faults and fifty writes in a year, quiescent: crashes, cuts, now and then no majority."""
    cluster, luck = Cluster(build("etcd", members=5), seed, fidelity=QUIESCENT), Random(seed)
    members = [cluster.components[name] for name in cluster.topology.members]
    command = cluster.sim.command
    for _ in range(50):
        at, kind, some = luck.randrange(HOUR, YEAR), luck.random(), luck.sample(members, 3)
        lasts = int(luck.choice((10, 60, 300, 1800)) * (0.5 + luck.random()) * SECOND)
        if kind < 0.7:
            command(at, _crash_for, cluster, None if kind < 0.4 else some[0], lasts)
        elif kind < 0.85:
            hosts = [member.host.name for member in some[: luck.choice((1, 2))]]
            command(at, cluster.net.cut, hosts, [host for host in cluster.hosts if host not in hosts])
            command(at + min(lasts, 5 * MINUTE), cluster.net.heal)
        else:
            for member in some:
                command(at + luck.randrange(5 * SECOND), _crash_for, cluster, member, min(lasts, 2 * MINUTE))
    for number in range(50):
        command(luck.randrange(HOUR, YEAR), cluster.user.put, f"key-{number}", "value", "")
    advance(cluster, YEAR, None, 10**9)
    return cluster


def _crash_for(cluster: Cluster, who: Any, lasts: int) -> None:
    """*who*, or else the leader, crashes and is back after a time."""
    members: list[Any] = [cluster.components[name] for name in cluster.topology.members]
    victim = who or next(member for member in members if member.raft.role == "leader")
    victim.crash()
    cluster.sim.command(cluster.sim.now + lasts, victim.start)


def write_events() -> float:
    """How many events a write in a quiet cluster takes, on average."""
    cluster, luck, writes = idle_etcd(10, fidelity=QUIESCENT), Random(1), 50
    before = cluster.sim.events
    for number in range(writes):
        at = cluster.sim.now + luck.randrange(SECOND)
        cluster.sim.command(at, cluster.user.put, f"key-{number}", "value", "")
        cluster.sim.run_until(at + 20 * SECOND)
    return (cluster.sim.events - before) / writes


def events_saved() -> list[Result]:
    """Events of quiescent runs: exact counts."""
    years = [faulty_year(seed).sim.events for seed in range(5)]
    return [
        Result("quiet_year_events", idle_etcd(YEAR // SECOND, fidelity=QUIESCENT).sim.events),
        Result("year_events", max(years), _spread(years)),
        Result("write_events", write_events()),
    ]


def time_saved() -> list[Result]:
    """The quiescent year of faults beside one hour in full."""
    ratios = [cpu(faulty_year) / cpu(lambda: idle_etcd(HOUR // SECOND)) for _ in range(3)]
    return [Result("year_ratio", statistics.median(ratios), _spread(ratios))]


def time_lost() -> list[Result]:
    """What trying to rest costs where there is no rest."""
    results = []
    for story in (_busy, _leaderless, _lossy):
        ratios = [cpu(partial(story, QUIESCENT)) / cpu(partial(story, FULL)) for _ in range(ROUNDS)]
        results.append(Result("fallback_ratio", statistics.median(ratios), _spread(ratios), story.__name__[1:]))
    return results


def _busy(fidelity: str) -> None:
    """A whole cluster, whose etcd is hardly ever quiet."""
    run("external", until=60, fidelity=fidelity)


def _leaderless(fidelity: str) -> None:
    """Three of five members are gone: the others campaign for ever."""
    cluster = idle_etcd(5, fidelity=fidelity)
    for name in cluster.topology.members[:3]:
        cluster.components[name].crash()
    advance(cluster, 15 * MINUTE, None, 10**9)


def _lossy(fidelity: str) -> None:
    """Heartbeats get lost, so none may be left out."""
    cluster = idle_etcd(5, fidelity=fidelity)
    cluster.net.set_loss("etcd-host-1", "etcd-host-2", 0.01)
    advance(cluster, 2 * MINUTE, None, 10**9)


def click(name: str) -> dict[str, Any]:
    """The message a widget sends when the reader crashes something in the two-minute story of *name*."""
    scenario = load(name)
    target = scenario.topology.members[0]
    return {
        "op": "simulate",
        "id": 1,
        "spec": {"scenario": name, "commands": [[15.5, "crash", target]], "until": STORY},
    }


def answer(message: dict[str, Any]) -> str:
    """What a widget gets back."""
    return json.dumps(handle(message))


def clicks() -> list[Result]:
    """Crash → new trace, on each scenario; etcd alone and whole clusters have bars of their own."""
    times: dict[str, list[float]] = {name: [] for name in names()}
    for name in times:
        handle(click(name))
    for _ in range(ROUNDS):
        for name, took in times.items():
            took.append(1000 * cpu(partial(answer, click(name))))
    return [_click("click", name, took) for name, took in times.items()]


def _click(prefix: str, name: str, took: list[float]) -> Result:
    kind = "etcd" if load(name).topology.kind == "etcd" else "cluster"
    p95 = statistics.quantiles(took, n=20, method="inclusive")[18]
    return Result(f"{prefix}_{kind}", p95, _spread(took), name)


def in_pyodide() -> list[Result]:
    """The same clicks in Pyodide under node, as the browser runs them."""
    script = ROOT / "tests" / "pyodide.mjs"
    request = json.dumps({"rounds": ROUNDS, "messages": {name: click(name) for name in names()}})
    done = subprocess.run(["node", str(script)], input=request, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"node exited with {done.returncode}"])[-1]
        raise ValueError(f"Pyodide did not run ({why}); run `make book SERVE=0` first")
    theirs = json.loads(done.stdout)
    return [_click("pyodide_click", name, took) for name, took in theirs["times"].items()]


def page_weight() -> list[Result]:
    """Each chapter with every script and style it names, as a server that compresses sends it."""
    results = []
    for page in sorted((ROOT / "_build/html/chapters").glob("*.html")):
        html = page.read_text(encoding="utf-8")
        files = {
            f.split("?")[0] for f in re.findall(r'<(?:script|link)[^>]+(?:src|href)="([^"]+\.(?:js|css)[^"]*)"', html)
        }
        parts = [page, *sorted({(page.parent / f).resolve() for f in files if not f.startswith("http")})]
        weight = sum(len(gzip.compress(p.read_bytes(), 6)) for p in parts if p.exists())
        results.append(Result("page_weight", weight / 1000, "", page.stem))
    return results


def import_cpu() -> list[Result]:
    """`import kubemini` in fresh processes, less the interpreter's own start."""
    code = "import time; t = time.process_time(); import kubemini.run; print(time.process_time() - t)"
    took = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    return [Result("import_cpu", statistics.median(took), _spread(took))]


def book_build() -> list[Result]:
    """The times `make book` noted when it last built, cold and cached."""
    note = ROOT / "_build" / "build-times.json"
    if not note.exists():
        return []
    times = json.loads(note.read_text())
    return [Result(f"book_{kind}", times[kind]) for kind in ("cold", "cached") if kind in times]


def _spread(values: Sequence[float]) -> str:
    return f"{min(values):.3g}–{max(values):.3g}"


def bars() -> dict[str, dict[str, Any]]:
    """The table of bars."""
    return tomllib.loads((Path(__file__).parent / "bars.toml").read_text(encoding="utf-8"))


def held(result: Result, bar: dict[str, Any]) -> bool:
    """Whether *result* is within the bar and its slack."""
    if bar["better"] == "more":
        return result.value >= bar["hold"] * (1 - bar["slack"])
    return result.value <= bar["hold"] * (1 + bar["slack"])


def main(check: bool = False, pyodide: bool = False) -> int:
    """Measure, print the table, and with *check* return 1 if a bar is not held."""
    print(f"Python {platform.python_version()}, {ROUNDS} interleaved rounds, CPU time, medians (clicks: p95)")
    table, missed = bars(), 0
    measures = [
        engine,
        beside_pysyncobj,
        events_saved,
        time_saved,
        time_lost,
        clicks,
        import_cpu,
        page_weight,
        book_build,
    ]
    if pyodide:
        measures.append(in_pyodide)
    for measure in measures:
        for result in measure():
            bar = table[result.bar]
            fine = held(result, bar)
            missed += not fine
            mark = "ok  " if fine else "MISS"
            print(
                f"{mark} {result.value:9.3f}  hold {bar['hold']:<7g} aim {bar['aim']:<7g} {bar['what']}"
                f"{' [' + result.case + ']' if result.case else ''}{'  ' + result.spread if result.spread else ''}",
                flush=True,
            )
    return 1 if check and missed else 0

"""What takes time: interleaved rounds, CPU time, medians.

Ratios are taken within one round, so a machine that slows down slows both sides. Still, what else it does can spoil a
measurement: these figures are a report, and no test depends on them.
"""

import gzip
import importlib.util
import json
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from kubemini.bench.connections import connect_all
from kubemini.bench.policies import decide_all
from kubemini.bench.rollout import Fleet
from kubemini.bench.scheduling import PODS, Crowd
from kubemini.bench.table import Result, middle, spread
from kubemini.bench.workloads import answer, bare_simpy, busy, click, faulty_year, idle_etcd, leaderless, lossy
from kubemini.params import Params
from kubemini.scenarios import load, names
from kubemini.sim.engine import FULL, QUIESCENT
from kubemini.sim.units import HOUR, SECOND

ROUNDS = 7
FRESH = 200  # pods of which each requests what no other does
IDLE = 120  # seconds that stand for an hour: every one of them is like the other
ROOT = Path(__file__).resolve().parents[2]


def cpu(work: Callable[[], Any]) -> float:
    """CPU seconds of ``work()``."""
    start = time.process_time()
    work()
    return time.process_time() - start


def engine() -> list[Result]:
    """A full etcd run beside bare SimPy, round by round."""
    ratios, events, yardstick = [], idle_etcd(300).sim.events, 200_000
    for _ in range(ROUNDS):
        ours, theirs = cpu(lambda: idle_etcd(300)), cpu(lambda: bare_simpy(yardstick))
        ratios.append((events / ours) / (yardstick / theirs))
    return [middle("events_ratio", ratios)]


def beside_pysyncobj() -> list[Result]:
    """The same idle minutes of five members as PySyncObj simulates them, if it is there."""
    if importlib.util.find_spec("pysyncobj") is None:
        return []
    from kubemini.bench import pysyncobj_twin as twin

    params = replace(
        Params(),
        etcd_heartbeat_interval=round(twin.HEARTBEAT * SECOND),
        etcd_election_timeout=round(twin.TIMEOUT[0] * SECOND),
        network_latency=(round(twin.LATENCY[0] * SECOND), round(twin.LATENCY[1] * SECOND)),
    )
    idle_etcd(5, params)
    ratios = [cpu(lambda: idle_etcd(IDLE, params)) / cpu(lambda: twin.idle(IDLE)) for _ in range(ROUNDS)]
    return [middle("pysyncobj_ratio", ratios)]


def time_saved() -> list[Result]:
    """The quiescent year of faults beside one hour in full."""
    ratios = [cpu(faulty_year) / cpu(lambda: idle_etcd(HOUR // SECOND)) for _ in range(3)]
    return [middle("year_ratio", ratios)]


def time_lost() -> list[Result]:
    """What trying to rest costs where there is no rest."""
    results = []
    for story in (busy, leaderless, lossy):
        ratios = [cpu(partial(story, QUIESCENT)) / cpu(partial(story, FULL)) for _ in range(ROUNDS)]
        results.append(middle("fallback_ratio", ratios, story.__name__))
    return results


def policies() -> list[Result]:
    """A million decisions, reading the policies included."""
    return [middle("policy_decisions", [cpu(decide_all) for _ in range(3)])]


def scheduling() -> list[Result]:
    """Pods placed a second of CPU, on 5,000 nodes, by all default plugins."""
    results = []
    for owned, case in ((False, "plain"), (True, "of applications")):
        rates = [PODS / cpu(Crowd(owned).place) for _ in range(3)]
        results.append(middle("pods_scheduled", rates, case))
    return [*results, *_by_numpy()]


def _by_numpy() -> list[Result]:
    """Pods that request what no other does, asked of many nodes at once and node by node."""
    if importlib.util.find_spec("numpy") is None:
        return []
    ratios = []
    for _ in range(3):
        one_by_one, at_once = Crowd(own=True), Crowd(own=True)
        one_by_one.machine.vectors = None
        at_once.place(1)
        ratios.append(cpu(partial(one_by_one.place, FRESH)) / cpu(partial(at_once.place, FRESH)))
    return [middle("numpy_ratio", ratios)]


def rollouts() -> list[Result]:
    """A hundred pods get a new image, in a whole cluster."""
    return [middle("rollout", [cpu(Fleet().roll) for _ in range(3)])]


def connections() -> list[Result]:
    """100,000 connections in each mode, the rules of ten nodes included."""
    modes = ("iptables", "nftables")
    took = {mode: [cpu(partial(connect_all, mode)) for _ in range(3)] for mode in modes}
    return [middle("connections", took[mode], mode) for mode in modes]


def clicks() -> list[Result]:
    """Crash → new trace, on each scenario; etcd alone and whole clusters have bars of their own."""
    times: dict[str, list[float]] = {name: [] for name in names()}
    for name in times:
        answer(click(name))
    for _ in range(ROUNDS):
        for name, took in times.items():
            took.append(1000 * cpu(partial(answer, click(name))))
    return [_click("click", name, took) for name, took in times.items()]


def _click(prefix: str, name: str, took: list[float]) -> Result:
    kind = "etcd" if load(name).topology.kind == "etcd" else "cluster"
    p95 = statistics.quantiles(took, n=20, method="inclusive")[18]
    return Result(f"{prefix}_{kind}", p95, spread(took), name)


def in_pyodide() -> list[Result]:
    """The same clicks in Pyodide under node, as the browser runs them."""
    script = Path(__file__).with_name("pyodide.mjs")
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
    code = "import time; t = time.process_time(); import kubemini.simulate; print(time.process_time() - t)"
    took = [
        float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True).stdout)
        for _ in range(ROUNDS)
    ]
    return [middle("import_cpu", took)]


def book_build() -> list[Result]:
    """The times `make book` noted when it last built, cold and cached."""
    note = ROOT / "_build" / "build-times.json"
    if not note.exists():
        return []
    times = json.loads(note.read_text())
    return [Result(f"book_{kind}", times[kind]) for kind in ("cold", "cached") if kind in times]

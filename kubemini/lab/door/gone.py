"""A server is gone: how long until the balancer has noticed, and what its clients have of it meanwhile.

A stacked control plane of three hosts; something happens to the third one at an instant that the seed chooses, so that
it falls anywhere between two checks.
"""

from typing import Any, NamedTuple

from kubemini.cluster import build
from kubemini.scenarios import Scenario
from kubemini.sim import Trace
from kubemini.sim.chance import Draws
from kubemini.sim.units import MS, SECOND
from kubemini.simulate import run
from kubemini.view.connections import at as state_at
from kubemini.view.connections import hanging, through

BEFORE = 12 * SECOND  # by then every server has been checked
WAIT = 30 * SECOND  # who has not noticed by then is not going to
PATIENCE = 60 * SECOND  # how long clients are watched: HTTP/2's pings need 45 s
AT_ONCE = SECOND  # what takes longer has waited
GONE = "apiserver-3"  # the first that the balancer finds well, so most clients hang there
WAYS = {  # how it can be gone
    "dead": ("crash", GONE),
    "hung": ("pause", GONE),
    "dark": ("power_off", "cp-3"),
    "without etcd": ("crash", "etcd-3"),
}


class Noticed(NamedTuple):
    """*after* seconds the balancer counts the server as down, or never (None); *why* as the balancer says it."""

    after: float | None
    why: str


class Outage(NamedTuple):
    """Of *asked* requests, each on a fresh connection, *slow* waited and then succeeded, *failed* did not succeed.

    *back*: for each client that kept a connection to the server, the seconds until it had another; None: it stayed.
    """

    asked: int
    slow: int
    failed: int
    back: dict[str, float | None]


def noticed(way: str, seed: int = 1, **params: Any) -> Noticed:
    """What the balancer makes of a server that is gone in this *way* (of `WAYS`).

    *params* as scenarios write them, ``haproxy_inter="1s", haproxy_check="tcp"``. Raises ValueError for another way,
    ScenarioError for a parameter that does not fit.
    """
    trace, begin = _gone(way, seed, 0, WAIT, {}, params)
    opinions = [r for r in trace.of("backend") if r.at >= begin and r.detail["server"] == GONE]
    down = next((r for r in opinions if not r.detail["up"]), None)
    return Noticed(None, "") if down is None else Noticed((down.at - begin) / SECOND, down.detail["why"])


def told(found: Noticed) -> str:
    """``counted as down after 4.7 s: L4CON``, or ``never counted as down``."""
    return "never counted as down" if found.after is None else f"counted as down after {found.after:.1f} s: {found.why}"


def outage(way: str, seed: int = 1, **params: Any) -> Outage:
    """What a minute of it means to kubectl, which opens a connection a request, and to those who keep theirs."""
    workload = {"api_writes": {"every": "250ms"}}
    trace, begin = _gone(way, seed, 6, PATIENCE, workload, params)
    asked = [r for r in trace.of("request", "kubectl") if r.detail["started"] >= begin]
    good = [r for r in asked if r.detail["outcome"] == "ok"]
    slow = sum(r.at - r.detail["started"] > AT_ONCE for r in good)
    before = state_at(trace, begin - 1)
    hit = [c for c, server in hanging(before).items() if server == GONE and through(before, c) != GONE]
    return Outage(len(asked), slow, len(asked) - len(good), {c: _back(trace, begin, c) for c in hit})


def _gone(
    way: str, seed: int, workers: int, wait: int, workload: dict[str, Any], params: dict[str, Any]
) -> tuple[Trace, int]:
    """A run in which the server is gone, and the instant at which that happens (µs)."""
    if way not in WAYS:
        raise ValueError(f"a server is gone in one of these ways: {', '.join(WAYS)}; not {way!r}")
    begin = BEFORE + Draws(seed, "detection").between(1, 0, 4 * SECOND) // MS * MS
    action, target = WAYS[way]
    scenario = Scenario(
        "detection",
        "A server is gone",
        build("stacked", members=3, workers=workers),
        workload=workload,
        faults=((f"{begin // MS}ms", action, target),),
        until=begin + wait,
    )
    return run(scenario, seed, params=params), begin


def _back(trace: Trace, begin: int, client: str) -> float | None:
    """Seconds until *client* has opened another connection; None if it has not."""
    opened = (r.at for r in trace.of("connection", client) if r.detail["state"] == "open" and r.at > begin)
    first = next(opened, None)
    return None if first is None else round((first - begin) / SECOND, 1)

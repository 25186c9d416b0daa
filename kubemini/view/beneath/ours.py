"""Our run in the columns of a recording: requests by fate and second, who leads, which servers the balancer uses.

Pure: a trace in, a `Run` out. Invariant: nothing is told that the trace does not say; a request that waits is
waiting, and not yet anything else.
"""

from typing import Any, NamedTuple

from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.view.beneath.recordings import FATES
from kubemini.view.requests import WAITING, asked, fate, series_of
from kubemini.view.state import State

MOVES = {"role", "start", "crash", "exit", "pause", "resume", "power_off", "power_on", "cut", "heal", "membership"}
MOVES |= {"restore", "backend", "address"}
LEASES = ("kube-controller-manager", "kube-scheduler")
Spans = list[list[Any]]  # [µs, what is so from then on], in order


class Run(NamedTuple):
    """A run as a recording tells one; instants are µs."""

    fates: dict[str, dict[str, list[int]]]  # "API writes" → fate → requests begun in each second
    requests: list[Record]
    leads: dict[str, Spans]  # etcd and the Leases → the program that leads, "" for none
    uses: dict[str, Spans]  # API server → whether the balancer uses it


def ours(trace: Trace) -> Run:
    """*trace* by second, and by what changed."""
    requests = [r for r in asked(trace) if r.detail["kind"] == "api"]
    state = State(trace.header["topology"])
    leads: dict[str, Spans] = {what: [[0, ""]] for what in ("etcd", *LEASES)}
    uses: dict[str, Spans] = {}
    for record in trace:
        state.fold(record)
        if record.what == "holder":
            note(leads, record.detail["lease"], record.at, record.actor)
        if record.what in MOVES:
            note(leads, "etcd", record.at, state.leader(state.cluster) or "")
            for server, used in in_use(state).items():
                note(uses, server, record.at, used)
    return Run(by_second(requests, trace.header["until"]), requests, leads, uses)


def in_use(state: State) -> dict[str, bool]:
    """Whether clients are sent to each API server: by the balancer, of two by the one that has the address."""
    front = [name for name in state.backends if not state.addresses or keeps(state, name)]
    known = {server: told["up"] for name in front[:1] for server, told in state.backends[name].items()}
    reached = any(map(state.alive, front[:1]))
    servers = {server: False for told in state.backends.values() for server in told}
    return servers | {server: up and reached for server, up in known.items()}


def keeps(state: State, balancer: str) -> bool:
    """Whether the virtual address is on the balancer's host."""
    home = state.host_of(balancer)
    return any(state.host_of(keeper) == home for held in state.addresses.values() for keeper in held)


def note(spans: dict[str, Spans], name: str, at: int, value: Any) -> None:
    """Add what is so from *at* on, if it is something else than before; the last of an instant counts."""
    known = spans.setdefault(name, [])
    if known and known[-1][0] == at:
        known.pop()
    if not known or known[-1][1] != value:
        known.append([at, value])


def became(record: Record) -> str:
    """How a request fared, in the words of the recordings: those do not tell whether what failed happened after all."""
    return {"ok": "ok", "slow": "slow", WAITING: "slow"}.get(fate(record), "failed")


def by_second(requests: list[Record], until: int) -> dict[str, dict[str, list[int]]]:
    """How the requests of each second fared."""
    found: dict[str, dict[str, list[int]]] = {}
    many = -(-until // SECOND)
    for record in requests:
        row = found.setdefault(series_of(record.detail), {name: [0] * many for name in FATES})
        row[became(record)][min(many - 1, record.detail["started"] // SECOND)] += 1
    return found

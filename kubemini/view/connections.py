"""Who hangs on whom: which client keeps its connection at which API server, at an instant of a trace.

A kept connection stays where it was opened until it breaks, so who hangs where is decided by the past: by who was
there when somebody dialled. `hanging` reads it from a state (`view/state.py` folds the trace), `sheet` sets two
instants side by side, `told` says the same in words. static/widgets/connections.js draws it.
Invariant: a client hangs on one server or on nobody; the connection that it opened last is the one it uses.
Simplified: a client that opens a connection for each request, as kubectl does, hangs on nobody and is not listed.
"""

from collections.abc import Iterable, Sequence
from statistics import fmean, pstdev

from kubemini.sim.trace import Trace
from kubemini.sim.units import clock
from kubemini.view.state import State

NOBODY = ""
Hanging = dict[str, str]  # client → API server, or NOBODY


def at(trace: Trace, instant: int) -> State:
    """What is true at *instant* (µs), with all that happens in it."""
    state = State(trace.header["topology"])
    for record in trace:
        if record.at > instant:
            break
        state.fold(record)
    return state


def is_client(name: str) -> bool:
    """Whether a program is one of those who ask the API: its servers and balancers dial too, and are none."""
    return not name.startswith(("apiserver-", "haproxy-"))


def clients(trace: Trace) -> list[str]:
    """Those who ever keep a connection, by the order of their first."""
    return list(dict.fromkeys(record.actor for record in trace.of("connection") if is_client(record.actor)))


def servers(state: State) -> list[str]:
    """The API servers, in the order of their hosts."""
    return [name for name in state.programs if name.startswith("apiserver-")]


def hanging(state: State) -> Hanging:
    """The server that each client hangs on now; one whose program is down is not listed."""
    kept = {client: mine["kept"] for client, mine in state.connections.items() if is_client(client)}
    return {client: open_[-1]["server"] if open_ else NOBODY for client, open_ in kept.items()}


def through(state: State, client: str) -> str:
    """Whom *client* has dialled for the connection that it uses: a balancer, a server; empty if it has none."""
    kept = state.connections.get(client, {"kept": []})["kept"]
    return kept[-1]["to"] if kept else NOBODY


def counts(state: State, of: Iterable[str] | None = None) -> dict[str, int]:
    """How many clients hang on each API server; *of*: only these clients count."""
    found = hanging(state)
    wanted = set(found if of is None else of)
    mine = [server for client, server in found.items() if client in wanted]
    return {server: mine.count(server) for server in servers(state)}


def unevenness(numbers: Sequence[float]) -> float:
    """The coefficient of variation: 0 where all are equal, 1.41 where one of three has everything."""
    return pstdev(numbers) / fmean(numbers) if sum(numbers) else 0.0


def sheet(trace: Trace, *instants: int) -> list[list[str]]:
    """A table: a row a server with its numbers, then a row a client with whom it hangs on, at each of *instants*."""
    states = [at(trace, instant) for instant in instants]
    head = ["", *map(clock, instants)]
    found = [(hanging(state), counts(state)) for state in states]
    totals = [[server, *(str(count[server]) for _, count in found)] for server in servers(states[0])]
    rows = [[client, *(_word(who, client) for who, _ in found)] for client in clients(trace)]
    return [head, *totals, *rows]


def _word(who: Hanging, client: str) -> str:
    return who.get(client, "not running") or "nobody"


def told(trace: Trace) -> str:
    """The sheet as text: just before each thing that was done, and at the end."""
    until = trace.header["until"]
    deeds = sorted({record.at for record in trace.of("command") if record.at < until})
    rows = sheet(trace, *(max(0, deed - 1) for deed in deeds), until)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(["who hangs on whom", *(line.rstrip() for line in lines)])

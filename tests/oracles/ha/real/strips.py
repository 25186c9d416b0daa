"""What is drawn of a recording: one value a second, for each second of the client.

Column i is the second from ``from_s + i`` to ``from_s + i + 1`` after the fault; a state is the one at its end.
"""

import re
from collections import Counter
from functools import partial

from tests.oracles.ha.real.fates import by_second
from tests.oracles.ha.real.programs import CONTROL, LEASES


def strips(cluster, requests, changes, struck, window):
    """The rows of one trial; *changes* are those of the watcher, (instant, what, value)."""
    seconds = range(*window)
    told = [(at - struck, what, value) for at, what, value in changes]
    at_end = partial(column, told, seconds)
    views = [[_view(said) for said in at_end(f"etcd {member}")] for member in cluster.members]
    agreed = [_most(views_then) for views_then in zip(*views, strict=True)]
    rows = {
        "from_s": window[0],
        "requests": by_second(requests, struck, seconds),
        "leader": [leader for leader, _ in agreed],
        "term": [term for _, term in agreed],
        "balancer": {lb: {} for lb in cluster.balancers},
        "checks": {lb: {} for lb in cluster.balancers},
        "ready": {h: [int(said.split()[0]) if said else 0 for said in at_end(f"readyz {h}")] for h in CONTROL},
        "holders": {lease: _holders(at_end(f"holder {lease}")) for lease in LEASES.values()},
        "processes": _processes(told, seconds),
    }
    for balancer in cluster.balancers:
        answers = [said != "no answer" for said in at_end(balancer)]
        for server in CONTROL:
            said = [s if there else "" for s, there in zip(at_end(f"{balancer} {server}"), answers, strict=True)]
            rows["balancer"][balancer][server] = [s.split()[0] if s else "" for s in said]
            rows["checks"][balancer][server] = [_failing(s) for s in said]
    if len(cluster.balancers) == 2:
        rows["address"] = at_end("address")
    return rows


def column(told, seconds, what):
    """The last value of *what* before the end of each second; nothing before the first."""
    values = [(at, value) for at, name, value in told if name == what]
    return [next((value for at, value in reversed(values) if at < second + 1), "") for second in seconds]


def _view(said):
    found = re.match(r"leader (\w+) term (\d+)", said)
    return None if not found else ("" if found[1] == "none" else found[1], int(found[2]))


def _most(views):
    counted = Counter(view for view in views if view)
    return max(counted, key=lambda view: (counted[view], view[1])) if counted else ("", 0)


def _failing(said):
    found = re.search(r"(L\dTOUT|L\dCON|L\dRSP|L7STS)( \d+)?", said)
    return found[0] if found else ""


def _holders(values):
    seen = False
    told = []
    for value in values:
        seen = seen or bool(value)
        told.append(value if seen else "?")
    return told


def _processes(told, seconds):
    names = dict.fromkeys(what.split()[1] for _, what, value in told if what.startswith("process") and value != "up")
    struck = dict.fromkeys(what.split()[1] for _, what, _ in told if what.startswith("strike "))
    rows = {}
    for name in (*struck, *(n for n in names if n not in struck)):
        lives = column(told, seconds, f"process {name}")
        states = column(told, seconds, f"strike {name}")
        rows[name] = [
            "gone" if life.startswith("exit") else state or "up" for life, state in zip(lives, states, strict=True)
        ]
    return rows

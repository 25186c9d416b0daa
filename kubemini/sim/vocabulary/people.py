"""Clients and whoever acts: what they ask for, what becomes of it, what they do.

When a request is worth a row, and how a command is told, takes more than one record: view/words.py.
"""

from kubemini.sim.vocabulary.word import ANYBODY, CLIENT, WHOEVER_ACTS, Detail, word

word(
    "request",
    CLIENT,
    "a client's request ends; {id, kind: api|service|etcd, verb, path, via,"
    " outcome: ok|failed|unknown, started: µs, code, why, value: that was to be written to etcd,"
    " answer: what was read from etcd, said: what kubectl apply prints, caller: the pod that calls, tries: of a client"
    " that keeps connections [[began: µs, pod, why it failed]], of a visit by a"
    " door that the scenario names to: address and port, source: as the pod saw it, rule: that decided, at: the host"
    " whose rule that was}",
)


def _lookup(d: Detail) -> str | None:
    return f"cannot look up {d['name']}: {d['error']}" if d["error"] else None


def _typed(d: Detail) -> str | None:
    first = d["said"].strip().partition("\n")[0]
    return f"kubectl {d['line']} fails: {first}" if d["status"] else None


word(
    "lookup",
    CLIENT,
    "a client has looked a name up; {name, addresses, error: '' or getaddrinfo's words, queries: how many were sent,"
    " walk: [[name, types, what came]], rule: what decided the last, started: µs}",
    _lookup,
)
word(
    "typed",
    "kubectl",
    "a kubectl line has printed something, or is over; {number: of the line, line, said: what it printed since it was"
    " last told, status: its exit status, null while it goes on}",
    _typed,
)
word("command", WHOEVER_ACTS, "somebody did something to the cluster; {action, args}")
word("note", ANYBODY, "a remark; {text}", lambda d: d["text"])

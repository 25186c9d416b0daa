"""The steps of a trace that was listened to: arrows between programs, and what programs do by themselves.

Invariant: a step is a record of the trace, but for what etcd has on its disk, which is told change by change; steps
stand in the order of the trace.
"""

from dataclasses import dataclass, field
from typing import Any

from kubemini.api.kinds import KNOWN
from kubemini.sim.trace import Record, Trace

KUBECTL = ("outside", "kubectl", "terminal")
LANES = {  # what a program's name begins with → its lane
    "etcd": "etcd",
    "apiserver": "API server",
    "haproxy": "load balancer",
    **dict.fromkeys(KUBECTL, "kubectl"),
    "controller-manager": "controllers",
    "scheduler": "scheduler",
    "kubelet": "kubelet",
    "kube-proxy": "kube-proxy",
}
ALWAYS = ("etcd", "API server", "kubectl", "controllers", "scheduler", "kubelet", "kube-proxy")
WRITES = ("txn", "put", "delete_range")  # of etcd
ACTS = ("decision", "pod", "rules")  # words of what a program does by itself
PLURALS = {kind.plural: kind.kind for kind in KNOWN.values()}


def lane_of(program: str) -> str:
    """The lane of a program: etcd-1 → etcd, kubelet@worker-1 → kubelet; of any other its own name."""
    stem = program.partition("@")[0]
    head, _, number = stem.rpartition("-")
    return LANES.get(head if number.isdigit() else stem, stem)


@dataclass
class Step:
    """An arrow from *source* to *to*, or, where these are the same, something that *source* does.

    *at*, *arrives*: µs. *form*: request, watch, answer, event or act. *about*: kind/name of what it is about. *cause*:
    the number of the step without which it would not be; None: its own clock, or a person.
    """

    at: int
    arrives: int
    source: str
    to: str
    form: str
    about: str
    detail: dict[str, Any] = field(default_factory=dict)
    cause: int | None = None

    @property
    def revision(self) -> int:
        """The revision of what has changed, where it tells of a change; else 0."""
        changes = self.detail.get("changes") or [["", "", 0]]
        return int(changes[0][2])


def steps_of(trace: Trace, since: int, until: int) -> list[Step]:
    """The steps from *since* to before *until*. Raises ValueError where nobody has listened."""
    if "listened" not in trace.header:
        raise ValueError('nobody has listened to this run: run(…, listen=("20s", "23s")), or cluster.listen() before')
    writes: dict[str, str] = {}  # etcd's call → kind/name: what is to be written, and is not yet
    found: list[Step] = []
    for record in trace:
        if since <= record.at < until:
            found += _sent(record, writes, found) if record.what == "sent" else _act(record)
    return found


def _sent(record: Record, writes: dict[str, str], found: list[Step]) -> list[Step]:
    """The arrow of a record; and before etcd first tells of a write, that it is on its disk."""
    d, about = record.detail, _about(record.detail)
    arrow = Step(record.at, d["arrives"], record.actor, d["to"], d["form"], about, d)
    if lane_of(d["to"]) == "etcd" and d["form"] == "request":
        if d["verb"] in WRITES:
            writes[d["call"]] = about
        return [arrow]
    if lane_of(record.actor) != "etcd":
        return [arrow]
    if d["form"] == "answer":
        asked = next((s for s in reversed(found) if s.form == "request" and s.detail["call"] == d["call"]), None)
        arrow.about = asked.about if asked else about
        call = d["call"] if writes.pop(d["call"], "") and d["code"] == "OK" else ""
    else:
        call = next((call for call, what in writes.items() if what == about), "")
    if not call or any(s.detail.get("what") == "disk" and s.revision == arrow.revision for s in found):
        return [arrow]
    disk = {"call": call, "changes": d["changes"], "what": "disk"}
    return [Step(record.at, record.at, record.actor, record.actor, "act", arrow.about, disk), arrow]


def _act(record: Record) -> list[Step]:
    """What a program does by itself, as a step."""
    if record.what not in ACTS:
        return []
    d = record.detail
    name = d.get("pod") or d.get("name") or d.get("service", "")
    about = f"{'Service' if record.what == 'rules' else 'Pod'}/{name.rpartition('/')[2]}"
    return [Step(record.at, record.at, record.actor, record.actor, "act", about, {**d, "what": record.what})]


def _about(d: dict[str, Any]) -> str:
    """Kind/name of what a record is about; the name is empty where a collection is meant."""
    if "path" in d:
        kind, name, _ = resource(d["path"])
        return f"{kind}/{name}"
    if "key" in d:
        return of_key(d["key"])
    changes = d.get("changes") or [["", "", 0]]
    told = changes[0][1]
    return of_key(told) if told.startswith("/") else told


def resource(path: str) -> tuple[str, str, str]:
    """(kind, name, sub-resource) that a path of the API asks for; each empty where it has none."""
    parts = path.strip("/").split("/")
    rest = parts[2:] if parts[0] == "api" else parts[3:] if parts[0] == "apis" else []
    if len(rest) > 2 and rest[0] == "namespaces":
        rest = rest[2:]
    kind, name, below = [*rest, "", "", ""][:3]
    return PLURALS.get(kind, kind), name, below


def of_key(key: str) -> str:
    """Kind/name of an etcd key: /registry/pods/default/web-1 → Pod/web-1."""
    parts = key.strip("/").split("/")
    found = next((kind for kind in KNOWN.values() if key.startswith(f"{kind.prefix}/")), None)
    return f"{found.kind if found else parts[-1]}/{parts[-1] if not key.endswith('/') else ''}"

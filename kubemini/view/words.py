"""What happened, in words: the rows of the table that tells a run without a picture.

One row a thing that a reader would mention. What a deed brings about at its own instant is not told twice, a state
that repeats is told once, and requests are told when their fate changes.
"""

from collections.abc import Callable
from typing import Any

from kubemini.sim import Record, Trace
from kubemini.sim.units import SECOND

Row = tuple[str, str, str]  # time text, who, words
QUIET_KINDS = ("EndpointSlice", "Lease", "Event", "ConfigMap")
LONGEST_WHY = 100  # characters of an error's text in a row
TOLD_WHEN_CHANGED = ("Deployment", "Node")
CALM = 5 * SECOND  # a spell of failures is over when none happened for so long

DEEDS: dict[str, str] = {
    "crash": "crashed {0}",
    "stop": "told {0} to stop",
    "restart": "restarted {0}",
    "pause": "paused {0}",
    "resume": "resumed {0}",
    "power_off": "pulled the plug of {0}",
    "power_on": "switched {0} on",
    "slow_disk": "made every fsync of {0} {1} longer",
    "cut": "cut {0} off",
    "heal": "healed the network",
    "zone_outage": "took the power of zone {0}",
    "zone_restore": "gave zone {0} its power back",
    "put": "put {0} = {1}",
    "get": "asked for {0}",
    "member_add": "asked etcd to add {0} as a {1}",
    "member_remove": "asked etcd to remove {0}",
    "member_promote": "asked etcd to make {0} a voter",
    "move_leader": "asked etcd to make {0} its leader",
    "snapshot_save": "asked {0} for a backup of etcd",
    "snapshot_restore": "restored etcd on {0} from the backup",
    "compact": "compacted etcd",
    "defrag": "defragmented {0}",
    "alarm_disarm": "disarmed every alarm of etcd",
    "apply": "applied manifests",
    "scale": "scaled {0} to {1}",
    "delete": "deleted {0} {1}",
}
EFFECTS = (
    "start",
    "crash",
    "exit",
    "pause",
    "resume",
    "power_off",
    "power_on",
    "slow_disk",
    "cut",
    "heal",
    "latency",
    "loss",
)


def time_text(at: int) -> str:
    """Seconds with milliseconds, as the table prints them."""
    return f"{at // SECOND}.{at % SECOND // 1000:03d}"


def deed(detail: dict[str, Any]) -> str:
    """What somebody did."""
    action, args = detail["action"], [str(a) for a in detail["args"]]
    if action == "cut" and len(args) > 1:
        return f"cut the cable between {args[0].replace(',', ', ')} and {args[1].replace(',', ', ')}"
    return DEEDS.get(action, f"did {action.replace('_', ' ')} {' '.join(args)}").format(*args, "", "")


# -- one function a word of the vocabulary: the words, or None for nothing worth a row -------------------------------
def _role(d: dict[str, Any]) -> str | None:
    match d["role"]:
        case "leader":
            return f"★ is leader of term {d['term']}"
        case "candidate":
            return f"asks for votes in term {d['term']}"
        case "pre-candidate":
            return "hears no leader and asks around whether it could win"
    return f"follows {d['lead']} in term {d['term']}" if d["lead"] else None


def _object(d: dict[str, Any]) -> str | None:
    kind, name = d["kind"], d["name"]
    if kind in QUIET_KINDS or (kind == "Namespace" and name.startswith("kube-")):
        return None
    if d["verb"] == "DELETED":
        return f"deletes {kind} {name}"
    if d["verb"] == "ADDED":
        return f"stores a new {kind} {name}"
    return f"stores {kind} {name}: {facts(d)}" if kind in TOLD_WHEN_CHANGED and facts(d) else None


def facts(d: dict[str, Any]) -> str:
    """What of a changed object is worth a word; empty if nothing."""
    fields = d.get("summary") or {}
    if d["kind"] == "Node":
        return "ready" if fields.get("ready") else "not ready"
    return ", ".join(f"{key} {value}" for key, value in fields.items())


def _decision(d: dict[str, Any]) -> str:
    return f"puts {d['pod'].split('/')[-1]} on {d['node']}" if d["node"] else f"finds no node for {d['pod']}"


def _pod(d: dict[str, Any]) -> str | None:
    if d["state"] == "running":
        return f"{d['name']} runs and is ready, {d['ip']}" if d["ready"] else f"{d['name']} runs, not ready"
    return f"{d['name']} is {d['state']}"


def _rules(d: dict[str, Any]) -> str | None:
    ips = ", ".join(e["ip"] for e in d["endpoints"])
    return f"rules: {d['service'].split('/')[-1]} → {ips or 'nowhere'}"


def _membership(d: dict[str, Any]) -> str:
    learners = f", {', '.join(d['learners'])} only listens" if d["learners"] else ""
    return f"goes by new members: {', '.join(d['voters'])} vote{learners}"


WORDS: dict[str, Callable[[dict[str, Any]], str | None]] = {
    "start": lambda d: "starts",
    "crash": lambda d: "crashes",
    "panic": lambda d: f"fails of a defect in its own code: {d['type']} {d['message']} in {d['where']}",
    "exit": lambda d: f"ends: {d['why']}",
    "pause": lambda d: "stands still",
    "resume": lambda d: "goes on",
    "power_off": lambda d: "loses power",
    "power_on": lambda d: "boots",
    "slow_disk": lambda d: f"every fsync takes {time_text(d['extra'])} s longer",
    "cut": lambda d: f"{', '.join(d['a'])} cannot reach {', '.join(d['b'])}",
    "heal": lambda d: "every host reaches every other again",
    "latency": lambda d: f"{d['a']} to {d['b']} takes up to {d['high'] / 1000:g} ms",
    "loss": lambda d: f"{d['a']} to {d['b']} loses {100 * d['p']:g} % of the packets",
    "role": _role,
    "snapshot": lambda d: f"installs a snapshot: everything up to entry {d['index']}, revision {d['revision']}",
    "restore": lambda d: f"begins anew from a backup, as one of {', '.join(d['members'])}, revision {d['revision']}",
    "membership": _membership,
    "alarm": lambda d: f"sees the alarm {d['alarm']} of {d['member']} {'raised' if d['raised'] else 'disarmed'}",
    "vote": lambda d: f"votes for {d['for']} in term {d['term']}",
    "truncate": lambda d: f"cuts off its log from {d['index']} on: never committed",
    "ready": lambda d: "is ready" if d["ready"] else f"is not ready: {d['why']}",
    "backend": lambda d: f"marks {d['server']} {'up' if d['up'] else 'down'}: {d['why']}",
    "holder": lambda d: f"holds the lease {d['lease']}",
    "object": _object,
    "decision": _decision,
    "pod": _pod,
    "rules": _rules,
    "command": deed,
    "note": lambda d: d["text"],
}


class Teller:
    """Goes through a trace once and keeps what a reader would mention."""

    def __init__(self, fates: dict[int, str]):
        self.fates = fates
        self.deed_at = self.power_at = -1
        self.said: dict[Any, Any] = {}
        self.led: set[str] = set()

    def words(self, record: Record) -> str | None:
        """The words for one record, or None."""
        at, what, detail = record.at, record.what, record.detail
        if what == "command":
            self.deed_at = at
        if what in ("start", "crash", "exit"):
            self.led.discard(record.actor)
        if what == "request":
            return self.fates.get(id(record))
        if what not in WORDS or (what in EFFECTS and at == self.deed_at):
            return None
        if at == 0 and what in ("start", "backend"):
            return None
        if what == "power_on":
            self.power_at = at
        if what == "start" and at == self.power_at:
            return None
        if what == "vote" and detail["for"] == record.actor:
            return None
        words = self.stepped_down(record) or WORDS[what](detail)
        return words if self.new(record, words) else None

    def stepped_down(self, record: Record) -> str | None:
        """A leader that follows nobody has stepped down."""
        if record.what != "role":
            return None
        was = record.actor in self.led
        self.led.discard(record.actor)
        if record.detail["role"] == "leader":
            self.led.add(record.actor)
        return "steps down" if was and record.detail["role"] == "follower" and not record.detail["lead"] else None

    def new(self, record: Record, words: str | None) -> bool:
        """Whether the actor has not just said the same about the same thing."""
        detail = record.detail
        about = (record.actor, record.what, detail.get("name") or detail.get("server") or detail.get("service"))
        if record.what not in ("role", "pod", "rules", "object", "backend", "ready"):
            return words is not None
        if words is None or self.said.get(about) == words:
            return False
        self.said[about] = words
        return True


def spells(trace: Trace) -> dict[int, str]:
    """Where requests of one kind begin to fail, and where they are all answered again: words, by id of the record."""
    told: dict[int, str] = {}
    groups: dict[tuple[str, ...], list[Record]] = {}
    for record in trace.of("request"):
        detail = record.detail
        groups.setdefault((record.actor, detail["kind"], detail["verb"], detail["path"]), []).append(record)
    for (_, _, verb, path), group in groups.items():
        bad = [r for r in group if r.detail["outcome"] != "ok"]
        for first, after in spell_bounds(bad):
            told[id(first)] = failing(first, f"{verb} {path.split('/')[-1]}")
            good = [r for r in group if r.at > after and r.detail["outcome"] == "ok"]
            if good:
                told[id(good[0])] = f"● {verb} {path.split('/')[-1]} is always answered again"
    return told


def spell_bounds(bad: list[Record]) -> list[tuple[Record, int]]:
    """(first failure, time of the last) of each spell."""
    bounds: list[tuple[Record, int]] = []
    for record in bad:
        if bounds and record.at - bounds[-1][1] < CALM:
            bounds[-1] = (bounds[-1][0], record.at)
        else:
            bounds.append((record, record.at))
    return bounds


def failing(record: Record, what: str) -> str:
    """The words for the first failure of a spell."""
    why, mark = record.detail["why"], "✕" if record.detail["outcome"] == "failed" else "?"
    fate = "fails" if mark == "✕" else "has an unknown fate"
    return f"{mark} {what} {fate}: {why if len(why) <= LONGEST_WHY else why[:LONGEST_WHY] + '…'}"


def rows(trace: Trace) -> list[Row]:
    """The table: (time text, who, words)."""
    teller, told = Teller(spells(trace)), []
    for record in trace:
        words = teller.words(record)
        if words:
            told.append((time_text(record.at), record.actor, words))
    return told

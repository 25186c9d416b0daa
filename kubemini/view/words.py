"""What happened, in words: the rows of the table that tells a run without a picture.

One row a thing that a reader would mention. What a deed brings about at its own instant is not told twice, a state
that repeats is told once, and requests are told when their fate changes.
"""

from typing import Any

from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import SECOND
from kubemini.sim.vocabulary import WORDS, Word
from kubemini.sim.vocabulary.word import seconds

Row = tuple[str, str, str]  # time text, who, words
LONGEST_WHY = 100  # characters of an error's text in a row
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
    "skew_clock": "set the clock of {0}",
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
    "kubectl": "typed kubectl {0}",
}


def deed(detail: dict[str, Any]) -> str:
    """What somebody did."""
    action, args = detail["action"], [str(a) for a in detail["args"]]
    if action == "cut" and len(args) > 1:
        return f"cut the cable between {args[0].replace(',', ', ')} and {args[1].replace(',', ', ')}"
    return DEEDS.get(action, f"did {action.replace('_', ' ')} {' '.join(args)}").format(*args, "", "")


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
        if what == "command":
            return deed(detail)
        known = WORDS.get(what)
        if known is None or known.row is None or (known.deed and at == self.deed_at):
            return None
        if at == 0 and what in ("start", "backend"):
            return None
        if what == "power_on":
            self.power_at = at
        if what == "start" and at == self.power_at:
            return None
        if what == "vote" and detail["for"] == record.actor:
            return None
        words = self.stepped_down(record) or known.row(detail)
        return words if self.new(record, known, words) else None

    def stepped_down(self, record: Record) -> str | None:
        """A leader that follows nobody has stepped down."""
        if record.what != "role":
            return None
        was = record.actor in self.led
        self.led.discard(record.actor)
        if record.detail["role"] == "leader":
            self.led.add(record.actor)
        return "steps down" if was and record.detail["role"] == "follower" and not record.detail["lead"] else None

    def new(self, record: Record, known: Word, words: str | None) -> bool:
        """Whether the actor has not just said the same about the same thing."""
        detail = record.detail
        about = (record.actor, record.what, detail.get("name") or detail.get("server") or detail.get("service"))
        if not known.lasts:
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
            told.append((seconds(record.at), record.actor, words))
    return told

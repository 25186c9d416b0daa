"""A controller's loop, instant by instant: what is, what it knows of it, which keys wait, what it last decided. Pure.

`recorded` folds the trace of a run with a controller in close-up (`Params.close_up`) into what the widget draws:
moments, each made of parts that many moments share. `told` says the same as text.
Theory of operation. The store is told by the word "object": one record for each change of what is worth telling. A
cache is told by "cache": only which revision of each object it holds. What that revision said is looked up in the
store's past: the newest thing told of the object that is not newer. So nothing is told twice, and a cache can only
show what has once been true. Two that show the same told revision agree.
Invariant: a moment says what was true after all that happened at its instant.
"""

import json
from collections.abc import Iterable
from typing import Any

from kubemini.sim.trace import Record, Trace
from kubemini.sim.units import MS, clock
from kubemini.view.looks import Look, plain
from kubemini.view.loopwords import facts, sentences

WORDS = ("informer", "cache", "queue", "sync")
ENDS = ("crash", "exit")
BLINK = 100 * MS  # what is true for less than that is not told as text
Place = tuple[str, str]  # kind, namespace/name

GONE, SAME, OLD, NEW = "gone", "same", "old", "new"  # what a cache's copy is, beside the store


class Loop:
    """The loop after some records."""

    def __init__(self, kinds: list[str]):
        self.kinds = kinds
        self.past: dict[Place, list[tuple[int, dict[str, Any] | None]]] = {}  # what the store has said, oldest first
        self.up, self.paused = True, False
        self.program = self.controller = ""
        self.forget()

    def forget(self) -> None:
        """The program has died, and its memory with it."""
        self.informers: dict[str, dict[str, Any]] = {}
        self.cache: dict[Place, int] = {}
        self.queue: dict[str, Any] = {"waiting": [], "working": [], "again": [], "later": {}, "failures": {}}
        self.looks: dict[str, Look] = {}
        self.last: Look | None = None

    # -- one record --------------------------------------------------------------------------------------------------
    def fold(self, record: Record) -> bool:
        """Take one record in; whether it says anything of the loop."""
        what, detail = record.what, record.detail
        if what == "object":
            return self._stored(detail)
        if what in WORDS:
            self.program, self.up = record.actor, True
            getattr(self, f"_{what}")(record.at, detail)
            return True
        if record.actor != self.program:
            return False
        if what in ENDS:
            self.forget()
        if what in (*ENDS, "start"):
            self.up = what == "start"
        if what in (*ENDS, "start", "pause", "resume"):
            self.paused = what == "pause"
            return True
        return False

    def _stored(self, d: dict[str, Any]) -> bool:
        if d["kind"] not in self.kinds:
            return False
        said = None if d["verb"] == "DELETED" else d.get("summary") or {}
        self.past.setdefault(place(d), []).append((d["revision"], said))
        return True

    def _informer(self, at: int, d: dict[str, Any]) -> None:
        self.informers[d["kind"]] = d | {"since": at}

    def _cache(self, at: int, d: dict[str, Any]) -> None:
        self.cache.pop(place(d), None)
        if d["verb"] != "DELETED":
            self.cache[place(d)] = d["revision"]
        if d["kind"] in self.informers:
            version = max(d["revision"], int(self.informers[d["kind"]]["version"] or 0))
            self.informers[d["kind"]] = self.informers[d["kind"]] | {"version": str(version)}

    def _queue(self, at: int, d: dict[str, Any]) -> None:
        self.controller, self.queue = d["controller"], d

    def _sync(self, at: int, d: dict[str, Any]) -> None:
        key = d["key"]
        if d["step"] == "begins":
            known = {where: self.known(where) for where in self.cache}
            self.looks[key] = Look(at, key, plain(key, known), d["creations"], d["deletions"])
        look = self.looks[key]
        if d["step"] == "asks":
            look.asked.append((d["verb"], d["kind"], d["name"], d["error"]))
        if d["step"] == "ends":
            look.end, look.error = at, d["error"]
        self.last = look

    # -- what is, and what is known ----------------------------------------------------------------------------------
    def is_now(self, where: Place) -> tuple[int, dict[str, Any] | None]:
        """(revision, what the store says now); None: there is no such object."""
        return self.past.get(where, [(0, None)])[-1]

    def _seen(self, where: Place) -> tuple[int, dict[str, Any] | None]:
        """The same of the cache's copy."""
        held = self.cache.get(where)
        found = [one for one in self.past.get(where, ()) if held is not None and one[0] <= held]
        return found[-1] if found else (0, None)

    def known(self, where: Place) -> dict[str, Any] | None:
        """What the cache's copy says; None: it has none."""
        return self._seen(where)[1]

    def rows(self) -> list[list[Any]]:
        """[kind, name, what the store says, what the cache says, how they compare]; "" where there is none."""
        found = []
        places = [
            where for where in {**self.past, **self.cache} if self.is_now(where)[1] is not None or where in self.cache
        ]
        for where in sorted(places, key=lambda one: (self.kinds.index(one[0]), one[1])):
            (revision, now), (seen, copy) = self.is_now(where), self._seen(where)
            verdict = SAME if seen == revision else GONE if now is None else NEW if copy is None else OLD
            kind, name = where
            found.append([kind, name.removeprefix("default/"), facts(kind, now), facts(kind, copy), verdict])
        return found

    def heard(self) -> list[list[Any]]:
        """[kind, state, the revision up to which it knows them, why] of each informer."""
        return [[k, d["state"], int(d["version"] or 0), d["why"]] for k, d in sorted(self.informers.items())]

    def waits(self) -> dict[str, Any]:
        """The queue as it is drawn."""
        queue = self.queue
        return {name: queue[name] for name in ("waiting", "working", "again", "later", "failures")}


def place(d: dict[str, Any]) -> Place:
    """Where an object stands in store and cache."""
    return d["kind"], f"{d['namespace']}/{d['name']}" if d["namespace"] else d["name"]


def kinds_of(trace: Trace) -> list[str]:
    """The kinds that the controller in close-up has caches of, its own first; none if there is none in close-up."""
    found = dict.fromkeys(record.detail["kind"] for record in trace.of("informer"))
    own = [record.detail["key"] for record in trace.of("sync")][:1]
    names = {place(r.detail)[1]: r.detail["kind"] for r in trace.of("object") if r.detail["kind"] in found}
    first = names.get(own[0]) if own else None
    return sorted(found, key=lambda kind: (kind != first, kind))


class Shared:
    """Parts that many moments have in common, each kept once."""

    def __init__(self) -> None:
        self.parts: list[Any] = []
        self.known: dict[str, int] = {}

    def of(self, part: Any) -> int:
        """The number of *part*."""
        written = json.dumps(part, sort_keys=True, ensure_ascii=False)
        if written not in self.known:
            self.known[written] = len(self.parts)
            self.parts.append(part)
        return self.known[written]


def recorded(trace: Trace) -> dict[str, Any] | None:
    """What the widget draws: {controller, program, kinds, parts, moments: [[at, said, rows, informers, queue, look]],
    looks: [[at, sentence, mark, end]]}; a moment's members but the first are numbers of parts. None: no close-up.
    """
    kinds = kinds_of(trace)
    if not kinds:
        return None
    loop, shared, moments = Loop(kinds), Shared(), [[0]]
    looks: dict[int, Look] = {}
    program = trace.of("informer")[0].actor
    loop.program = program
    for record in trace:
        told = loop.fold(record)
        if loop.last is not None:
            looks[id(loop.last)] = loop.last
        if told:
            moment = [record.at, *(shared.of(part) for part in parts_of(loop))]
            moments[-1:] = [moment] if moments[-1][0] == record.at else [moments[-1], moment]
    first = next(moment for moment in moments if len(moment) > 1)
    moments = [[0, *first[1:]], *(one for one in moments if len(one) > 1 and one[0] > 0)]
    return {
        "controller": loop.controller,
        "program": program,
        "kinds": kinds,
        "parts": shared.parts,
        "moments": changes(moments),
        "looks": [[look.at, look.sentence(), look.mark(), look.end] for look in looks.values()],
    }


def parts_of(loop: Loop) -> Iterable[Any]:
    """Those of a moment, in their order."""
    rows, heard = loop.rows(), loop.heard()
    yield list(sentences(loop, rows))
    yield rows
    yield heard
    yield loop.waits()
    yield loop.last.drawn() if loop.last is not None else None


def changes(moments: list[list[int]]) -> list[list[int]]:
    """*moments* without those that are as the one before."""
    return [one for before, one in zip([[], *moments], moments, strict=False) if before[1:] != one[1:]]


def told(trace: Trace) -> str:
    """The loop as text: what was true when, and what each look that asked for something came to."""
    found = recorded(trace)
    if found is None:
        return ""
    moments = found["moments"]
    ends = [*(at for at, *_ in moments[1:]), trace.header["until"]]
    lasting = [(one, end) for one, end in zip(moments, ends, strict=True) if end - one[0] >= BLINK]
    lines, said = [f"the loop of the {found['controller']}, in {found['program']}"], ""
    for (at, sentence, *_), _ in lasting:
        _, first, second = found["parts"][sentence]
        if (words := f"{first}. {second}".rstrip()) != said:
            said = words
            lines.append(f"{clock(at):>9}  {words}")
    lines += ["", "what it decided"]
    lines += [f"{clock(at):>9}  {mark} {words}" for at, words, mark, _ in found["looks"] if mark != "·"]
    return "\n".join(lines)

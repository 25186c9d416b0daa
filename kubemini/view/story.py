"""What is true now, in two sentences: one about who can write, one about those who are served.

`World` folds a trace record by record; `sentences` says what it means. A sentence claims nothing that the records
before its instant do not show; whether requests succeed is counted over the last `WINDOW`.
"""

from bisect import bisect_right
from collections import defaultdict
from typing import Any

from kubemini.sim import Record, Trace
from kubemini.sim.units import MS, SECOND

MATTERS = {"start", "crash", "exit", "pause", "resume", "power_off", "power_on", "cut", "heal", "role", "ready", "pod"}
MATTERS |= {"membership", "restore", "alarm"}
GRID = 500 * MS  # how often the sentences are looked at between state changes
WINDOW = 2 * SECOND  # what "now" means for a rate
NOT_YET = "The only API server is not ready yet: writes wait"


class World:
    """The cluster as far as a sentence needs it."""

    def __init__(self, topology: dict[str, Any]):
        self.members: list[str] = topology["etcd"]
        self.quorum: int = topology["quorum"]
        self.home = {c: host["name"] for host in topology["hosts"] for c in host["components"]}
        self.apis = [c for c in self.home if c.startswith("apiserver-")]
        self.balancers = [c for c in self.home if c.startswith("haproxy-")]
        self.workers = [host["name"] for host in topology["hosts"] if host["role"] == "worker"]
        self.stopped: set[str] = set()
        self.alarms: set[str] = set()
        self.paused: set[str] = set()
        self.dark: set[str] = set()
        self.cuts: list[tuple[list[str], list[str]]] = []
        self.leaders: dict[str, int] = {}
        self.ready: dict[str, bool] = {}
        self.pods: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)

    def alive(self, name: str) -> bool:
        """Whether a program runs, and is not standing still."""
        return name not in self.stopped and name not in self.paused and self.home.get(name) not in self.dark

    def linked(self, a: str, b: str) -> bool:
        """Whether no cut lies between two programs, in either direction."""
        if not self.cuts:
            return True
        x, y = self.home.get(a, a), self.home.get(b, b)
        return not any((x in p and y in q) or (x in q and y in p) for p, q in self.cuts)

    def peers(self, member: str) -> int:
        """How many living members *member* can talk to, with itself."""
        return sum(self.alive(m) and self.linked(member, m) for m in self.members)

    def fold(self, record: Record) -> None:
        """Take one record in."""
        actor, detail = record.actor, record.detail
        match record.what:
            case "start":
                self.stopped.discard(actor)
                self.paused.discard(actor)
            case "crash" | "exit":
                self.stopped.add(actor)
                self.forget(actor)
            case "pause":
                self.paused.add(actor)
            case "resume":
                self.paused.discard(actor)
            case "power_off":
                self.dark.add(actor)
                for program in [c for c, host in self.home.items() if host == actor]:
                    self.forget(program)
            case "power_on":
                self.dark.discard(actor)
                self.pods.pop(actor, None)
            case "cut":
                self.cuts.append((detail["a"], detail["b"]))
            case "heal":
                self.cuts.clear()
            case "role":
                self.leaders.pop(actor, None)
                if detail["role"] == "leader":
                    self.leaders[actor] = detail["term"]
            case "membership" | "restore":
                self.members = detail["voters"] if record.what == "membership" else detail["members"]
                self.quorum = len(self.members) // 2 + 1
            case "alarm":
                self.alarms.add(detail["member"]) if detail["raised"] else self.alarms.discard(detail["member"])
            case "ready":
                self.ready[actor] = detail["ready"]
            case "pod":
                self.pods[self.home.get(actor, actor)][detail["name"]] = detail
                if detail["state"] == "gone":
                    del self.pods[self.home.get(actor, actor)][detail["name"]]

    def forget(self, program: str) -> None:
        """A dead program leads nobody and is ready for nothing."""
        self.leaders.pop(program, None)
        self.ready.pop(program, None)


# -- the first sentence: who can write -------------------------------------------------------------------------------
def etcd_state(world: World) -> str:
    """ok (a leader with a majority) · electing (a majority without a leader) · lost (no majority)."""
    alive = [m for m in world.members if world.alive(m)]
    if max((world.peers(m) for m in alive), default=0) < world.quorum:
        return "lost"
    return "ok" if any(m in world.leaders and world.peers(m) >= world.quorum for m in alive) else "electing"


def members_up(world: World) -> str:
    """``2 of 3 members up, quorum is 2``."""
    alive = [m for m in world.members if world.alive(m)]
    together = max((world.peers(m) for m in alive), default=0)
    if len(world.members) == 1:
        return "the only etcd member is up" if alive else "the only etcd member is down"
    apart = f", {together} can talk to each other" if together < len(alive) else ""
    return f"{len(alive)} of {len(world.members)} members up{apart}, quorum is {world.quorum}"


def who_writes(world: World) -> tuple[str, str]:
    """Level and first sentence."""
    state, members = etcd_state(world), members_up(world)
    if world.apis and not any(world.alive(a) for a in world.apis):
        only = "The only API server is" if len(world.apis) == 1 else "All API servers are"
        return "bad", f"{only} down: nobody can change the cluster"
    if state == "lost":
        return "bad", f"{members}: no write succeeds"
    if state == "electing":
        return "warn", f"{members}, no leader yet: writes wait"
    if world.alarms:
        return "bad", f"{members}, but the alarm NOSPACE is raised: no write that needs room succeeds"
    if world.balancers and not any(world.alive(b) for b in world.balancers):
        return "bad", "The load balancer is down: nobody reaches the API servers"
    return through_the_servers(world, members)


def through_the_servers(world: World, members: str) -> tuple[str, str]:
    """etcd works; do the API servers?"""
    ready = sum(world.alive(a) and world.ready.get(a, False) for a in world.apis)
    calm = all(world.alive(m) for m in world.members) and not world.cuts
    if len(world.members) == len(world.apis) == 1:
        return ("ok", "The only API server is ready: writes accepted") if ready else ("warn", NOT_YET)
    if world.apis and not ready:
        return "warn", f"{members}, no API server is ready yet: writes wait"
    if ready < len(world.apis):
        return "warn", f"{members}, {ready} of {len(world.apis)} API servers ready: writes accepted"
    where = " on that side" if "can talk" in members else ""
    return ("ok" if calm else "warn"), f"{members}: writes accepted{where}"


# -- the second sentence: who is served ------------------------------------------------------------------------------
def share(part: int, whole: int) -> str:
    """Roughly, as people say it: a rate over two seconds is no more exact than that."""
    return f"{min(90, max(10, round(10 * part / whole) * 10))} %"


def fate(requests: list[Record]) -> str:
    """How requests of one kind fared: all answered, all refused, none answered, or a share."""
    outcomes = [r.detail["outcome"] for r in requests]
    good = outcomes.count("ok")
    if good == len(requests):
        return "all answered"
    if good:
        return f"{share(good, len(requests))} answered"
    return "all refused" if outcomes.count("failed") == len(requests) else "no answer"


def who_is_served(world: World, requests: "Requests", at: int) -> str:
    """Second sentence."""
    recent = requests.recent(at)
    if world.workers:
        return pods_and_visits(world, [r for r in recent if r.detail["kind"] == "service"])
    parts, waiting = [], requests.waiting(at)
    for verb, name in (("put", "writes"), ("get", "reads"), ("get serializable", "serializable reads")):
        ended = [r for r in recent if r.detail["verb"] == verb]
        if ended or any(r.detail["verb"] == verb for r in waiting):
            parts.append(f"{name}: {fate(ended) if ended else 'no answer'}")
    return ". ".join(part[0].upper() + part[1:] for part in parts)


def pods_and_visits(world: World, visits: list[Record]) -> str:
    """``3 pods run; web answers every visitor``."""
    running = sum(
        pod["state"] == "running" and pod["ready"]
        for host, pods in world.pods.items()
        if host not in world.dark
        for pod in pods.values()
    )
    pods = f"{running or 'no'} pod{'s' if running != 1 else ''} run{'s' if running == 1 else ''}"
    if not visits:
        return pods[0].upper() + pods[1:]
    good = sum(r.detail["outcome"] == "ok" for r in visits)
    some = f"{share(good, len(visits))} of its visitors"
    whom = "every visitor" if good == len(visits) else some if good else "no visitor"
    return f"{pods}; {visits[0].detail['path']} answers {whom}".replace("no pods", "No pods", 1)


# -- the story -------------------------------------------------------------------------------------------------------
class Requests:
    """The requests of a trace, by when they ended and when they began."""

    def __init__(self, trace: Trace):
        self.ended = trace.of("request")
        self.ends = [r.at for r in self.ended]
        self.longest = max((r.at - r.detail["started"] for r in self.ended), default=0)

    def recent(self, at: int) -> list[Record]:
        """Those that ended in the last `WINDOW`."""
        return self.ended[bisect_right(self.ends, at - WINDOW) : bisect_right(self.ends, at)]

    def waiting(self, at: int) -> list[Record]:
        """Those begun at least half a second ago and without an answer."""
        first, last = bisect_right(self.ends, at), bisect_right(self.ends, at + self.longest)
        return [r for r in self.ended[first:last] if r.detail["started"] <= at - GRID]


def story(trace: Trace) -> list[tuple[int, str, str, str]]:
    """Every instant at which what is true changes: (at, level, first sentence, second sentence)."""
    world, requests = World(trace.header["topology"]), Requests(trace)
    told: list[tuple[int, str, str, str]] = []

    def look(at: int) -> None:
        level, first = who_writes(world)
        line = (
            at,
            level,
            first[0].upper() + first[1:],
            who_is_served(world, requests, at),
        )
        if told and told[-1][0] == at:  # several things at one instant: the last word counts
            told.pop()
        if not told or told[-1][1:] != line[1:]:
            told.append(line)

    grid = 0
    for record in trace:
        while grid < record.at:
            look(grid)
            grid += GRID
        if record.what in MATTERS:
            world.fold(record)
            look(record.at)
    for at in range(grid, trace.header["until"] + 1, GRID):
        look(at)
    return told

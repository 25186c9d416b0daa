"""quorum.restore: a majority is brought back without losing data.

Tried on 20 incidents that differ in who survives, whose disk is gone, and whether the survivor had missed the last
writes.
"""

from dataclasses import dataclass
from random import Random
from statistics import median
from typing import Any

from kubemini.cluster import build
from kubemini.faults import FaultError, parse_all
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.scenarios import Scenario
from kubemini.sim import Trace
from kubemini.sim.units import SECOND, duration
from kubemini.simulate import run

SEEDS = range(1, 21)
ORDERS = 20
PAGER, VERDICT = 30, 60  # seconds: when the learner may act, when the checker looks
ALLOWED = ("restart", "crash", "pause", "resume", "power_on", "power_off", "heal", "cut")
INCIDENT = Scenario("restore", "Two of three members are down", build("etcd", members=3), until=70 * SECOND)


@dataclass(frozen=True, slots=True)
class Incident:
    """Who is left, whose disk is intact, whose may be gone, and whether the survivor was cut off before."""

    seed: int
    survivor: str
    intact: str
    other: str
    disk_lost: bool
    behind: bool

    @classmethod
    def of(cls, seed: int) -> "Incident":
        """The incident of a seed."""
        dice = Random(f"restore/{seed}")
        survivor, intact, other = dice.sample(INCIDENT.topology.members, 3)
        return cls(seed, survivor, intact, other, disk_lost=seed % 4 != 0, behind=seed % 2 == 1)

    def members(self) -> list[dict[str, Any]]:
        """What the learner is told."""
        return [
            {
                "name": name,
                "running": name == self.survivor,
                "disk": "lost" if name == self.other and self.disk_lost else "intact",
            }
            for name in INCIDENT.topology.members
        ]

    def story(self) -> list[tuple]:
        """What happens before the pager rings: twenty orders are written, then two members die."""
        host = INCIDENT.topology.host_of
        puts = [(2 + 0.4 * i + (6 if i > 9 else 0), "put", f"order-{i + 1:02}", "paid") for i in range(ORDERS)]
        cut = [(8, "cut", host(self.survivor), f"{host(self.intact)},{host(self.other)}"), (20.5, "heal")]
        death = (20, "lose_disk", host(self.other)) if self.disk_lost else (20, "crash", self.other)
        return [
            *((*put, self.intact) for put in puts),
            *(cut if self.behind else ()),
            (20, "crash", self.intact),
            death,
        ]

    def questions(self) -> list[tuple]:
        """What the checker asks: local reads of the survivor all along, then a write, then every order."""
        control = [(PAGER + 5 * i, "get", "order-01", self.survivor, "serializable") for i in range(6)]
        reads = [(VERDICT + 2, "get", f"order-{i + 1:02}") for i in range(ORDERS)]
        return [*control, (VERDICT, "put", "probe", "1"), *reads]


@exercise("quorum.restore")
def check_restore(answer: Any) -> Report:
    """*answer*: a function from the state of the three members to a list of commands."""
    waits = [_restored(Incident.of(seed), answer) for seed in SEEDS]
    return Report(
        "pass",
        (
            f"{len(waits)} of {len(waits)} incidents: a majority again, {ORDERS} of {ORDERS} orders, no revision lost",
            f"from your command to a leader: {min(waits):.2f} to {max(waits):.2f} s, median {median(waits):.2f} s",
            "all along, the survivor answered serializable reads",
        ),
        "Quorum lost was not data lost: the disk that every write had reached came back, and with it everything.",
        "The third member is still down, so none may fail now. On a real cluster: member remove, then member add.",
    )


def _restored(incident: Incident, answer: Any) -> float:
    """Seconds from the learner's first command to a leader. Raises NotYet with what went wrong."""
    try:
        commands = _commands(ask(answer, incident.members()))
        trace = run(INCIDENT, incident.seed, [*incident.story(), *commands, *incident.questions()])
    except FaultError as error:
        raise NotYet(f"Your commands cannot be carried out: {error}.") from None
    requests = trace.of("request")
    control = [r for r in requests if r.detail["verb"] == "get serializable"]
    if not all(r.detail["outcome"] == "ok" for r in control):
        raise NotYet(
            f"{incident.survivor} was healthy, and under your commands it stopped answering reads: leave it alone.",
            _named(incident, commands),
        )
    probe = next(r for r in requests if r.detail["path"] == "probe")
    if probe.detail["outcome"] != "ok":
        refused = [f"{r.actor} would not start: {r.detail['why']}" for r in trace.of("exit")]
        raise NotYet(
            "After your commands there is still no majority: two must be up (M4: the last of three may not decide).",
            _named(incident, commands),
            *refused[:1],
            f"a write at {VERDICT} s: {probe.detail['why']}",
        )
    return _data_intact(incident, commands, trace)


def _commands(found: Any) -> list[tuple]:
    if not isinstance(found, list | tuple) or not all(isinstance(c, list | tuple) and len(c) > 1 for c in found):
        raise NotYet(f'Return a list of commands such as [({PAGER}, "restart", "etcd-1")]; yours is {found!r}.')
    if len(found) > 6:
        raise NotYet(f"{len(found)} commands are more than an emergency needs: six are enough.")
    for at, action, *_ in found:
        if action not in ALLOWED:
            raise NotYet(f"{action!r} is not for you here: repair the cluster with {', '.join(ALLOWED)}.")
        if _seconds(at) < PAGER:
            raise NotYet(f"The pager rings at {PAGER} s: nobody can {action} anything at {at}.")
        if _seconds(at) > VERDICT - 10:
            raise NotYet(f"At {at} it is late: a majority must be there before {VERDICT - 10} s.")
    parse_all(found, by="you")
    return [tuple(command) for command in found]


def _seconds(at: Any) -> float:
    try:
        return duration(at) / SECOND
    except ValueError as error:
        raise NotYet(f"A command begins with an instant: {error}.") from None


def _data_intact(incident: Incident, commands: list[tuple], trace: Trace) -> float:
    there = [r for r in trace.of("request") if r.detail["verb"] == "get" and r.detail.get("answer") == "paid"]
    revision = trace.of("apply", incident.survivor)[-1].detail["revision"]
    if len(there) < ORDERS or revision != ORDERS + 2:
        raise _lost(
            incident,
            commands,
            f"{len(there)} of {ORDERS} orders are left; the next write got revision {revision} instead of {ORDERS + 2}",
        )
    first = min(_seconds(at) for at, *_ in commands)
    leads = [r.at / SECOND for r in trace.of("role") if r.detail["role"] == "leader" and r.at >= first * SECOND]
    return min(leads, default=first) - first


def _lost(incident: Incident, commands: list[tuple], fact: str) -> NotYet:
    return NotYet(
        "Acknowledged orders are gone for good: an empty disk voted, as nobody could be asked whose it was (M6).",
        _named(incident, commands),
        f"{incident.survivor} {'had missed the last ten orders' if incident.behind else 'had every order'}",
        fact,
        next="Every order was on two disks at least. Start over: which two disks are left?",
        status="fail",
    )


def _named(incident: Incident, commands: list[tuple]) -> str:
    disk = f"{incident.other} on an {'empty' if incident.disk_lost else 'intact'} disk"
    mine = ", ".join(" ".join(str(word) for word in command) for command in commands) or "no command"
    return f"incident {incident.seed}: {incident.intact} down on an intact disk, {disk}; you: {mine}"

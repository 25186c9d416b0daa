"""A schedule of faults: a list of (instant, fault), read from plain lists, checked as a whole, then scheduled."""

from collections.abc import Iterable, Sequence
from dataclasses import MISSING, astuple, dataclass, fields
from typing import TYPE_CHECKING, Any

from kubemini.faults import faults, upkeep
from kubemini.faults.faults import Fault, FaultError
from kubemini.sim.units import duration

if TYPE_CHECKING:
    from kubemini.cluster import Cluster

ACTIONS: dict[str, type[Fault]] = {**faults.ACTIONS, **upkeep.ACTIONS}


@dataclass(frozen=True, slots=True)
class Planned:
    """At the instant *at* (µs), *fault* happens, done by *by* (you or scenario)."""

    at: int
    fault: Fault
    by: str = "scenario"


def parse(entry: Sequence[Any], by: str = "scenario") -> Planned:
    """A planned fault from ``[at, action, *arguments]``; *at* is seconds or a duration such as "1500ms".

    Raises FaultError that says how an entry is written, which actions there are, or what the action takes.
    """
    if isinstance(entry, str | bytes) or not isinstance(entry, Sequence) or len(entry) < 2:
        raise FaultError(f"{entry!r} is not a command: write [time, action, target], such as [12s, crash, etcd-1]")
    at, action, *arguments = entry
    kind = ACTIONS.get(str(action))
    if kind is None:
        raise FaultError(f"there is no action {action!r}; there are: {', '.join(ACTIONS)}")
    wanted = fields(kind)
    needed = [f.name for f in wanted if f.default is MISSING]
    if not len(needed) <= len(arguments) <= len(wanted):
        names = " ".join(f.name if f.name in needed else f"[{f.name}]" for f in wanted)
        raise FaultError(f"{action} takes {names or 'nothing'}, got {len(arguments)} argument(s)")
    try:
        return Planned(duration(at), kind(*arguments), by)
    except ValueError as error:
        raise FaultError(f"{action}: {error}") from None


def parse_all(entries: Iterable[Sequence[Any]], by: str = "scenario") -> list[Planned]:
    """`parse` for each entry; an error names the number of the entry."""
    plan = []
    for number, entry in enumerate(entries, start=1):
        try:
            plan.append(parse(entry, by))
        except FaultError as error:
            raise FaultError(f"{'command' if by == 'you' else 'fault'} {number}: {error}") from None
    return plan


def schedule(cluster: "Cluster", plan: Iterable[Planned]) -> None:
    """Check every fault against *cluster*, then let each happen at its instant, before all else that happens then."""
    plan = list(plan)
    for planned in plan:
        planned.fault.check(cluster)
    for planned in sorted(plan, key=lambda p: p.at):
        cluster.sim.command(planned.at, _act, cluster, planned)


def _act(cluster: "Cluster", planned: Planned) -> None:
    arguments = [a for a in astuple(planned.fault) if a != ""]
    cluster.sim.record(planned.by, "command", action=planned.fault.action, args=arguments)
    planned.fault.act(cluster)

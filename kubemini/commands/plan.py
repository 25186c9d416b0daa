"""A schedule of commands: (instant, command) pairs, read from lists or lines, checked as a whole, then scheduled."""

import csv
import difflib
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any

from kubemini.cluster import Cluster
from kubemini.commands.arguments import read_duration
from kubemini.commands.command import ACTIONS, Command, FaultError
from kubemini.ranges import shown


@dataclass(frozen=True, slots=True)
class Planned:
    """At the instant *at* (µs), *command* happens, done by *by* (you or scenario) with *args* as they were written."""

    at: int
    command: Command
    by: str = "scenario"
    args: tuple[Any, ...] = ()


def parse(entry: Sequence[Any], by: str = "scenario") -> Planned:
    """A planned command from ``[at, action, *arguments]``; *at* is seconds or a duration such as "1500ms".

    Raises FaultError that says how an entry is written, which actions there are, or what the action takes.
    """
    at, action, *arguments = _entry(entry, "this")
    kind = _kind(action)
    wanted = fields(kind)  # type: ignore[arg-type]  # a dataclass by `command`
    needed = [f.name for f in wanted if f.default is MISSING]
    if not len(needed) <= len(arguments) <= len(wanted):
        names = " ".join(f.name if f.name in needed else f"[{f.name}]" for f in wanted)
        raise FaultError(f"{action} takes {names or 'nothing'}, got {len(arguments)} argument(s)")
    try:
        instant = read_duration(at)
    except FaultError as error:
        raise FaultError(f"{action}: {error}") from None
    written = (*arguments, *(f.default for f in wanted[len(arguments) :]))
    return Planned(instant, kind(*arguments), by, tuple(word for word in written if word != ""))


def _kind(action: Any) -> type[Command]:
    kind = ACTIONS.get(action) if isinstance(action, str) else None
    if kind is None:
        near = difflib.get_close_matches(str(action), ACTIONS, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise FaultError(f"there is no action {shown(action)}; there are: {', '.join(ACTIONS)}{hint}")
    return kind


def entries(source: Any, by: str = "scenario") -> list[list[Any]]:
    """*source* as a list of entries, as they were written. Raises FaultError if it is no list of lists."""
    if isinstance(source, str | bytes | dict) or not isinstance(source, Iterable):
        raise FaultError(f"expected a list of commands such as [12s, crash, etcd-1], got {shown(source)}")
    return [list(_entry(entry, _called(by, number))) for number, entry in enumerate(source, start=1)]


def _entry(entry: Any, called: str) -> Sequence[Any]:
    if isinstance(entry, str | bytes) or not isinstance(entry, Sequence) or len(entry) < 2:
        how = "write [time, action, target], such as [12s, crash, etcd-1]"
        raise FaultError(f"{called}: {shown(entry)} is not a command: {how}")
    return entry


def _called(by: str, number: int) -> str:
    return f"{'command' if by == 'you' else 'fault'} {number}"


def parse_all(source: Any, by: str = "scenario") -> list[Planned]:
    """`parse` for each entry of *source*; an error names the number of the entry."""
    plan = []
    for number, entry in enumerate(entries(source, by), start=1):
        try:
            plan.append(parse(entry, by))
        except FaultError as error:
            raise FaultError(f"{_called(by, number)}: {error}") from None
    return plan


def read_line(text: str) -> list[str]:
    """``12s,crash,etcd-1`` → a command. An argument in quotes may hold commas; manifests take the rest as it is."""
    at, action, *rest = [*text.split(",", 2), ""][:3]
    kind = ACTIONS.get(action.strip())
    names = kind.arguments() if kind else []
    if len(names) == 1 and names[0][1].rest:
        return [at.strip(), action.strip(), *rest]
    try:
        return [word.strip() for word in next(csv.reader([text], skipinitialspace=True, strict=True), [])]
    except csv.Error as error:
        raise FaultError(f"{shown(text)} is not a command: {error}; write TIME,ACTION,TARGET") from None


def schedule(cluster: Cluster, plan: Iterable[Planned]) -> None:
    """Check every command against *cluster*, then let each happen at its instant, before all else that happens then."""
    plan = list(plan)
    for planned in plan:
        planned.command.check(cluster)
    for planned in sorted(plan, key=lambda p: p.at):
        cluster.sim.command(planned.at, _do, cluster, planned)


def _do(cluster: Cluster, planned: Planned) -> None:
    cluster.sim.record(planned.by, "command", action=planned.command.action, args=list(planned.args))
    planned.command.do(cluster)

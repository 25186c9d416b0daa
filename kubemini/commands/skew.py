"""Faults of clocks: a date that is wrong, a clock that runs too fast or too slow."""

from fractions import Fraction
from typing import Any

from kubemini.cluster import Cluster
from kubemini.commands.arguments import one_of, read_duration, read_word
from kubemini.commands.command import Argument, Command, FaultError, argument, command
from kubemini.ranges import shown

SLOWEST, FASTEST = 0.01, 100


def _check_keeper(cluster: Cluster, name: str) -> None:
    one_of(name, [*cluster.hosts, *cluster.components], "a host or a component")


def _read_offset(value: Any) -> int:
    if isinstance(value, str) and value.strip().startswith("-"):
        return -read_duration(value.strip()[1:])
    if isinstance(value, int | float) and value < 0:
        return -read_duration(-value)
    return read_duration(value)


def _read_rate(value: Any) -> Fraction:
    try:
        rate = 0.0 if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        rate = 0.0
    if not SLOWEST <= rate <= FASTEST:
        raise FaultError(f"expected a rate from 0.01 to 100, got {shown(value)}: 1 is right, 0.5 half as fast")
    return Fraction(str(rate)).limit_denominator(1_000_000)


KEEPER = Argument(read_word, _check_keeper)
OFFSET = Argument(_read_offset)
RATE = Argument(_read_rate)


@command("skew_clock")
class SkewClock(Command):
    """The clock of a host, or of one program, is *offset* (µs) ahead (-: behind) and runs at *rate*; 0: right again."""

    whose: str = argument(KEEPER)
    offset: int = argument(OFFSET)
    rate: Fraction = argument(RATE, default=1)

    def do(self, cluster: Cluster) -> None:
        (cluster.hosts.get(self.whose) or cluster.components[self.whose]).skew_clock(self.offset, self.rate)

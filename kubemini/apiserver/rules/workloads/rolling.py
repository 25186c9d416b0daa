"""Numbers or percentages: how many pods may be missing, or too many, while a workload rolls.

Models k/k pkg/apis/apps/validation ValidatePositiveIntOrPercent, IsNotMoreThan100Percent.
"""

from kubemini.api import names
from kubemini.apiserver.rules.causes import NEGATIVE, Wrong, each, invalid

Amount = int | str


def amount(value: Amount, path: str) -> Wrong:
    """A number that is not negative, or a percentage."""
    if isinstance(value, str):
        yield from each(names.percent(value), path, value)
    elif value < 0:
        yield invalid(path, value, NEGATIVE)


def no_more_than_all(value: Amount, path: str) -> Wrong:
    """A percentage is 100 % at most."""
    if isinstance(value, str) and figure(value) > 100:
        yield invalid(path, value, "must not be greater than 100%")


def figure(value: Amount) -> int:
    """The number, of a percentage that before the sign; 0 if it cannot be read."""
    if isinstance(value, str):
        return 0 if names.percent(value) else int(value[:-1])
    return value

"""Amounts by name, as in `requests`, `limits` and `hard`: adding, comparing, showing them.

Models k/apiserver pkg/quota/v1 Add SubtractWithNonNegativeResult Mask LessThanOrEqual RemoveZeros.
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction

from kubemini.api.quantity import Quantity, parse

Amounts = dict[str, Quantity]
ZERO, ONE = Quantity(Fraction(0)), Quantity(Fraction(1))


def read(said: Mapping[str, str] | None) -> Amounts:
    """The amounts that an object says, by name. Raises QuantityError."""
    return {name: parse(str(amount)) for name, amount in (said or {}).items()}


def written(amounts: Amounts) -> dict[str, str]:
    """As an object holds them."""
    return {name: str(amount) for name, amount in amounts.items()}


def add(one: Amounts, other: Amounts) -> Amounts:
    """The sum, name by name."""
    return one | {name: one[name] + amount if name in one else amount for name, amount in other.items()}


def largest(one: Amounts, other: Amounts) -> Amounts:
    """The larger of each."""
    higher = {name: amount for name, amount in other.items() if name not in one or amount.amount > one[name].amount}
    return one | higher


def more_than(one: Amounts, other: Amounts) -> Amounts:
    """By how much *one* is more than *other*, never below nothing."""
    rest = {name: amount - other[name] if name in other else amount for name, amount in one.items()}
    return {name: amount if amount.amount > 0 else ZERO for name, amount in rest.items()}


def only(amounts: Amounts, names: Iterable[str]) -> Amounts:
    """Those of *names*."""
    wanted = set(names)
    return {name: amount for name, amount in amounts.items() if name in wanted}


def without_zeros(amounts: Amounts) -> Amounts:
    """Those that are something."""
    return {name: amount for name, amount in amounts.items() if amount.amount}


def exceeded(amounts: Amounts, limits: Amounts) -> list[str]:
    """The names of those that are more than *limits* allow."""
    return [name for name, most in limits.items() if name in amounts and amounts[name].amount > most.amount]


def shown(amounts: Amounts) -> str:
    """As a refusal names them: ``pods=1,requests.cpu=600m``."""
    return ",".join(f"{name}={amounts[name]}" for name in sorted(amounts))

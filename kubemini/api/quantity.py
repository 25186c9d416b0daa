"""Amounts of cpu and memory as Kubernetes writes them: ``250m``, ``64Mi``, ``1.5``, ``2e3``.

A quantity is exact: a fraction and the form it was written in. The smallest step is one nano; finer amounts are
rounded away from zero. Two forms matter to deciders: ``millis`` (cpu) and ``whole`` (memory, counts), both rounded up.
Source: kubernetes/apimachinery pkg/api/resource/quantity.go; maxSurge and maxUnavailable: pkg/util/intstr.
"""

import re
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
NANO = Fraction(1, 10**9)
_FORM = re.compile(
    r"(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))(?:[eE](?P<exponent>[+-]?[0-9]+)|(?P<suffix>[KMGTPE]i|[numkMGTPE]?))"
)
PROBLEM = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
NO_SUFFIX = "unable to parse quantity's suffix"
LONGEST, FURTHEST = 500, 500  # characters of a text, and powers of ten; more is a slip, or an attack on whoever adds up
TOO_LONG = f"a quantity has at most {LONGEST} characters"


class QuantityError(ValueError):
    """A text that is no quantity."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount. ``form`` is BinarySI, DecimalSI or DecimalExponent, and decides how it is written."""

    amount: Fraction
    form: str = "DecimalSI"

    @property
    def whole(self) -> int:
        """In units (bytes, pieces), rounded up."""
        return _away_from_zero(self.amount)

    @property
    def millis(self) -> int:
        """In thousandths (millicores), rounded up."""
        return _away_from_zero(self.amount * 1000)

    def rounded_up(self, power: int) -> "Quantity":
        """Whole numbers of 10^*power*, away from zero. Models k/apimachinery pkg/api/resource Quantity.RoundUp"""
        unit = Fraction(10) ** power
        return Quantity(_away_from_zero(self.amount / unit) * unit, self.form)

    def __add__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.amount + other.amount, self.form if self.amount else other.form)

    def __sub__(self, other: "Quantity") -> "Quantity":
        return Quantity(self.amount - other.amount, self.form if self.amount else other.form)

    def __str__(self) -> str:
        """The canonical text: no fraction, the largest suffix that needs none."""
        if not self.amount:
            return "0"
        if self.form == "BinarySI" and abs(self.amount) >= 1024 and self.amount.denominator == 1:
            suffix = max((s for s, power in BINARY.items() if self.amount % 1024**power == 0), key=_power, default="")
            return f"{int(self.amount / 1024 ** BINARY.get(suffix, 0))}{suffix}"
        power = max(p for p in DECIMAL.values() if p == -9 or (self.amount / Fraction(10) ** p).denominator == 1)
        number = _away_from_zero(self.amount / Fraction(10) ** power)
        if self.form == "DecimalExponent":
            return f"{number}e{power}" if power else str(number)
        return f"{number}{next(suffix for suffix, p in DECIMAL.items() if p == power)}"


@lru_cache(maxsize=4096)
def parse(text: str) -> Quantity:
    """The quantity that *text* states. Raises QuantityError."""
    if len(text) > LONGEST:
        raise QuantityError(TOO_LONG)
    match = _FORM.fullmatch(text)
    if not match:
        raise QuantityError(PROBLEM)
    suffix, exponent = match["suffix"] or "", match["exponent"]
    if exponent is not None and abs(int(exponent)) > FURTHEST:
        raise QuantityError(NO_SUFFIX)
    if exponent is not None:
        form, factor = "DecimalExponent", Fraction(10) ** int(exponent)
    elif suffix in BINARY:
        form, factor = "BinarySI", Fraction(1024 ** BINARY[suffix])
    else:
        form, factor = "DecimalSI", Fraction(10) ** DECIMAL[suffix]
    amount = Fraction(match["number"].rstrip(".")) * factor
    return Quantity(_away_from_zero(amount / NANO) * NANO, form)


@lru_cache(maxsize=4096)
def as_stored(text: str) -> str:
    """How the API server writes the quantity *text*: canonically, but where the text is nearly so it stays.

    ``1024Ki`` becomes ``1Mi``; ``0010`` and ``3Ki`` stay. Raises QuantityError.
    Models k/apimachinery pkg/api/resource ParseQuantity (the string that it reuses)
    """
    found, match = parse(text), _FORM.fullmatch(text)
    assert match is not None, "parse has read it"
    whole, _, part = match["number"].lstrip("+-").partition(".")
    whole, suffix = whole.lstrip("0") or "0", match["suffix"] or ""
    if len(whole) + len(part) > 15:
        return str(found)
    if suffix in BINARY:
        kept = not part and int(whole) & 7 != 0
    else:
        scale = (int(match["exponent"]) if match["exponent"] else DECIMAL[suffix]) - len(part)
        kept = scale % 3 == 0 and scale >= -3 and not (whole + part).endswith("000") and whole[0] != "0"
    return text if kept else str(found)


def text(value: str | int | float) -> str:
    """A quantity as a manifest may give it, as a text: ``0.5`` and ``"0.5"`` say the same."""
    if isinstance(value, int) and abs(value) >= 10**LONGEST:
        return "9" * (LONGEST + 1)  # Python writes no number of 5,000 digits; it is refused all the same
    return str(value)


def millicores(text: str | int | None) -> int:
    """An amount of cpu in thousandths of a core; nothing is 0."""
    return 0 if text is None else parse(str(text)).millis


def in_bytes(text: str | int | None) -> int:
    """An amount of memory in bytes; nothing is 0."""
    return 0 if text is None else parse(str(text)).whole


def scaled(value: int | str, total: int, round_up: bool) -> int:
    """``maxSurge`` and ``maxUnavailable``: a number, or a percentage of *total* (surge rounds up, unavailable down)."""
    number, is_percent = figure(value)
    if not is_percent:
        return number
    return -(-number * total // 100) if round_up else number * total // 100


def figure(value: int | str) -> tuple[int, bool]:
    """The number of a number or a percentage, and whether it is a percentage. Raises QuantityError.

    Models k/apimachinery pkg/util/intstr getIntOrPercentValueSafely
    """
    if isinstance(value, int):
        return value, False
    if not re.fullmatch("[0-9]{1,9}%", value):
        raise QuantityError(f"invalid value {value!r}: give a number, or a percentage such as 25%")
    return int(value[:-1]), True


def int_or_string(text: str) -> int | str:
    """What a flag or a manifest means by *text*: a 32-bit number where it is one, else the text."""
    if re.fullmatch("[+-]?[0-9]+", text) and -(2**31) <= int(text) < 2**31:
        return int(text)
    return text


def _power(suffix: str) -> int:
    return BINARY[suffix]


def _away_from_zero(amount: Fraction) -> int:
    size = -(-abs(amount).numerator // amount.denominator)
    return size if amount >= 0 else -size

"""When a CronJob runs: five fields, or a word, and a time zone.

    problem("60 * * * *")   end of range (60) above maximum (59): 60

The names of time zones are those of the IANA database (``timezones.txt``), so that every machine knows the same.
Models k/k pkg/apis/batch/validation validateScheduleFormat, validateTimeZone.
The words are those of ParseStandard in robfig/cron v3.
Simplified: the texts of a number that is no number are Go's for decimal digits only.
"""

import re
from functools import lru_cache
from pathlib import Path

from kubemini.apiserver.rules.causes import Wrong, invalid

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
FIELDS: tuple[tuple[int, int, dict[str, int]], ...] = (  # minute, hour, day, month, day of the week
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, {name: number + 1 for number, name in enumerate(MONTHS)}),
    (0, 6, {name: number for number, name in enumerate(DAYS)}),
)
WORDS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
EVERY = "@every "
ZONED = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
BOTH = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
NOT_LOCAL = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
_ZONE_PART = r"[A-Za-z.\-_0-9+]{1,14}"
_DURATION = r"[-+]?((\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h))+|[-+]?0"


def schedule(text: str, zone: str | None, path: str, had_zone: bool = False) -> Wrong:
    """Complaints about *text*; *had_zone*: the schedule in whose place it comes named a time zone, and so may this."""
    if wrong := problem(text):
        yield invalid(path, text, wrong)
    if "TZ" in text and not had_zone:
        yield invalid(path, text, ZONED)
    elif "TZ" in text and zone is not None:
        yield invalid(path, text, BOTH)


def problem(text: str) -> str:
    """Why *text* is no schedule; "" if it is one."""
    if text.startswith(("TZ=", "CRON_TZ=")):
        place, _, rest = text.partition("=")[2].partition(" ")
        if place not in ("", "Local") and place not in zones():
            return f"provided bad location {place}: unknown time zone {place}"
        text = rest.strip()
    if text.startswith("@"):
        return _word(text)
    given = text.split()
    if len(given) != len(FIELDS):
        return f"expected exactly 5 fields, found {len(given)}: [{' '.join(given)}]"
    for field, bounds in zip(given, FIELDS):
        for part in filter(None, field.split(",")):
            if wrong := _range(part, *bounds):
                return wrong
    return ""


def _word(text: str) -> str:
    if text in WORDS:
        return ""
    if not text.startswith(EVERY):
        return f"unrecognized descriptor: {text}"
    duration = text[len(EVERY) :]
    if re.fullmatch(_DURATION, duration, re.ASCII):
        return ""
    return f'failed to parse duration {text}: time: invalid duration "{duration}"'


def _range(part: str, least: int, most: int, words: dict[str, int]) -> str:
    """What is wrong with ``1-5/2``."""
    span, *steps = part.split("/")
    ends = span.split("-")
    start, end = least, most
    if ends[0] not in ("*", "?"):
        if len(ends) > 2:
            return _number(ends[0], words)[1] or f"too many hyphens: {part}"
        for text in ends:
            if wrong := _number(text, words)[1]:
                return wrong
        start = _number(ends[0], words)[0]
        end = _number(ends[-1], words)[0] if len(ends) == 2 or not steps else most
    if len(steps) > 1:
        return f"too many slashes: {part}"
    step, wrong = _number(steps[0], {}) if steps else (1, "")
    return wrong or _bounds(part, (start, end), (least, most), step)


def _bounds(part: str, span: tuple[int, int], limits: tuple[int, int], step: int) -> str:
    if span[0] < limits[0]:
        return f"beginning of range ({span[0]}) below minimum ({limits[0]}): {part}"
    if span[1] > limits[1]:
        return f"end of range ({span[1]}) above maximum ({limits[1]}): {part}"
    if span[0] > span[1]:
        return f"beginning of range ({span[0]}) beyond end of range ({span[1]}): {part}"
    return "" if step else f"step of range should be a positive number: {part}"


def _number(text: str, words: dict[str, int]) -> tuple[int, str]:
    """(the number, what is wrong with it)."""
    if text.lower() in words:
        return words[text.lower()], ""
    if not re.fullmatch("[-+]?[0-9]+", text, re.ASCII):
        return 0, f'failed to parse int from {text}: strconv.Atoi: parsing "{text}": invalid syntax'
    if int(text) < 0:
        return 0, f"negative number ({int(text)}) not allowed: {text}"
    return int(text), ""


def time_zone(name: str | None, path: str) -> Wrong:
    """Complaints about a time zone."""
    if name is None:
        return
    if not name:
        yield invalid(path, name, "timeZone must be nil or non-empty string")
        return
    for part in name.split("/"):
        if part in (".", "..") or part.startswith("-") or not re.fullmatch(_ZONE_PART, part):
            yield invalid(path, name, f"unknown time zone {name}")
            return
    if name.lower() == "local":
        yield invalid(path, name, NOT_LOCAL)
    if name not in zones() and name != "Local":
        yield invalid(path, name, f"unknown time zone {name}")


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Every name of the IANA database."""
    text = (Path(__file__).parent / "timezones.txt").read_text(encoding="utf-8")
    return frozenset(line for line in text.splitlines() if not line.startswith("#"))

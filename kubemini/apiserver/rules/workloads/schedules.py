"""What a CronJob's schedule and its time zone may be.

    problem("60 * * * *")   end of range (60) above maximum (59): 60

Models k/k pkg/apis/batch/validation validateScheduleFormat, validateTimeZone.
"""

import re

from kubemini.api.cron.schedule import parse
from kubemini.api.cron.timezones import known
from kubemini.apiserver.rules.causes import Wrong, invalid

ZONED = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
BOTH = "cannot use both timeZone field and TZ or CRON_TZ in schedule"
NOT_LOCAL = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
_ZONE_PART = r"[A-Za-z.\-_0-9+]{1,14}"


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
    try:
        parse(text)
    except ValueError as error:
        return str(error)
    return ""


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
    if not known(name) and name != "Local":
        yield invalid(path, name, f"unknown time zone {name}")

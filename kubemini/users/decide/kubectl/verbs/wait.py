"""``kubectl wait``.

Models k/kubectl pkg/cmd/wait WaitOptions.RunWaitContext ConditionalWait.checkCondition JSONPathWait.checkCondition.
"""

import re
from collections.abc import Callable
from typing import Any

from kubemini.sim.units import MS, SECOND
from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import Ask, Failed, Pause, Refused, Steps, fail, fetched, together
from kubemini.users.decide.kubectl.flags import ARRAY, BOOL, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing import outputs
from kubemini.users.decide.kubectl.printing.gotext import printed
from kubemini.users.decide.kubectl.printing.jsonpath import Path
from kubemini.users.decide.kubectl.printing.pathwords import PathError
from kubemini.users.decide.kubectl.printing.sorting import relaxed
from kubemini.users.decide.kubectl.targets import Info, Targets
from kubemini.users.decide.kubectl.waiting import GONE, WEEK, gone, until

FLAGS = (
    *outputs.OUTPUT,
    *targets.FILES,
    *targets.SELECTOR,
    *targets.FIELDS,
    *targets.EVERYWHERE,
    Flag("all", kind=BOOL),
    Flag("for", kind=ARRAY),
    Flag("timeout", kind=TIME, default=30 * SECOND),
)
AGAIN = 500 * MS
TIMED_OUT = "timed out waiting for the condition"
Check = Callable[[Any], bool]


def run(line: Line, given: Given) -> Steps:
    """Wait for what ``--for`` says."""
    checks = [_check(text) for text in given["for"]]
    if not checks:
        raise fail("unrecognized condition: []")
    show = (yield from outputs.of(given)) if given["output"] else None
    timeout = WEEK if given["timeout"] < 0 else given["timeout"]
    end = line.now + timeout
    words = [text.lower() for text in given["for"]]
    if "create" in words:
        yield from _created(line, given, end)
    found = yield from _meant(line, given)
    infos, errors = yield from targets.tried(line, found)
    if "delete" in words:
        errors = [one for one in errors if not (isinstance(one, Refused) and one.reason == "NotFound")]
    for info in infos:
        try:
            for word, check in zip(words, checks, strict=True):
                obj = yield from _wait(line, info, word, check, timeout, end)
                line.screen.out(show(obj) if show else f"{info.called} condition met\n")
        except Failed as problem:
            errors.append(problem)
    if not infos and not errors and "delete" not in words:
        raise fail("no matching resources found")
    together(errors)


def _meant(line: Line, given: Given) -> Steps:
    paths = files.named(line, must=False)
    if paths:
        return Targets((yield from files.read_all(line, paths)))
    return (yield from targets.meant(line, given.words, everything=given.on("all")))


def _created(line: Line, given: Given, end: int) -> Steps:
    """Until there is what is meant."""
    while True:
        infos, errors = yield from targets.tried(line, (yield from _meant(line, given)))
        missing = [one for one in errors if isinstance(one, Refused) and one.reason == "NotFound"]
        if len(missing) < len(errors):
            together(errors)
        if infos and not errors:
            return
        if line.now >= end:
            raise fail(TIMED_OUT)
        yield Pause(AGAIN)


def _wait(line: Line, info: Info, word: str, check: Check, timeout: int, end: int) -> Steps:
    if word == "create":
        return info.obj
    if word == "delete":
        yield from gone(line, info, info.obj["metadata"].get("uid", ""), end)
        return info.obj
    if not timeout:
        there = yield from fetched(Ask("GET", info.path))
        if not check(there):
            raise fail(f"condition not met for {info.resource.name}/{info.name}")
        return there
    return (yield from until(line, info, lambda type, obj: type != GONE and check(obj), end, info.obj))


def _check(text: str) -> Check:
    """What is true of the object that is waited for. Raises Failed."""
    if text.lower() in ("delete", "create"):
        return lambda obj: True
    kind, _, rest = text.partition("=")
    if kind == "condition" and rest:
        name, equals, value = rest.partition("=")
        return lambda obj: _has_condition(obj, name.lower(), (value if equals else "true").lower())
    if kind == "jsonpath" and rest:
        return _at_path(rest)
    raise fail(f'unrecognized condition: "{text}"')


def _has_condition(obj: Any, name: str, value: str) -> bool:
    status = obj.get("status") or {}
    for one in status.get("conditions") or []:
        if str(one.get("type", "")).lower() == name and "status" in one:
            seen = one.get("observedGeneration", status.get("observedGeneration"))
            generation = obj["metadata"].get("generation")
            if generation is not None and seen is not None and seen < generation:
                return False
            return str(one["status"]).lower() == value
    return False


def _at_path(text: str) -> Check:
    parts = [part.replace("\0", "==") for part in re.sub("==", "\0", text).split("=")]
    if len(parts) > 2:
        form = "--for=jsonpath='{.status.readyReplicas}'"
        raise fail(f"jsonpath wait format must be {form}=3 or {form}")
    wanted = parts[1].strip("'\"") if len(parts) == 2 else ""
    if len(parts) == 2 and not wanted:
        raise fail(
            "jsonpath wait has to have a value after equal sign, like --for=jsonpath='{.status.readyReplicas}'=3"
        )
    try:
        path = Path(relaxed(parts[0]))
    except PathError as wrong:
        raise fail(str(wrong)) from None

    def check(obj: Any) -> bool:
        results = path.results(obj)
        if not results or not results[0]:
            return False
        if len(results) > 1 or len(results[0]) > 1:
            what = "list" if len(results) > 1 else "value"
            raise fail(f"given jsonpath expression matches more than one {what}")
        if not wanted:
            return True
        if isinstance(results[0][0], dict | list):
            raise fail("jsonpath leads to a nested object or list which is not supported")
        return printed(results[0][0]).strip() == wanted.strip()

    return check

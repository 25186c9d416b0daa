"""``kubectl cordon``, ``uncordon`` and ``taint``.

Models k/kubectl pkg/cmd/drain DrainCmdOptions.RunCordonOrUncordon; pkg/cmd/taint TaintOptions.RunTaint.
"""

from dataclasses import replace
from typing import Any

from kubemini.api import names
from kubemini.users.decide.kubectl import targets
from kubemini.users.decide.kubectl.asking import STRATEGIC, Failed, Steps, fail, together
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.flags import BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import usage
from kubemini.users.decide.kubectl.targets import Info

CORDONS = (*targets.SELECTOR, *writing.DRY_RUN)
TAINTS = (*targets.SELECTOR, *writing.WRITES, Flag("all", kind=BOOL), Flag("overwrite", kind=BOOL))
EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")


def cordon(line: Line, given: Given) -> Steps:
    """No new pods there."""
    yield from _cordon(line, given, "cordon", True)


def uncordon(line: Line, given: Given) -> Steps:
    """New pods again."""
    yield from _cordon(line, given, "uncordon", False)


def _cordon(line: Line, given: Given, verb: str, desired: bool) -> Steps:
    infos = yield from meant(line, given, verb)
    dry = writing.strategy(given)
    errors: list[Failed] = []
    for info in infos:
        try:
            yield from mark(line, info, desired, dry)
        except Failed as problem:
            errors.append(fail(f'unable to {verb} node "{info.name}": {_plain(problem)}'))
    together(errors)


def _plain(problem: Failed) -> str:
    return str(getattr(problem, "message", "") or str(problem).removeprefix("error: "))


def meant(line: Line, given: Given, verb: str) -> Steps:
    """The nodes that are meant. Raises Failed."""
    if given.words and given["selector"]:
        raise fail("error: cannot specify both a node name and a --selector option")
    if not (given.words or given["selector"]):
        raise usage(f"USAGE: {verb} NODE [flags]", verb)
    words = given.words if all("/" in word for word in given.words) else ["nodes", *given.words]
    found = yield from targets.meant(line, words if given.words else ["nodes"])
    return (yield from targets.fetched_all(line, found))


def mark(line: Line, info: Info, desired: bool, dry: str) -> Steps:
    """Cordon or uncordon one node, and tell."""
    already = bool((info.obj.get("spec") or {}).get("unschedulable")) == desired
    word = "cordoned" if desired else "uncordoned"
    if not already and dry != writing.CLIENT:
        query = (("dryRun", "All"),) if dry == writing.SERVER else ()
        body = {"spec": {"unschedulable": True if desired else None}}
        yield from line.send("PATCH", info.path, body, query, STRATEGIC)
    line.screen.line(f"{info.called} {'already ' if already else ''}{word}{writing.note(dry)}")


# -- taint -------------------------------------------------------------------------------------------------------------
def taint(line: Line, given: Given) -> Steps:
    """``kubectl taint``."""
    words, specs = _split(given)
    new, gone = _read(specs)
    both = [f"{one['key']}:{one['effect']}" for one in gone if any(_is(made, one) for made in new)]
    if both:
        raise fail(f"can not both modify and remove the following taint(s) in the same command: {', '.join(both)}")
    how = yield from writing.of(line, given, "kubectl-taint", checks=False)
    found = yield from targets.meant(line, words, all_if_none=given.on("all"), everything=given.on("all"))
    infos, errors = yield from targets.tried(line, found)
    for info in infos:
        try:
            yield from _taint(line, given, how, info, new, gone)
        except Failed as problem:
            errors.append(problem)
    together(errors)


def _split(given: Given) -> tuple[list[str], list[str]]:
    """What is meant, and the changes: those come last."""
    words: list[str] = []
    specs: list[str] = []
    for word in given.words:
        is_spec = "=" in word or ":" in word or word.endswith("-")
        if specs and not is_spec:
            raise fail(f"all resources must be specified before taint changes: {word}")
        (specs if is_spec else words).append(word)
    if not words:
        raise fail("one or more resources must be specified as <resource> <name>")
    if not specs:
        raise fail("at least one taint update is required")
    if given.on("all") and given["selector"]:
        raise fail("setting 'all' parameter with a non empty selector is prohibited")
    if len(words) < 2 and "/" not in words[0] and not (given["selector"] or given.on("all")):
        raise fail("at least one resource name must be specified since 'all' parameter is not set")
    kind = words[0].partition("/")[0]
    if kind not in ("node", "nodes", "no"):
        raise fail(f"invalid resource type {kind}, only node types are supported")
    return words, specs


def _read(specs: list[str]) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    new: list[dict[str, str]] = []
    gone: list[dict[str, str]] = []
    for spec in specs:
        if spec.endswith("-"):
            gone.append(_one(spec[:-1], spec))
            continue
        made = _one(spec, spec)
        if not made["effect"]:
            raise usage(f"invalid taint spec: {spec}", "taint")
        if any((one["key"], one["effect"]) == (made["key"], made["effect"]) for one in new):
            raise fail(f"duplicated taints with the same key and effect: {_shown(made)}")
        new.append(made)
    return new, gone


def _one(text: str, spec: str) -> dict[str, str]:
    head, colon, effect = text.partition(":")
    key, equals, value = head.partition("=")
    if ":" in effect or "=" in value:
        raise usage(f"invalid taint spec: {spec}", "taint")
    wrong = names.qualified_name(key) or (names.label_value(value) if equals else [])
    if wrong:
        raise usage(f"invalid taint spec: {spec}, {'; '.join(wrong)}", "taint")
    if colon and effect not in EFFECTS:
        raise usage(f"invalid taint effect: {effect}, unsupported taint effect", "taint")
    return {"key": key, "value": value, "effect": effect}


def _shown(taint: dict[str, str]) -> str:
    value = f"={taint['value']}" if taint.get("value") else ""
    return f"{taint['key']}{value}:{taint['effect']}" if taint["effect"] else taint["key"]


def _taint(
    line: Line, given: Given, how: writing.Writing, info: Info, new: list[dict[str, str]], gone: list[dict[str, str]]
) -> Steps:
    old = list((info.obj.get("spec") or {}).get("taints") or [])
    if not given.on("overwrite"):
        _check(info, old, new)
    kept = [one for one in old if not any(_is(one, spec) for spec in gone)]
    for spec in gone:
        if not any(_is(one, spec) for one in old):
            raise fail(f'taint "{_shown(spec)}" not found')
    fresh = [{key: value for key, value in one.items() if value} for one in new]
    after = [*fresh, *(one for one in kept if not any(_is(one, spec) for spec in new))]
    body = {"spec": {"taints": after or None}}
    obj = info.obj
    if how.dry != writing.CLIENT:
        obj = yield from line.send("PATCH", info.path, body, how.query, STRATEGIC)
    added = bool([spec for spec in new if not any(_is(one, spec) for one in old)])
    deed = "modified" if (added and gone) or given.on("overwrite") else "tainted" if added else "untainted"
    replace(how, dry="none").tell(obj, deed)  # a dry run of taints does not say so


def _is(one: Any, spec: dict[str, str]) -> bool:
    return one["key"] == spec["key"] and spec["effect"] in ("", one["effect"])


def _check(info: Info, old: list[Any], new: list[dict[str, str]]) -> None:
    there = ",".join(spec["key"] for spec in new if any(_is(one, spec) for one in old))
    if there:
        raise fail(f"node {info.name} already has {there} taint(s) with same effect(s) and --overwrite is false")

"""``kubectl events``.

Models k/kubectl pkg/cmd/events EventsOptions.Run EventPrinter.printOneEvent.
"""

from typing import Any

from kubemini.users.decide.kubectl.asking import Ask, Next, Steps, checked, fail
from kubemini.users.decide.kubectl.describing.page import interval, when
from kubemini.users.decide.kubectl.flags import BOOL, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing import outputs
from kubemini.users.decide.kubectl.printing.tabs import aligned
from kubemini.users.decide.kubectl.targets import CHUNKS, EVERYWHERE

FLAGS = (
    *outputs.OUTPUT,
    *EVERYWHERE,
    *CHUNKS,
    Flag("for"),
    Flag("types", kind=LIST),
    Flag("watch", "w", BOOL),
    Flag("no-headers", kind=BOOL),
)


def run(line: Line, given: Given) -> Steps:
    """The events, the newest last."""
    query = yield from _query(line, given)
    show = (yield from outputs.of(given)) if given["output"] else None
    resource = yield from line.known.find("events")
    namespace = "" if given.on("all-namespaces") else line.namespace
    if given.on("watch"):
        yield from _watch(line, given, resource.path(namespace), query, show)
        return
    found = [one for one in (yield from line.list(resource, namespace, *query)) if _wanted(given, one)]
    if not found:
        where = "." if given.on("all-namespaces") else f" in {line.namespace} namespace."
        line.screen.complain(f"No events found{where}")
        return
    found.sort(key=when)
    if show is not None:
        line.screen.out(show({"apiVersion": "v1", "items": found, "kind": "EventList", "metadata": {}}))
        return
    rows = [] if given.on("no-headers") else [_heads(given)]
    rows += [_row(line, given, one) for one in found]
    line.screen.out(aligned("".join("\t".join(row) + "\n" for row in rows)))


def _query(line: Line, given: Given) -> Steps:
    for one in given["types"]:
        if one.lower() not in ("normal", "warning"):
            raise fail("valid --types are Normal or Warning")
    word = given["for"]
    if not word:
        return ()
    kind, slash, name = word.partition("/")
    if not slash:
        raise fail("--for must be in resource/name form")
    if "/" in name:
        raise fail("arguments in resource/name form may not have more than one slash")
    resource = yield from line.known.find(kind)
    fields = {"kind": resource.kind, "apiVersion": resource.api_version, "name": name}
    return (("fieldSelector", ",".join(f"involvedObject.{key}={value}" for key, value in fields.items())),)


def _wanted(given: Given, event: Any) -> bool:
    return not given["types"] or event.get("type", "").lower() in [one.lower() for one in given["types"]]


def _heads(given: Given) -> list[str]:
    first = ["NAMESPACE"] if given.on("all-namespaces") else []
    return [*first, "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]


def _row(line: Line, given: Given, event: Any) -> list[str]:
    about = event.get("involvedObject") or {}
    first = [event["metadata"].get("namespace", "")] if given.on("all-namespaces") else []
    name = f"{about.get('kind', '')}/{about.get('name', '')}"
    message = event.get("message", "").strip()
    return [*first, interval(event, line.now), event.get("type", ""), event.get("reason", ""), name, message]


def _watch(line: Line, given: Given, path: str, query: Any, show: Any) -> Steps:
    answer = checked((yield Ask("GET", path, (*query, ("watch", "true")))))
    widths: list[int] = []
    rows = [] if given.on("no-headers") else [_heads(given)]
    while (change := (yield Next(answer.watch))) is not None:
        event = change["object"]
        if change["type"] in ("DELETED", "ERROR") or not _wanted(given, event):
            continue
        if show is not None:
            line.screen.out(show(event))
            continue
        rows.append(_row(line, given, event))
        line.screen.out(aligned("".join("\t".join(row) + "\n" for row in rows), least=widths))
        rows = []

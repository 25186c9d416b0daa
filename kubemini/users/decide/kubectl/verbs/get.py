"""``kubectl get``.

Models k/kubectl pkg/cmd/get GetOptions.Run GetOptions.printGeneric GetOptions.watch.
"""

from typing import Any

from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import (
    Ask,
    Failed,
    Next,
    Refused,
    Steps,
    checked,
    fail,
    fetched,
    together,
)
from kubemini.users.decide.kubectl.flags import BOOL, LIST, Flag, Given
from kubemini.users.decide.kubectl.line import Line, with_kinds
from kubemini.users.decide.kubectl.printing import outputs
from kubemini.users.decide.kubectl.printing.sorting import Nowhere, sorted_by
from kubemini.users.decide.kubectl.printing.tables import Look, Printer
from kubemini.users.decide.kubectl.printing.tabs import aligned
from kubemini.users.decide.kubectl.targets import Info, Targets

TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)
FLAGS = (
    *outputs.OUTPUT,
    *targets.FILES,
    *targets.SELECTOR,
    *targets.FIELDS,
    *targets.EVERYWHERE,
    *targets.CHUNKS,
    Flag("raw"),
    Flag("watch", "w", BOOL),
    Flag("watch-only", kind=BOOL),
    Flag("output-watch-events", kind=BOOL),
    Flag("ignore-not-found", kind=BOOL),
    Flag("sort-by"),
    Flag("show-labels", kind=BOOL),
    Flag("show-kind", kind=BOOL),
    Flag("label-columns", "L", LIST),
    Flag("no-headers", kind=BOOL),
    Flag("server-print", kind=BOOL, unheard=True),
    Flag("subresource"),
)
SUGGEST = 'Use "kubectl api-resources" for a complete list of supported resources.'


def run(line: Line, given: Given) -> Steps:
    """Show objects."""
    _check(line, given)
    if given["raw"]:
        answer = checked((yield Ask("GET", given["raw"], accept="*/*")))
        line.screen.out(answer.body.decode(errors="replace"))
        return
    if given.on("all-namespaces"):
        given.values["namespace"] = ""
    show = None if given["output"] in ("", "wide") else (yield from outputs.of(given, outputs.OF_GET))
    if given.on("watch") or given.on("watch-only"):
        yield from _watch(line, given, show)
        return
    found = yield from _meant(line, given)
    if show is not None:
        yield from _generic(line, given, found, show)
    else:
        yield from _human(line, given, found)


def _check(line: Line, given: Given) -> None:
    if given["raw"]:
        if given.words:
            raise fail("arguments may not be passed when --raw is specified")
        if given["output"]:
            raise fail("--raw and --output are mutually exclusive")
        return
    watches = given.on("watch") or given.on("watch-only")
    if not (given.words or given["filename"] or watches):
        line.screen.complain(f"You must specify the type of resource to get. {SUGGEST}\n")
        raise fail(
            'Required resource not specified.\nUse "kubectl explain <resource>" for a detailed description of that '
            "resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples"
        )
    if given.on("show-labels") and given["output"] not in ("", "wide"):
        raise fail(f"--show-labels option cannot be used with {given['output']} printer")
    if given.on("output-watch-events") and not watches:
        raise fail("--output-watch-events option can only be used with --watch or --watch-only")
    if watches and given["sort-by"]:
        line.screen.complain("warning: --watch requested, --sort-by will be ignored for watch events received")


def _meant(line: Line, given: Given) -> Steps:
    names = files.named(line, must=False)
    if not names:
        return (yield from targets.meant(line, given.words, all_if_none=True))
    if given.words:
        raise fail("when paths, URLs, or stdin is provided as input, you may not specify resource arguments as well")
    infos = yield from files.read_all(line, names)
    return Targets(infos, single=len(infos) == 1)


# -- objects -----------------------------------------------------------------------------------------------------------
def _generic(line: Line, given: Given, found: Targets, show: outputs.Show) -> Steps:
    part, objects = given["subresource"], []
    errors: list[Failed] = []
    for info in found.infos:
        try:
            if found.bulk:
                objects += yield from targets.listed(line, info, found.query)
            else:
                path = info.resource.path(info.namespace, info.name, part)
                objects.append((yield from fetched(Ask("GET", path))))
        except Refused as problem:
            if not (given.on("ignore-not-found") and problem.reason == "NotFound"):
                errors.append(problem)
    if found.single and errors:
        raise errors[0]
    if not (found.single and not objects) and not (given.on("ignore-not-found") and not objects):
        _show(line, given, found, show, objects)
    together(errors)


def _show(line: Line, given: Given, found: Targets, show: outputs.Show, objects: list[Any]) -> None:
    if given["sort-by"] and len(objects) > 1:
        objects = sorted_by(objects, given["sort-by"], lambda obj: obj)
    shown = (
        objects[0]
        if found.single
        else {"apiVersion": "v1", "items": objects, "kind": "List", "metadata": {"resourceVersion": ""}}
    )
    line.screen.out(show(shown))


# -- tables ------------------------------------------------------------------------------------------------------------
def _human(line: Line, given: Given, found: Targets) -> Steps:
    errors: list[Failed] = []
    tables: list[tuple[Info, Any]] = []
    for info in found.infos:
        try:
            tables += [(info, table) for table in (yield from _tables(given, info, found))]
        except Failed as problem:
            ignored = given.on("ignore-not-found") and isinstance(problem, Refused) and problem.reason == "NotFound"
            errors += [] if ignored else [problem]
            if not isinstance(problem, Refused):
                break
    several = len({info.resource for info, _ in tables}) > 1
    written = _print(line, given, tables, several)
    if not written and not given.on("ignore-not-found") and not errors:
        local = not given.on("all-namespaces") and all(info.resource.namespaced for info, _ in tables)
        where = f" in {line.namespace} namespace." if local else ""
        line.screen.complain(f"No resources found{where}")
    together(errors)


def _tables(given: Given, info: Info, found: Targets) -> Steps:
    """The tables of one resource: of a list one a chunk, or of one object."""
    query = (("includeObject", "Object"),) if given["sort-by"] else ()
    if not found.bulk:
        path = info.resource.path(info.namespace, info.name, given["subresource"])
        return [(yield from fetched(Ask("GET", path, query, accept=TABLE)))]
    size = 0 if given["sort-by"] else given["chunk-size"]
    query = (*found.query, *query, *((("limit", str(size)),) if size else ()))
    tables: list[Any] = []
    more: tuple[tuple[str, str], ...] = ()
    while True:
        try:
            table = yield from fetched(Ask("GET", info.path, (*query, *more), accept=TABLE))
        except Refused as problem:
            raise targets.of_selection(problem, info, found.query) from None
        tables.append(table)
        token = (table.get("metadata") or {}).get("continue")
        if not token:
            return tables
        more = (("continue", token),)


def _look(given: Given, info: Info, several: bool) -> Look:
    return Look(
        wide=given["output"] == "wide",
        headers=not given.on("no-headers"),
        labels=given.on("show-labels"),
        columns=tuple(given["label-columns"]),
        namespaces=given.on("all-namespaces") and info.resource.namespaced,
        kind=info.resource.titled if several or given.on("show-kind") else "",
    )


def _print(line: Line, given: Given, tables: list[tuple[Info, Any]], several: bool) -> bool:
    """Print them, a blank line between kinds; whether there was anything."""
    last: Any = None
    printer = Printer(Look())
    blocks: list[str] = []
    for info, table in tables:
        if info.resource != last:
            printer, last = Printer(_look(given, info, several)), info.resource
            blocks.append("")
        if given["sort-by"]:
            table = {**table, "rows": _in_order(table.get("rows") or [], given["sort-by"])}
        blocks[-1] += printer.rows(table)
    shown = [aligned(block) for block in blocks if block]
    line.screen.out(("" if given.on("no-headers") else "\n").join(shown))
    return bool(shown)


def _in_order(rows: list[Any], field: str) -> list[Any]:
    """*rows* sorted; none of them if no object has the field: kubectl drops that complaint."""
    try:
        return sorted_by(rows, field, lambda row: row.get("object") or {}) if len(rows) > 1 else rows
    except Nowhere:
        return []


# -- as time runs ------------------------------------------------------------------------------------------------------
def _watch(line: Line, given: Given, show: outputs.Show | None) -> Steps:
    found = yield from _meant(line, given)
    if len(found.infos) > 1:
        if found.bulk or len({info.resource for info in found.infos}) > 1:
            raise fail("you may only specify a single resource type")
    info = found.infos[0]
    accept = TABLE if show is None else "application/json"
    printer = Printer(_look(given, info, False))
    event = given.on("output-watch-events")

    def tell(obj: Any, type: str) -> None:
        if show is None:
            line.screen.out(printer.print(obj, type if event else ""))
        else:
            line.screen.out(show({"type": type, "object": obj} if event else obj))

    query: tuple[tuple[str, str], ...] = found.query
    first = yield from _first(info, found, accept)
    if not given.on("watch-only"):
        items = with_kinds(first) if found.bulk and show is not None else [first]
        for item in items:
            tell(item, "ADDED")
    if found.bulk:
        version = (first.get("metadata") or {}).get("resourceVersion", "0")
    else:
        version, query = "0", (("fieldSelector", f"metadata.name={info.name}"),)
    path = info.resource.path(info.namespace)
    asked = Ask("GET", path, (*query, ("resourceVersion", str(version)), ("watch", "true")), accept=accept)
    answer = checked((yield asked))
    skip = not found.bulk
    while (change := (yield Next(answer.watch))) is not None:
        if change.get("type") == "ERROR":
            raise Refused(change["object"])
        if not skip:
            tell(change["object"], change["type"])
        skip = False


def _first(info: Info, found: Targets, accept: str) -> Steps:
    """What there is when the watch begins."""
    if not found.bulk:
        return (yield from fetched(Ask("GET", info.path, accept=accept)))
    try:
        return (yield from fetched(Ask("GET", info.path, (*found.query, ("limit", "500")), accept=accept)))
    except Refused as problem:
        raise targets.of_selection(problem, info, found.query) from None

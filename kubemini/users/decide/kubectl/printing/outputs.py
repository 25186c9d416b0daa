"""``-o``: which printer is meant, and objects in every form that is no table.

Models k/cli-runtime pkg/genericclioptions PrintFlags.ToPrinter; k/kubectl pkg/cmd/get CustomColumnsPrinter.
Simplified: no Go templates, and no KYAML.
"""

from collections.abc import Callable
from typing import Any

from kubemini.users.decide.kubectl.asking import NoFile, ReadFile, Steps, fail
from kubemini.users.decide.kubectl.flags import BOOL, Flag
from kubemini.users.decide.kubectl.line import with_kinds
from kubemini.users.decide.kubectl.printing.gotext import as_json, as_yaml, printed
from kubemini.users.decide.kubectl.printing.jsonpath import Path
from kubemini.users.decide.kubectl.printing.pathwords import PathError
from kubemini.users.decide.kubectl.printing.sorting import relaxed
from kubemini.users.decide.kubectl.printing.tabs import aligned

OUTPUT = (
    Flag("output", "o"),
    Flag("template"),
    Flag("allow-missing-template-keys", kind=BOOL, default=True),
    Flag("show-managed-fields", kind=BOOL),
)
COLUMNS = ("custom-columns", "custom-columns-file")
PATHS = ("jsonpath", "jsonpath-as-json", "jsonpath-file")
TEMPLATES = ("go-template", "go-template-file", "template", "templatefile")
OF_OBJECTS = (*TEMPLATES[:2], "json", *PATHS, "kyaml", "name", *TEMPLATES[2:], "yaml")
OF_GET = tuple(sorted((*OF_OBJECTS, *COLUMNS, "wide")))
Show = Callable[[Any], str]
NO_TEMPLATES = "is not simulated: say the same with -o jsonpath=…, -o custom-columns=… or -o json"


def of(given: Any, allowed: tuple[str, ...] = OF_OBJECTS, typed: bool = False) -> Steps:
    """The function that shows an object as ``-o`` says; *typed*: as Go writes a struct, not a map. Raises Failed."""
    written = str(given["output"])
    form, equals, rest = written.partition("=")
    if form not in allowed:
        raise fail(no_printer(written, allowed))
    if form in TEMPLATES and not rest and not given.values.get("template"):
        raise fail("template format specified but no template given")
    if form in TEMPLATES or form == "kyaml":
        raise fail(f"-o {form} {NO_TEMPLATES}")
    if form in ("json", "yaml"):
        return _whole(form, bool(given.values.get("show-managed-fields")), typed)
    if form == "name":
        return _names
    text = rest if equals else str(given.values.get("template") or "")
    if form in COLUMNS:
        return _columns((yield from _spec(form, text)), not given.values.get("no-headers"))
    return (yield from _path(form, text, bool(given["allow-missing-template-keys"])))


def no_printer(written: str, allowed: tuple[str, ...]) -> str:
    """What is said of a form that there is not."""
    suits = "unable to match a printer suitable for the output format"
    return f'{suits} "{written}", allowed formats are: {",".join(allowed)}'


def _whole(form: str, managed: bool, typed: bool) -> Show:
    first = True

    def show(obj: Any) -> str:
        nonlocal first
        shown = obj if managed else _without_managers(obj)
        if form == "json":
            head = {key: shown[key] for key in ("kind", "apiVersion", "metadata") if typed and key in shown}
            return as_json(head | shown, 4, in_order=not typed) + "\n"
        between, first = "" if first else "---\n", False
        return between + as_yaml(shown)

    return show


def _without_managers(obj: Any) -> Any:
    if not isinstance(obj, dict):
        return obj
    meta = obj.get("metadata")
    if isinstance(meta, dict) and "managedFields" in meta:
        obj = {**obj, "metadata": {key: value for key, value in meta.items() if key != "managedFields"}}
    if isinstance(obj.get("items"), list):
        obj = {**obj, "items": [_without_managers(item) for item in obj["items"]]}
    return obj


def name_of(obj: Any) -> str:
    """``deployment.apps/web``, as -o name and most verbs say."""
    group = str(obj.get("apiVersion", "")).rpartition("/")[0]
    kind = str(obj.get("kind", "")).lower() or "<unknown>"
    return f"{kind}{f'.{group}' if group else ''}/{(obj.get('metadata') or {}).get('name', '')}"


def _names(obj: Any) -> str:
    return "".join(f"{name_of(one)}\n" for one in _each(obj))


def _each(obj: Any) -> list[Any]:
    return with_kinds(obj) if isinstance(obj.get("items"), list) and "kind" in obj else [obj]


def _path(form: str, text: str, lenient: bool) -> Steps:
    if not text:
        raise fail("template format specified but no template given")
    if form == "jsonpath-file":
        text = yield ReadFile(text)
    try:
        path = Path(text, strict=not lenient)
    except PathError as wrong:
        raise fail(f"error parsing jsonpath {text}, {wrong}") from None

    def show(obj: Any) -> str:
        try:
            return path.as_json(obj) if form == "jsonpath-as-json" else path.text(obj)
        except PathError as wrong:
            raise fail(f'error executing jsonpath "{_escaped(text)}": {_report(wrong, text, obj)}') from None

    return show


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _report(wrong: PathError, text: str, obj: Any) -> str:
    return (
        f"Error executing template: {wrong}. Printing more information for debugging the template:\n"
        f"\ttemplate was:\n\t\t{text}\n\tobject given to jsonpath engine was:\n\t\t{_go_syntax(obj)}\n\n"
    )


def _go_syntax(value: Any) -> str:
    """As %#v writes it."""
    if isinstance(value, dict):
        inner = ", ".join(f"{_go_syntax(key)}:{_go_syntax(value[key])}" for key in sorted(value))
        return f"map[string]interface {{}}{{{inner}}}"
    if isinstance(value, list):
        return f"[]interface {{}}{{{', '.join(map(_go_syntax, value))}}}"
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    return "interface {}(nil)" if value is None else printed(value)


def _spec(form: str, text: str) -> Steps:
    """Header and path of each column."""
    if not text:
        raise fail(f"{form} format specified but no custom columns given")
    if form == "custom-columns-file":
        try:
            lines = (yield ReadFile(text)).splitlines()
        except NoFile as problem:
            raise fail(f"error reading template {text}, open {text}: {problem.why}") from None
        heads, paths = (lines[0].split(), lines[1].split()) if len(lines) > 1 else ([], [])
        if not heads:
            raise fail(
                "invalid template, missing spec line. Expected format is one line of space separated headers, "
                "one line of space separated column specs."
            )
        if len(heads) != len(paths):
            raise fail(f"number of headers ({len(heads)}) and field specifications ({len(paths)}) don't match")
        return list(zip(heads, paths))
    columns = []
    for part in text.split(","):
        head, colon, path = part.partition(":")
        if not colon:
            raise fail(f"unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>")
        columns.append((head, path))
    return columns


def _columns(columns: list[tuple[str, str]], headers: bool) -> Show:
    try:
        paths = [Path(relaxed(path)) for _, path in columns]
    except PathError as wrong:
        raise fail(str(wrong)) from None
    widths: list[int] = []
    first = headers

    def show(obj: Any) -> str:
        nonlocal first
        lines = ["\t".join(head for head, _ in columns)] if first else []
        first = False
        for one in _each(obj):
            lines.append("\t".join(_found(path, one) for path in paths))
        return aligned("".join(f"{line}\n" for line in lines), least=widths)

    return show


def _found(path: Path, obj: Any) -> str:
    try:
        results = path.results(obj)
    except PathError as wrong:
        raise fail(str(wrong)) from None
    values = [printed(one) for result in results for one in result]
    none = ["<none>"] if not results or not results[0] else []
    return ",".join([*none, *values])

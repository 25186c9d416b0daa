"""``kubectl label`` and ``annotate``.

Models k/kubectl pkg/cmd/label LabelOptions.RunLabel; pkg/cmd/annotate AnnotateOptions.RunAnnotate; pkg/cmd/util
GetResourcesAndPairs.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.patch.merge import diff
from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import MERGE, Failed, Refused, Steps, fail, together
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.flags import BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info

FLAGS = (
    *targets.FILES,
    *targets.SELECTOR,
    *targets.FIELDS,
    *targets.EVERYWHERE,
    *writing.WRITES,
    Flag("all", kind=BOOL),
    Flag("overwrite", kind=BOOL),
    Flag("list", kind=BOOL),
    Flag("resource-version"),
    Flag("local", kind=BOOL, unheard=True),
)


def label(line: Line, given: Given) -> Steps:
    """``kubectl label``."""
    yield from _change(line, given, "labels", "label")


def annotate(line: Line, given: Given) -> Steps:
    """``kubectl annotate``."""
    yield from _change(line, given, "annotations", "annotation")


def _change(line: Line, given: Given, field: str, word: str) -> Steps:
    resources, pairs = _split(given.words, word)
    new, gone = _read(pairs, word)
    if given.on("all") and given["selector"]:
        raise fail("cannot set --all and --selector at the same time")
    paths = files.named(line, must=False)
    if not (resources or paths):
        raise fail("one or more resources must be specified as <resource> <name> or <resource>/<name>")
    if not (new or gone or given.on("list")):
        raise fail(f"at least one {word} update is required")
    how = yield from writing.of(line, given, "kubectl-" + ("label" if field == "labels" else "annotate"), False)
    infos, errors, single = yield from found(line, given, resources, paths)
    for info in infos:
        try:
            yield from _one(line, given, how, info, field, new, gone, single)
        except Failed as problem:
            errors.append(problem)
    together(errors)


def found(line: Line, given: Given, words: list[str], paths: list[str]) -> Steps:
    """What is meant, as it is now; errors; whether it is one thing."""
    if paths:
        infos, errors = yield from files.tried(line, paths)
        there = []
        for info in infos:
            try:
                obj = yield from line.get(info.resource, info.name, info.namespace)
                there.append(Info(info.resource, info.namespace, info.name, obj, info.source))
            except Refused as problem:
                errors.append(problem)
        return there, errors, len(infos) == 1
    meant = yield from targets.meant(line, words, all_if_none=bool(given.values.get("all")), everything=given.on("all"))
    infos, errors = yield from targets.tried(line, meant)
    return infos, errors, meant.single


def _split(words: list[str], word: str) -> tuple[list[str], list[str]]:
    """What is meant, and the changes: those come last."""
    resources: list[str] = []
    for place, one in enumerate(words):
        if "=" in one or one.endswith("-"):
            pairs = words[place:]
            wrong = [pair for pair in pairs if not ("=" in pair or pair.endswith("-"))]
            if wrong:
                raise fail(f"all resources must be specified before {word} changes: {wrong[0]}")
            return resources, pairs
        resources.append(one)
    return resources, []


def _read(pairs: list[str], word: str) -> tuple[dict[str, str], list[str]]:
    new: dict[str, str] = {}
    gone: list[str] = []
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            gone.append(pair[:-1])
            continue
        if word == "label":
            if "=" in value:
                raise fail(f"invalid label spec: {pair}")
            if wrong := names.label_value(value):
                raise fail(f'invalid label value: "{pair}": {";".join(wrong)}')
        elif not key:
            raise fail(f"invalid annotation format: {pair}")
        new[key] = value
    if any(key in new for key in gone):
        what = "a label" if word == "label" else "an annotation"
        raise fail(f"can not both modify and remove {what} in the same command")
    return new, gone


def _one(
    line: Line,
    given: Given,
    how: writing.Writing,
    info: Info,
    field: str,
    new: dict[str, str],
    gone: list[str],
    single: bool,
) -> Steps:
    there = dict((info.obj.get("metadata") or {}).get(field) or {})
    if given.on("list"):
        _show(line, info, there, single, field)
        return
    if field == "labels":
        for key in gone:
            if key not in there:
                line.screen.line(f'label "{key}" not found.')
    if not given.on("overwrite"):
        _check(there, new, field)
    added = {key: value for key, value in new.items() if there.get(key) != value}
    removed = [key for key in gone if key in there]
    after = {key: value for key, value in {**there, **new}.items() if key not in gone}
    obj = {**info.obj, "metadata": {**info.obj["metadata"], field: after}}
    if how.dry != writing.CLIENT and (added or removed or field == "annotations"):
        change: dict[str, Any] = diff({"metadata": {field: there}}, {"metadata": {field: after}})
        if given["resource-version"]:
            change.setdefault("metadata", {})["resourceVersion"] = given["resource-version"]
        yield from line.send("PATCH", info.path, change, how.query, MERGE)
    how.tell(obj, _deed(field, added, removed))


def _deed(field: str, added: Any, removed: Any) -> str:
    if field == "annotations":
        return "annotated"
    if added and removed:
        return "modified"
    return "labeled" if added else "unlabeled" if removed else "not labeled"


def _check(there: dict[str, str], new: dict[str, str], field: str) -> None:
    errors = [
        fail(f"'{key}' already has a value ({there[key]}), and --overwrite is false")
        if field == "labels"
        else fail(f"found declared annotation '{key}' already has a value ({there[key]}), and --overwrite is false")
        for key, value in new.items()
        if key in there and there[key] != value
    ]
    if field == "annotations" and errors:
        keys = [key for key, value in new.items() if key in there and there[key] != value]
        listed = "; ".join(f"'{key}' already has a value ({there[key]})" for key in keys)
        raise fail(f"--overwrite is false but found the following declared annotation(s): {listed}")
    if len(errors) > 1:
        texts = ", ".join(str(one).removeprefix("error: ") for one in errors)
        raise fail(f"[{texts}]")
    together(list(errors))


def _show(line: Line, info: Info, there: dict[str, str], single: bool, field: str) -> None:
    indent = "" if single else " "
    if not single:
        line.screen.line(f"Listing {field} for {info.resource.kind}.{info.resource.group}/{info.name}:")
    for key in sorted(there):
        line.screen.line(f"{indent}{key}={there[key]}")

"""``kubectl apply`` and ``diff``.

Models k/kubectl pkg/cmd/apply ApplyOptions.applyOneObject Patcher.patchSimple; pkg/cmd/diff DiffOptions.Run.
Simplified: no pruning, no --force; diff shows what an unchanged GNU diff -u -N would, of one file an object.
"""

import difflib
import json
from pathlib import PurePosixPath
from typing import Any

from kubemini.api.patch import published, threeway
from kubemini.api.patch.merge import three_way
from kubemini.sim.units import SECOND
from kubemini.users.decide.apply import LAST_APPLIED as LAST
from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import (
    APPLY,
    MERGE,
    STRATEGIC,
    Failed,
    Pause,
    Refused,
    Steps,
    fail,
    together,
)
from kubemini.users.decide.kubectl.changes import migrating, writing
from kubemini.users.decide.kubectl.flags import BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.printing.gotext import as_json, as_yaml
from kubemini.users.decide.kubectl.targets import Info

MANAGER, CLIENT_SIDE = "kubectl", "kubectl-client-side-apply"
TRIES = 5  # maxPatchRetry
SCRATCH = PurePosixPath("/", "tmp")  # the folder of Go's os.TempDir, where diff finds both sides
SIDES = (
    Flag("server-side", kind=BOOL),
    Flag("force-conflicts", kind=BOOL),
    Flag("prune", kind=BOOL),
    Flag("force", kind=BOOL),
)
FLAGS = (
    *targets.FILES,
    *targets.SELECTOR,
    *writing.WRITES,
    *SIDES,
    Flag("overwrite", kind=BOOL, default=True),
    Flag("wait", kind=BOOL),
)
OF_DIFF = (*targets.FILES, *targets.SELECTOR, *SIDES, *writing.CHECKS, Flag("show-managed-fields", kind=BOOL))
NO_ANNOTATION = (
    "resource {name} is missing the kubectl.kubernetes.io/last-applied-configuration annotation which is required by "
    "kubectl apply. kubectl apply should only be used on resources created declaratively by either kubectl create "
    "--save-config or kubectl apply. The missing annotation will be patched automatically."
)
_NOT_AGAIN = (
    "Warning: failed to re-apply configuration after performing Server-Side Apply migration. "
    "This is non-fatal and will be retried next time you apply."
)
_ADVICE = (
    "{said}\n"
    "Please review the fields above--they currently have other managers. Here\n"
    "are the ways you can resolve this warning:\n"
    "* If you intend to manage all of these fields, please re-run the apply\n"
    "  command with the `--force-conflicts` flag.\n"
    "* If you do not intend to manage all of the fields, please edit your\n"
    "  manifest to remove references to the fields that should keep their\n"
    "  current managers.\n"
    "* You may co-own fields by updating your manifest to match the existing\n"
    "  value; in this case, you'll become the manager if the other manager(s)\n"
    "  stop managing the field (remove it from their configuration).\n"
    "See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts"
)


def apply(line: Line, given: Given) -> Steps:
    """``kubectl apply -f``."""
    _check(given)
    names = files.named(line)
    if given.words:
        raise fail(f"Unexpected args: [{' '.join(given.words)}]\nSee 'kubectl apply -h' for help and examples")
    how = yield from writing.of(line, given, MANAGER if given.on("server-side") else CLIENT_SIDE)
    infos, errors = yield from files.tried(line, names)
    for info in infos:
        try:
            yield from _one(line, given, how, info)
        except Failed as problem:
            errors.append(problem)
    if not infos and not errors:
        raise fail("no objects passed to apply")
    together(errors)


def _check(given: Given) -> None:
    if given.on("force-conflicts") and not given.on("server-side"):
        raise fail("--force-conflicts only works with --server-side")
    if given.on("force") and given.on("server-side"):
        raise fail("--force cannot be used with --server-side")
    for flag in ("prune", "force"):
        if given.on(flag):
            raise fail(f"apply --{flag} is not simulated: delete what is to go, and apply again")
    if given.on("server-side") and writing.strategy(given) == writing.CLIENT:
        raise fail("--dry-run=client doesn't work with --server-side (did you mean --dry-run=server instead?)")


def _one(line: Line, given: Given, how: writing.Writing, info: Info) -> Steps:
    if not info.name:
        generated = (info.obj.get("metadata") or {}).get("generateName")
        if generated:
            raise fail(f"from {generated}: cannot use generate name with apply")
        raise fail(f"{_at(info)}resource name may not be empty")
    if given.on("server-side"):
        yield from _on_the_server(line, given, how, info)
        return
    wanted = writing.with_annotation(_bare(info.obj))
    try:
        there = yield from line.get(info.resource, info.name, info.namespace)
    except Refused as problem:
        if problem.reason != "NotFound":
            raise problem.when(_at(info)) from None
        yield from _create(line, how, info, wanted)
        return
    yield from _change(line, how, info, wanted, there)


def _at(info: Info) -> str:
    """Where a failure is said to be."""
    return f'error when retrieving current configuration of:\n{_place(info)}\nfrom server for: "{info.source}": '


def _place(info: Info) -> str:
    one = info.resource
    where, what = (f"{one.group}/{one.version}, {word}" for word in (f"Resource={one.name}", f"Kind={one.kind}"))
    return f'Resource: "{where}", GroupVersionKind: "{what}"\nName: "{info.name}", Namespace: "{info.namespace}"'


def _bare(obj: Any) -> Any:
    """What is to be applied, without the note of what was; kubectl makes the map of annotations, if there is none."""
    meta = dict(obj.get("metadata") or {})
    notes = {key: value for key, value in (meta.get("annotations") or {}).items() if key != LAST}
    return {**obj, "metadata": {**meta, "annotations": notes}}


def _create(line: Line, how: writing.Writing, info: Info, wanted: Any) -> Steps:
    made = wanted
    if how.dry != writing.CLIENT:
        try:
            made = yield from line.send("POST", info.resource.path(info.namespace), wanted, how.query)
        except Refused as problem:
            raise problem.when(f'error when creating "{info.source}": ') from None
    how.tell(made, "created")


def _change(line: Line, how: writing.Writing, info: Info, wanted: Any, there: Any) -> Steps:
    """Change what is there; after a conflict look again."""
    if LAST not in ((there.get("metadata") or {}).get("annotations") or {}):
        line.screen.complain(f"Warning: {NO_ANNOTATION.format(name=f'{info.resource.name}/{info.name}')}")
    for attempt in range(TRIES + 1):
        patch, kind = _patch(wanted, there)
        if not patch:
            how.tell(there, "unchanged")
            return
        if how.dry == writing.CLIENT:
            how.tell(there, "configured")
            return
        try:
            after = yield from line.send("PATCH", info.path, patch, how.query, kind)
        except Refused as problem:
            if problem.reason != "Conflict" or attempt == TRIES:
                raise _of_patch(problem, info, patch) from None
            yield Pause(SECOND if attempt else 0)
            there = yield from line.get(info.resource, info.name, info.namespace)
            continue
        how.tell(after, "configured")
        return


def _patch(wanted: Any, there: Any) -> tuple[Any, str]:
    """What must change in *there*, by what was applied last, and the type of that patch; {} for nothing."""
    last = ((there.get("metadata") or {}).get("annotations") or {}).get(LAST, "{}")
    try:
        original = json.loads(last)
    except ValueError:
        original = {}
    type = published.type_of(wanted["apiVersion"], wanted["kind"])
    if not type:
        return three_way(original, wanted, there), MERGE
    return threeway.patch(original, wanted, there, published.lookup, type), STRATEGIC


def _of_patch(problem: Refused, info: Info, patch: Any) -> Refused:
    where = f'for: "{info.source}": error when patching "{info.source}": '
    return problem.when(f"error when applying patch:\n{as_json(patch)}\nto:\n{_place(info)}\n{where}")


# -- on the server's side ----------------------------------------------------------------------------------------------
def _on_the_server(line: Line, given: Given, how: writing.Writing, info: Info) -> Steps:
    query = (*how.query, ("force", str(given.on("force-conflicts")).lower()))
    body, manager = as_json(info.obj), dict(query)["fieldManager"]
    try:
        made = yield from line.send("PATCH", info.path, body, query, APPLY)
        if how.dry == "none" and (yield from migrating.migrated(line, info, made, manager, MANAGER)):
            made = yield from _again(line, info, body, query, made)
    except Refused as problem:
        causes = (problem.said.get("details") or {}).get("causes") or []
        if problem.reason == "Conflict" and any(one.get("reason") == "FieldManagerConflict" for one in causes):
            raise fail(_ADVICE.format(said=problem.message)) from None
        raise
    how.tell(made, "serverside-applied")


def _again(line: Line, info: Info, body: str, query: tuple[tuple[str, str], ...], made: Any) -> Steps:
    """Apply once more after fields have changed their owner: what the manifest has dropped goes now."""
    try:
        return (yield from line.send("PATCH", info.path, body, query, APPLY))
    except Refused as problem:
        line.screen.complain(f"{_NOT_AGAIN} Error: {problem.message}")
        return made


# -- diff --------------------------------------------------------------------------------------------------------------
def diff(line: Line, given: Given) -> Steps:
    """``kubectl diff -f``: what an apply would change; status 1 if it would."""
    names = files.named(line)
    query = [("dryRun", "All"), ("fieldValidation", writing.validation(given))]
    manager = given["field-manager"] or (MANAGER if given.on("server-side") else CLIENT_SIDE)
    query.append(("fieldManager", manager))
    infos = yield from files.read_all(line, names)
    shown = []
    for info in infos:
        before, after = yield from _both(line, given, info, tuple(query))
        shown += _unified(info, before, after, given.on("show-managed-fields"))
    line.screen.out("".join(shown))
    return 1 if shown else 0


def _both(line: Line, given: Given, info: Info, query: tuple[tuple[str, str], ...]) -> Steps:
    try:
        there = yield from line.get(info.resource, info.name, info.namespace)
    except Refused as problem:
        if problem.reason != "NotFound":
            raise
        there = None
    if given.on("server-side"):
        force = (*query, ("force", str(given.on("force-conflicts")).lower()))
        return there, (yield from line.send("PATCH", info.path, as_json(info.obj), force, APPLY))
    if there is None:
        path = info.resource.path(info.namespace)
        return None, (yield from line.send("POST", path, info.obj, query))
    patch, kind = _patch(_bare(info.obj), there)
    return there, (yield from line.send("PATCH", info.path, patch, query, kind)) if patch else there


def _unified(info: Info, before: Any, after: Any, managed: bool) -> list[str]:
    one = info.resource
    name = ".".join(filter(None, [one.group.replace("/", "."), one.version, one.kind, info.namespace, info.name]))
    texts = [_comparable(before, managed), _comparable(after, managed)]
    if texts[0] == texts[1]:
        return []
    paths = str(SCRATCH / "LIVE" / name), str(SCRATCH / "MERGED" / name)
    old, new = (text.splitlines(keepends=True) for text in texts)
    lines = difflib.unified_diff(old, new, *paths)
    return [f"diff -u -N {paths[0]} {paths[1]}\n", *lines]


def _comparable(obj: Any, managed: bool) -> str:
    if obj is None:
        return ""
    meta = {key: value for key, value in obj["metadata"].items() if managed or key != "managedFields"}
    return as_yaml({**obj, "metadata": meta})

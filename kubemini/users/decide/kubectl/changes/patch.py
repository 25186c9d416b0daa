"""``kubectl patch``, ``replace`` and ``scale``.

Models k/kubectl pkg/cmd/patch PatchOptions.RunPatch; pkg/cmd/replace ReplaceOptions.Run; pkg/cmd/scale
ScaleOptions.RunScale; pkg/scale ScaleSimple.
"""

from typing import Any

from kubemini.apiserver.decide.forms import yamltext
from kubemini.sim.units import SECOND
from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import (
    JSON_PATCH,
    MERGE,
    NO_YAML,
    STRATEGIC,
    Failed,
    Pause,
    ReadFile,
    Refused,
    Steps,
    fail,
    together,
)
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.changes.labels import found
from kubemini.users.decide.kubectl.flags import BOOL, INT, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import PATCH_MANAGER, Line
from kubemini.users.decide.kubectl.targets import Info

TYPES = {"json": JSON_PATCH, "merge": MERGE, "strategic": STRATEGIC}
FLAGS = (
    *targets.FILES,
    *writing.WRITES,
    Flag("patch", "p"),
    Flag("patch-file"),
    Flag("type", default="strategic"),
    Flag("subresource"),
    Flag("local", kind=BOOL, unheard=True),
)
REPLACES = (*targets.FILES, *writing.WRITES, *writing.SAVE, Flag("force", kind=BOOL), Flag("subresource"))
SCALES = (
    *targets.FILES,
    *targets.SELECTOR,
    *writing.WRITES,
    Flag("all", kind=BOOL),
    Flag("replicas", kind=INT),
    Flag("current-replicas", kind=INT, default=-1),
    Flag("resource-version"),
    Flag("timeout", kind=TIME),
)


def patch(line: Line, given: Given) -> Steps:
    """``kubectl patch``."""
    body = yield from _body(given)
    how = yield from writing.of(line, given, PATCH_MANAGER, checks=False)
    paths = files.named(line, must=False)
    if paths:
        infos = yield from files.read_all(line, paths)
    else:
        infos = (yield from targets.meant(line, given.words)).infos
    errors: list[Failed] = []
    for info in infos:
        try:
            yield from _patched(line, given, how, info, body)
        except Failed as problem:
            errors.append(problem)
    together(errors)


def _body(given: Given) -> Steps:
    """The patch, as a value."""
    text, path, type = given["patch"], given["patch-file"], given["type"].lower()
    if text and path:
        raise fail("cannot specify --patch and --patch-file together")
    if not (text or path):
        raise fail("must specify --patch or --patch-file containing the contents of the patch")
    if type not in TYPES:
        raise fail(f'--type must be one of [{" ".join(TYPES)}], not "{given["type"]}"')
    said = (yield ReadFile(path)) if path else text
    if said.lstrip().startswith("{"):
        return said  # whether it is JSON is for the server to say
    try:
        return yamltext.read(said)
    except ImportError:
        raise fail(NO_YAML) from None
    except yamltext.Unreadable as wrong:
        raise fail(f'unable to parse "{text}": {wrong}') from None


def _patched(line: Line, given: Given, how: writing.Writing, info: Info, body: Any) -> Steps:
    part = given["subresource"]
    before = yield from line.get(info.resource, info.name, info.namespace, part)
    if how.dry == writing.CLIENT:
        raise fail("a patch as a client's dry run is not simulated: use --dry-run=server")
    path = info.resource.path(info.namespace, info.name, part)
    after = yield from line.send("PATCH", path, body, how.query, TYPES[given["type"].lower()])
    how.tell(after, "patched (no change)" if after == before else "patched")


# -- replace -----------------------------------------------------------------------------------------------------------
def replace(line: Line, given: Given) -> Steps:
    """``kubectl replace -f``."""
    if given.words:
        raise fail(f"unexpected args: {given.words}")
    names = files.named(line)
    if given.on("force"):
        raise fail("replace --force is not simulated: delete the object, and create it")
    how = yield from writing.of(line, given, "kubectl-replace")
    infos, errors = yield from files.tried(line, names)
    for info in infos:
        obj = writing.with_annotation(info.obj) if given.on("save-config") else info.obj
        try:
            if how.dry != writing.CLIENT:
                obj = yield from _replaced(line, given, how, info, obj)
            how.tell(obj, "replaced")
        except Refused as problem:
            errors.append(problem.when(f'error when replacing "{info.source}": '))
    together(errors)


def _replaced(line: Line, given: Given, how: writing.Writing, info: Info, obj: Any) -> Steps:
    """Put, with the version that is there if the file names none."""
    path = info.resource.path(info.namespace, info.name, given["subresource"])
    if not obj["metadata"].get("resourceVersion"):
        there = yield from line.get(info.resource, info.name, info.namespace, given["subresource"])
        obj = {**obj, "metadata": {**obj["metadata"], "resourceVersion": there["metadata"]["resourceVersion"]}}
    return (yield from line.send("PUT", path, obj, how.query))


# -- scale -------------------------------------------------------------------------------------------------------------
def scale(line: Line, given: Given) -> Steps:
    """``kubectl scale``."""
    if given["replicas"] < 0:
        raise fail("The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0")
    if given["current-replicas"] < -1:
        raise fail("The --current-replicas must specify an integer of -1 or greater")
    how = yield from writing.of(line, given, "", checks=False)
    infos, errors, _ = yield from found(line, given, given.words, files.named(line, must=False))
    if not infos and not errors:
        raise fail("no objects passed to scale")
    for info in infos:
        if how.dry != writing.CLIENT:
            yield from _scaled(line, given, how, info)
        spec = {**(info.obj.get("spec") or {}), "replicas": given["replicas"]}
        how.tell({**info.obj, "spec": spec}, "scaled")
    together(errors)


def _scaled(line: Line, given: Given, how: writing.Writing, info: Info) -> Steps:
    path = info.resource.path(info.namespace, info.name, "scale")
    query = tuple(pair for pair in how.query if pair[0] == "dryRun")
    wanted, expected, version = given["replicas"], given["current-replicas"], given["resource-version"]
    if expected == -1 and not version:
        yield from line.send("PATCH", path, {"spec": {"replicas": wanted}}, query, MERGE)
    else:
        there = yield from line.get(info.resource, info.name, info.namespace, "scale")
        size = (there.get("spec") or {}).get("replicas", 0)
        if expected not in (-1, size):
            raise fail(f"Expected replicas to be {expected}, was {size}")
        if version and there["metadata"]["resourceVersion"] != version:
            raise fail(f"Expected resource version to be {version}, was {there['metadata']['resourceVersion']}")
        yield from line.send("PUT", path, {**there, "spec": {**(there.get("spec") or {}), "replicas": wanted}}, query)
    if given["timeout"] and how.dry == "none":
        yield from _await(line, given, info, line.now + given["timeout"])


def _await(line: Line, given: Given, info: Info, end: int) -> Steps:
    """Until there are as many as are wanted. Models k/kubectl pkg/scale WaitForScaleHasDesiredReplicas"""
    while True:
        there = yield from line.get(info.resource, info.name, info.namespace, "scale")
        spec, status = there.get("spec") or {}, there.get("status") or {}
        if spec.get("replicas", 0) != given["replicas"] or status.get("replicas", 0) == spec.get("replicas", 0):
            return
        if line.now >= end:
            raise fail(f'timed out waiting for "{info.name}" to be synced')
        yield Pause(SECOND)

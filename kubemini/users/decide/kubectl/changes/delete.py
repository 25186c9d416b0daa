"""``kubectl delete``.

Models k/kubectl pkg/cmd/delete DeleteOptions.DeleteResult; pkg/cmd/wait IsDeleted.
"""

from typing import Any

from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import Failed, Refused, Steps, fail, together
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.flags import BOOL, INT, TIME, Flag, Given
from kubemini.users.decide.kubectl.line import Line, in_namespace
from kubemini.users.decide.kubectl.targets import Info
from kubemini.users.decide.kubectl.waiting import WEEK, gone

FLAGS = (
    *targets.FILES,
    *targets.SELECTOR,
    *targets.FIELDS,
    *targets.EVERYWHERE,
    *writing.DRY_RUN,
    Flag("all", kind=BOOL),
    Flag("cascade", default="background", bare="background"),
    Flag("force", kind=BOOL),
    Flag("grace-period", kind=INT, default=-1),
    Flag("now", kind=BOOL),
    Flag("ignore-not-found", kind=BOOL),
    Flag("timeout", kind=TIME),
    Flag("wait", kind=BOOL, default=True),
    Flag("output", "o"),
    Flag("interactive", "i", BOOL, unheard=True),
    Flag("raw", unheard=True),
)
POLICIES = {
    "background": "Background",
    "foreground": "Foreground",
    "orphan": "Orphan",
    "true": "Background",
    "false": "Orphan",
}
IMMEDIATE = (
    "Warning: Immediate deletion does not wait for confirmation that the running resource has been terminated. "
    "The resource may continue to run on the cluster indefinitely."
)


def run(line: Line, given: Given) -> Steps:
    """Delete, and wait until what was deleted is gone."""
    options = _options(line, given)
    infos, errors = yield from _infos(line, given)
    asked: list[tuple[Info, Any]] = []
    dry = writing.strategy(given)
    for info in infos:
        try:
            answer = {} if dry == writing.CLIENT else (yield from line.send("DELETE", info.path, options))
        except Refused as problem:
            if not (problem.reason == "NotFound" and (given.on("ignore-not-found") or info.source == "found")):
                errors.append(_told(problem, info))
            continue
        _tell(line, given, info, dry, options)
        asked.append((info, answer))
    if not infos and not errors:
        line.screen.line("No resources found")
    if given.on("wait") and dry == "none":
        yield from _await(line, given, asked, options)
    together(errors)


def _told(problem: Refused, info: Info) -> Refused:
    """A refusal of what came from a file names the file."""
    return problem if info.source in ("", "found") else problem.when(f'error when deleting "{info.source}": ')


def _options(line: Line, given: Given) -> dict[str, Any]:
    """The body of each request. Raises Failed."""
    grace = given["grace-period"]
    if given.on("now"):
        if grace != -1:
            raise fail("--now and --grace-period cannot be specified together")
        grace = 1
    if grace == 0 and not given.on("force"):
        grace = 1  # a force must be asked for
    if given.on("force"):
        line.screen.complain(IMMEDIATE)
        if grace < 0:
            grace = 0
        if grace > 0:
            raise fail("--force and --grace-period greater than 0 cannot be specified together")
    if given["cascade"] not in POLICIES:
        raise fail(f'invalid cascade value ({given["cascade"]}). Must be "background", "foreground", or "orphan"')
    if given.on("all") and (given["selector"] or given["field-selector"]):
        raise fail("setting 'all' parameter but found a non empty selector. ")
    body: dict[str, Any] = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": POLICIES[given["cascade"]],
    }
    body |= {"dryRun": ["All"]} if writing.strategy(given) == writing.SERVER else {}
    return body | ({"gracePeriodSeconds": grace} if grace >= 0 else {})


def _infos(line: Line, given: Given) -> Steps:
    """What is to be deleted, and what could not be read."""
    names = files.named(line, must=False)
    if names:
        return (yield from files.tried(line, names))
    meant = yield from targets.meant(line, given.words, everything=given.on("all"))
    if not meant.bulk:
        return list(meant.infos), []
    found, errors = yield from targets.tried(line, meant)
    return [Info(one.resource, one.namespace, one.name, one.obj, "found") for one in found], errors


def _tell(line: Line, given: Given, info: Info, dry: str, options: dict[str, Any]) -> None:
    if given["output"] == "name":
        line.screen.line(info.called)
        return
    deed = "force deleted" if options.get("gracePeriodSeconds") == 0 else "deleted"
    where = in_namespace(info.resource, info.namespace)
    line.screen.line(f'{info.resource.titled} "{info.name}" {deed}{where}{writing.note(dry)}')


def _await(line: Line, given: Given, asked: list[tuple[Info, Any]], options: dict[str, Any]) -> Steps:
    end = line.now + (given["timeout"] or WEEK)
    errors: list[Failed] = []
    for info, answer in asked:
        uid = (answer.get("details") or {}).get("uid") or (answer.get("metadata") or {}).get("uid", "")
        try:
            yield from gone(line, info, uid, end)
        except Failed as problem:
            errors.append(problem)
    together(errors)

"""``kubectl create``, ``run``: from files, and from flags.

Models k/kubectl pkg/cmd/create CreateOptions.RunCreate; pkg/cmd/run RunOptions.Run.
"""

from typing import Any

from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import Refused, Steps, fail, together
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.flags import Flag, Given
from kubemini.users.decide.kubectl.line import CREATE, Line
from kubemini.users.decide.kubectl.making import networking, rights, settings, workloads
from kubemini.users.decide.kubectl.making.parts import Maker, name_in, usage
from kubemini.users.decide.kubectl.making.pods import RUN, pod

FLAGS = (*targets.FILES, *targets.SELECTOR, *writing.WRITES, *writing.SAVE, Flag("raw", unheard=True))
OF_MAKERS = (*writing.WRITES, *writing.SAVE)
MAKERS: dict[str, Maker] = {**workloads.MAKERS, **networking.MAKERS, **rights.MAKERS, **settings.MAKERS}
FAMILIES = {"service": networking.SERVICES, "secret": settings.SECRETS}
SHORT = {
    **{"deploy": "deployment", "ns": "namespace", "cm": "configmap", "sa": "serviceaccount", "cj": "cronjob"},
    **{"ing": "ingress", "pdb": "poddisruptionbudget", "resourcequota": "quota", "pc": "priorityclass"},
    "svc": "service",
}


def from_files(line: Line, given: Given) -> Steps:
    """``create -f``."""
    if given.words:
        raise usage(f"Unexpected args: [{' '.join(given.words)}]", "create")
    names = files.named(line)
    how = yield from writing.of(line, given, CREATE)
    infos, errors = yield from files.tried(line, names)
    for info in infos:
        obj = writing.with_annotation(info.obj) if given.on("save-config") else info.obj
        try:
            if how.dry != writing.CLIENT:
                path = info.resource.path(info.namespace)
                obj = yield from line.send("POST", path, obj, how.query)
            how.tell(obj, "created")
        except Refused as problem:
            errors.append(problem.when(f'error when creating "{info.source}": '))
    together(errors)
    if not infos:
        raise fail("no objects passed to create")


def maker(kind: str, one: Maker) -> Any:
    """The course of ``create KIND NAME``."""

    def run(line: Line, given: Given) -> Steps:
        name = name_in(given, kind)
        how = yield from writing.of(line, given, CREATE, typed=True)
        obj = yield from one.make(line, given, name)
        yield from _made(line, given, how, obj, one.failing)

    return run


def _made(line: Line, given: Given, how: writing.Writing, obj: Any, failing: str) -> Steps:
    obj = writing.as_typed(obj)
    if given.values.get("save-config"):
        obj = writing.with_annotation(obj)
    if how.dry != writing.CLIENT:
        resource = yield from line.known.of_kind(obj["apiVersion"], obj["kind"])
        if resource is None:
            raise fail(f'no matches for kind "{obj["kind"]}" in version "{obj["apiVersion"]}"')
        try:
            obj = yield from line.send("POST", resource.path(line.namespace), obj, how.query)
        except Refused as problem:
            raise (fail(f"{failing}{problem.message}") if failing else problem) from None
    how.tell(obj, "created")


# -- run -------------------------------------------------------------------------------------------------------------
FLAGS_OF_RUN = (*OF_MAKERS, *RUN)


def run(line: Line, given: Given) -> Steps:
    """``kubectl run``: one pod."""
    words = given.words if given.dash < 0 else given.words[: given.dash]
    if len(words) != 1:
        text = (
            "NAME is required for run"
            if not words
            else f"exactly one NAME is required, got {len(given.words)}: [{' '.join(given.words)}]"
        )
        raise usage(text, "run")
    how = yield from writing.of(line, given, "kubectl-run", typed=True)
    obj = pod(line, given, words[0])
    yield from _made(line, given, how, obj, "")

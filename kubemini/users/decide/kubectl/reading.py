"""The words of a line → the verb that is meant, and its course.

Models k/kubectl pkg/cmd NewKubectlCommand; spf13/cobra command.go Command.Find.
"""

import difflib
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.users.decide.kubectl import flags
from kubemini.users.decide.kubectl.asking import Failed, Steps, fail
from kubemini.users.decide.kubectl.changes import (
    apply,
    create,
    debug,
    delete,
    drain,
    exposing,
    labels,
    nodes,
    patch,
    rollout,
)
from kubemini.users.decide.kubectl.flags import Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making import debugging
from kubemini.users.decide.kubectl.making.parts import Maker
from kubemini.users.decide.kubectl.verbs import auth, describe, events, explain, forward, get, info, inside, top, wait

Run = Callable[[Line, Given], Steps]


@dataclass(frozen=True, slots=True)
class Verb:
    """What is done for one verb; *under*: the verbs below it, such as ``rollout status``."""

    run: Run | None = None
    flags: tuple[Flag, ...] = ()
    under: Mapping[str, "Verb"] = field(default_factory=dict)
    must: tuple[str, ...] = ()  # flags that have to be written


def _makers(makers: Mapping[str, Maker]) -> dict[str, Verb]:
    return {
        word: Verb(create.maker(word, one), (*create.OF_MAKERS, *one.flags), must=one.must)
        for word, one in makers.items()
    }


_CREATE = _makers(create.MAKERS) | {word: Verb(under=_makers(one)) for word, one in create.FAMILIES.items()}
VERBS: dict[str, Verb] = {
    "get": Verb(get.run, get.FLAGS),
    "create": Verb(create.from_files, create.FLAGS, _CREATE),
    "run": Verb(create.run, create.FLAGS_OF_RUN, must=("image",)),
    "apply": Verb(apply.apply, apply.FLAGS),
    "diff": Verb(apply.diff, apply.OF_DIFF),
    "delete": Verb(delete.run, delete.FLAGS),
    "label": Verb(labels.label, labels.FLAGS),
    "annotate": Verb(labels.annotate, labels.FLAGS),
    "patch": Verb(patch.patch, patch.FLAGS),
    "replace": Verb(patch.replace, patch.REPLACES),
    "scale": Verb(patch.scale, patch.SCALES, must=("replicas",)),
    "cordon": Verb(nodes.cordon, nodes.CORDONS),
    "uncordon": Verb(nodes.uncordon, nodes.CORDONS),
    "taint": Verb(nodes.taint, nodes.TAINTS),
    "auth": Verb(under={"can-i": Verb(auth.can_i, auth.FLAGS), "whoami": Verb(auth.whoami, auth.OF_WHOAMI)}),
    "describe": Verb(describe.run, describe.FLAGS),
    "events": Verb(events.run, events.FLAGS),
    "explain": Verb(explain.run, explain.FLAGS),
    "logs": Verb(inside.logs, inside.OF_LOGS),
    "exec": Verb(inside.execute, inside.OF_EXEC),
    "port-forward": Verb(forward.forward, forward.OF_FORWARD),
    "attach": Verb(inside.attach, inside.OF_ATTACH),
    "debug": Verb(debug.debug, debugging.FLAGS),
    "top": Verb(under={word: Verb(top.top, top.FLAGS) for word in ("node", "pod")}),
    "wait": Verb(wait.run, wait.FLAGS),
    "drain": Verb(drain.run, drain.FLAGS),
    "expose": Verb(exposing.expose, exposing.OF_EXPOSE),
    "autoscale": Verb(exposing.autoscale, exposing.OF_AUTOSCALE, must=("max",)),
    "set": Verb(under={"image": Verb(exposing.set_image, exposing.OF_SET)}),
    "rollout": Verb(
        under={
            "status": Verb(rollout.status, rollout.OF_STATUS),
            "history": Verb(rollout.history, rollout.OF_HISTORY),
            "undo": Verb(rollout.undo, rollout.OF_UNDO),
            "restart": Verb(rollout.restart, rollout.OF_OTHERS),
            "pause": Verb(rollout.pause, rollout.OF_OTHERS),
            "resume": Verb(rollout.resume, rollout.OF_OTHERS),
        }
    ),
    "version": Verb(info.version, info.OF_VERSION),
    "cluster-info": Verb(info.cluster_info),
    "api-resources": Verb(info.api_resources, info.OF_RESOURCES),
    "api-versions": Verb(info.api_versions),
}
ALIASES = {**create.SHORT, "nodes": "node", "pods": "pod", "no": "node", "po": "pod"}
NOT_HERE = ("cp", "edit", "proxy", "config", "plugin", "completion", "kustomize")


def split(text: str) -> tuple[list[str], str | None]:
    """Words, as a shell reads them, and what a ``<<EOF`` gives to standard input. Raises Failed."""
    command, mark, rest = text.partition("<<")
    given: str | None = None
    if mark:
        first, _, body = rest.partition("\n")
        end = first.strip().strip("'\"-")
        lines = body.split("\n")
        if end not in [line.strip() for line in lines]:
            raise fail(f"here-document delimited by end-of-file (wanted `{end}')")
        place = [line.strip() for line in lines].index(end)
        given = "".join(f"{line}\n" for line in lines[:place])
    try:
        words = shlex.split(command.replace("\\\n", " "))
    except ValueError as wrong:
        raise fail(f"the line cannot be read: {wrong}; close every quote") from None
    if "|" in words:
        raise fail("a line is one kubectl: what follows a | is for a shell, which is not here")
    return words[1:] if words[:1] in (["kubectl"], ["k"]) else words, given


def done(words: list[str], line: Line) -> Steps:
    """Do what *words* say; the exit status. Never raises `Failed`: it is printed."""
    try:
        status = yield from _done(words, line)
    except Failed as problem:
        text = str(problem)
        if text:
            line.screen.complain(text)
        return problem.status
    return status or 0


def _done(words: list[str], line: Line) -> Steps:
    front = _global_first(words)
    verb, path, rest = _found(words[len(front) :])
    rest = [*front, *rest]
    assert verb.run is not None, "a verb without verbs below it does something"
    given = flags.parse(rest, verb.flags, " ".join(path))
    missing = [f'"{name}"' for name in verb.must if not given.has(name)]
    if missing:
        raise fail(f"required flag(s) {', '.join(missing)} not set")
    if given.on("help"):
        raise Failed(f"help is not here; see https://kubernetes.io/docs/reference/kubectl/generated/ for {path[0]}", 0)
    line.given = given
    return (yield from verb.run(line, given))


def _global_first(words: list[str]) -> list[str]:
    """Flags in front of the verb, with their values: ``-n shop get pods``."""
    known = {f"--{flag.name}": flag for flag in flags.GLOBAL}
    known |= {f"-{flag.short}": flag for flag in flags.GLOBAL if flag.short}
    at = 0
    while at < len(words) and words[at].startswith("-"):
        flag = known.get(words[at])
        at += 2 if flag is not None and flag.alone is None else 1
    return words[:at]


def _found(words: list[str]) -> tuple[Verb, list[str], list[str]]:
    """The verb, its name, and the words behind it. Raises Failed."""
    if not words:
        raise Failed(f"kubectl controls the Kubernetes cluster manager.\n\nIt knows: {', '.join(sorted(VERBS))}", 0)
    there: Mapping[str, Verb] = VERBS
    path: list[str] = []
    left = list(words)
    while True:
        word = left[0] if left else ""
        verb = there.get(word) or there.get(ALIASES.get(word, word))
        if verb is None:
            raise _unknown(word, path, there)
        path.append(word)
        left.pop(0)
        if not verb.under or (verb.run is not None and not (left and _stands(left[0], verb.under))):
            return verb, path, left
        there = verb.under


def _stands(word: str, under: Mapping[str, Any]) -> bool:
    return word in under or ALIASES.get(word) in under


def _unknown(word: str, path: list[str], there: Mapping[str, Any]) -> Failed:
    if path:
        name = " ".join(path)
        if not word or word.startswith("-"):
            listed = "\n".join(f"  {one}" for one in sorted(there))
            return Failed(f"Available Commands:\n{listed}\n\nUsage:\n  kubectl {name} SUBCOMMAND [options]")
        return fail(f"unknown command \"{word}\"\nSee 'kubectl {name} -h' for help and examples")
    if word in NOT_HERE:
        return fail(f"{word} needs a kubectl of your own: run kubemini serve, and use it there")
    near = difflib.get_close_matches(word, there, 3)
    hint = "".join(f"\n\t{one}" for one in near)
    asked = f"\n\nDid you mean this?{hint}" if near else ""
    return fail(f'unknown command "{word}" for "kubectl"{asked}')

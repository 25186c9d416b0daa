"""What ``kubectl apply`` sends, and what it prints.

Apply compares three things: what was applied last (an annotation of the object), what is to be applied now, and what
is there. What is new or different now is sent; what was applied last and is not any more is removed; what others added
stays. An object that is not there is created, with the annotation.
Models k/kubectl pkg/cmd/apply Patcher.
Simplified: no pruning, no --force, no field manager named; a missing annotation is made up without a warning.
"""

import json
from collections.abc import Mapping
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.kinds import kind_of
from kubemini.api.objects import Obj, evolve, freeze, get
from kubemini.api.patch import published, threeway
from kubemini.api.patch.merge import three_way

STRICT = {"fieldValidation": "Strict"}  # as kubectl asks with each write
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_ESCAPES = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def with_annotation(obj: Obj) -> Obj:
    """*obj* with itself as its last applied configuration, as kubectl writes it."""
    bare = configuration(obj)
    return evolve(bare, ("metadata", "annotations", LAST_APPLIED), go_json(bare))


def configuration(obj: Obj) -> Obj:
    """What is to be applied: with its namespace, and without the annotation."""
    meta = dict(obj["metadata"])
    if kind_of(obj).namespaced:
        meta.setdefault("namespace", "default")
    notes = meta.get("annotations") or {}
    meta["annotations"] = {key: value for key, value in notes.items() if key != LAST_APPLIED}
    return freeze({**obj, "metadata": meta})


def go_json(value: Any) -> str:
    """JSON as Go's encoder writes it: keys sorted, no spaces, a few letters escaped, a line feed at the end."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return "".join(_ESCAPES.get(letter, letter) for letter in text) + "\n"


def patch_for(obj: Obj, current: Obj) -> tuple[dict[str, Any], str]:
    """What must change in *current* so that *obj* is applied ({} if nothing), and the type of that patch.

    Strategic where the schema has the kind, else a merge patch.
    """
    last = get(current, "metadata", "annotations", LAST_APPLIED, default="{}")
    try:
        original = json.loads(last)
    except ValueError:
        original = {}
    original = original if isinstance(original, dict) else {}
    type = published.type_of(obj["apiVersion"], obj["kind"])
    if not type:
        return three_way(original, with_annotation(obj), current), "merge"
    return threeway.patch(original, with_annotation(obj), current, published.lookup, type), "strategic"


# -- what kubectl prints ---------------------------------------------------------------------------
def called(obj: Mapping[str, Any]) -> str:
    """``deployment.apps/web``: how kubectl calls an object when it prints that it did something."""
    kind = kind_of(obj)
    group = f".{kind.group}" if kind.group else ""
    return f"{kind.kind.lower()}{group}/{obj['metadata']['name']}"


def complaint(error: Any, doing: str, source: str, asked: str) -> str:
    """What kubectl prints when *doing* ("creating") something from the file *source* failed with *error*.

    *asked*: the request, as `asked_of` writes it.
    """
    if error is None:
        return ""
    if not isinstance(error, ApiError):
        return f'error: error when {doing} "{source}": {unanswered(error, asked)}' if doing else unreached(error, asked)
    if error.reason == "Invalid" and error.details.get("causes"):
        found = [f"{c['field']}: {c['message']}" for c in error.details["causes"]]
        listed = found[0] if len(found) == 1 else "\n" + "\n".join(f"* {line}" for line in found)
        return f'The {error.details.get("kind", "")} "{error.details.get("name", "")}" is invalid: {listed}'
    where = f'error when {doing} "{source}": ' if doing else ""
    return f"Error from server{f' ({error.reason})' if error.reason else ''}: {where}{error.message}"


def not_created(error: Any, resource: str, asked: str) -> str:
    """What ``kubectl create`` prints when that failed; *resource*: ``configmap``.

    Models k/kubectl pkg/cmd/create ConfigMapOptions.Run
    """
    if error is None:
        return ""
    why = error.message if isinstance(error, ApiError) else unanswered(error, asked)
    return f"error: failed to create {resource}: {why}"


def asked_of(server: str, verb: str, path: str) -> str:
    """A request as Go's errors name it: ``Post "https://haproxy-1:6443/api/v1/…"``."""
    return f'{verb.capitalize()} "https://{server}:6443{path}"'


def unanswered(error: Any, asked: str) -> str:
    """A request that no server has answered, as Go says it."""
    return f"{asked}: {f'dial tcp {_host(asked)}: connect: {error}' if _is_refused(error) else error}"


def unreached(error: Any, asked: str) -> str:
    """The same when nothing but a look was asked for.

    Models k/kubectl pkg/cmd/util StandardErrorMessage
    """
    if _is_refused(error):
        return f"The connection to the server {_host(asked)} was refused - did you specify the right host or port?"
    return f"Unable to connect to the server: {error}"


def _host(asked: str) -> str:
    return asked.split("/")[2].rstrip('"')


def _is_refused(error: Any) -> bool:
    return bool(error.reason == "connection refused")


def worth_another_try(error: Any) -> bool:
    """Whether the same may succeed later: nobody answered, or the server was in trouble or had too much to do."""
    return not isinstance(error, ApiError) or error.code == 429 or error.code >= 500


def stays_refused(error: Any) -> bool:
    """Whether a server that said so many times means it: its own fault, and certainly nothing happened."""
    return isinstance(error, ApiError) and error.code == 500 and error.definite

"""The expressions of a policy: what they may name, and what stands behind the names in a write.

Models k/apiserver pkg/admission/plugin/cel CompositedCompiler.CompileAndStoreVariables CreateAdmissionRequest
CreateNamespaceObject, pkg/admission/plugin/webhook/matchconditions matcher.Match.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api.cel import Refusal
from kubemini.api.cel.admission import Named, expression, variables_of
from kubemini.api.cel.evaluator import Later
from kubemini.api.cel.functions.access import Decision, Question
from kubemini.api.cel.functions.times import to_timestamp
from kubemini.api.cel.values import CelError
from kubemini.api.objects import Obj
from kubemini.apiserver.decide.attributes import Attributes

OF_NAMESPACE = (
    *("name", "generateName", "namespace", "labels", "annotations", "creationTimestamp", "finalizers"),
    *("deletionGracePeriodSeconds", "deletionTimestamp", "generation", "resourceVersion"),
)


@dataclass(frozen=True, slots=True)
class Scene:
    """What stands behind the names of the expressions of one policy, in one write."""

    values: Mapping[str, Any]
    params: bool
    variables: Named | None

    def run(self, text: str, wanted: str) -> Any:
        """The value of *text*. Raises CelError, with the text in front."""
        try:
            return expression(text, wanted, self.params, self.variables).run(self.values)
        except (CelError, Refusal) as error:
            raise CelError(f"expression '{text}' resulted in error: {error}") from None


def scene(
    spec: Mapping[str, Any],
    asked: Attributes,
    space: Obj | None,
    param: Obj | None = None,
    may: Callable[[Question], Decision] | None = None,
) -> Scene:
    """The scene of the policy *spec*, with one of its parameters; *may* is the authorizer."""
    params = spec.get("paramKind") is not None
    known = variables_of(spec)
    values: dict[str, Any] = {
        "object": asked.obj,
        "oldObject": asked.old,
        "request": request(asked),
        "namespaceObject": None if space is None else _namespace(space),
        "authorizer": None if may is None else _authorizer(asked, may),
    }
    values |= {"params": param} if params else {}
    values["variables"] = _later(spec, values, known, params)
    return Scene(values, params, known)


def _later(spec: Mapping[str, Any], values: dict[str, Any], known: Named | None, params: bool) -> dict[str, Later]:
    """The variables, each worked out when it is first asked for."""
    found: dict[str, Later] = {}
    for place, one in enumerate(spec.get("variables") or ()):
        found[one["name"]] = Later(_worked_out(one, (known or ())[:place], values, params))
    return found


def _worked_out(one: Mapping[str, Any], before: Named, values: dict[str, Any], params: bool) -> Callable[[], Any]:
    def work() -> Any:
        try:
            return expression(one["expression"], "", params, before).run(values)
        except Refusal as error:
            raise CelError(f'composited variable "{one["name"]}" fails to compile: {error}') from None
        except CelError as error:
            raise CelError(f'composited variable "{one["name"]}" fails to evaluate: {error}') from None

    return work


def unmet(conditions: Iterable[Mapping[str, Any]] | None, seen: Scene) -> bool:
    """Whether a match condition does not hold. Raises CelError if none says no and one cannot be worked out."""
    wrong = []
    for one in conditions or ():
        try:
            if seen.run(one["expression"], "bool") is False:
                return True
        except CelError as error:
            wrong.append(str(error))
    if wrong:
        raise CelError(f"[{', '.join(wrong)}]" if len(wrong) > 1 else wrong[0])
    return False


def request(asked: Attributes) -> dict[str, Any]:
    """The write itself, as an expression sees it, and an AdmissionReview shows it."""
    kind, user = asked.kind, asked.user
    of_kind = {"group": kind.group, "version": kind.version, "kind": kind.kind}
    resource = {"group": kind.group, "version": kind.version, "resource": kind.plural}
    who: dict[str, Any] = {"username": user.name}
    who |= {"uid": user.uid} if user.uid else {}
    who |= {"groups": list(user.groups)} if user.groups else {}
    who |= {"extra": {key: list(said) for key, said in user.extra.items()}} if user.extra else {}
    found: dict[str, Any] = {
        "kind": of_kind,
        "resource": resource,
        "requestKind": of_kind,
        "requestResource": resource,
        "name": asked.name,
        "operation": asked.operation,
        "userInfo": who,
        "dryRun": asked.dry,
    }
    found |= {"namespace": asked.namespace} if asked.namespace else {}
    part = asked.subresource
    return found | ({"subResource": part, "requestSubResource": part} if part else {})


def _namespace(space: Obj) -> dict[str, Any]:
    meta = dict(space["metadata"])
    for field in ("creationTimestamp", "deletionTimestamp"):
        if meta.get(field):
            meta[field] = to_timestamp(meta[field])
    shown = {field: meta[field] for field in OF_NAMESPACE if field in meta} | {"UID": meta.get("uid", "")}
    return {"metadata": shown, "spec": space.get("spec") or {}, "status": space.get("status") or {}}


def _authorizer(asked: Attributes, may: Callable[[Question], Decision]) -> Question:
    kind = asked.kind
    about = Question(
        may,
        "ResourceCheck",
        group=kind.group,
        resource=kind.plural,
        subresource=asked.subresource,
        namespace=asked.namespace,
        name=asked.name,
    )
    return Question(may, request=about)

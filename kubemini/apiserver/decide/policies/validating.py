"""ValidatingAdmissionPolicy: what its bindings make of a write: nothing, a warning, a refusal.

Models k/apiserver pkg/admission/plugin/policy/validating dispatcher.Dispatch validator.Validate,
pkg/admission/plugin/policy/generic CollectParams.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from kubemini.api import labels
from kubemini.api.cel.functions.access import Decision, Question
from kubemini.api.cel.values import CelError
from kubemini.api.kinds import KNOWN, Kind
from kubemini.api.objects import Obj, get
from kubemini.apiserver.decide.attributes import Attributes
from kubemini.apiserver.decide.policies import rules
from kubemini.apiserver.decide.policies.matching import matches
from kubemini.apiserver.decide.policies.rules import Scene

CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413, "Invalid": 422}
LONGEST, LONGEST_NOTE = 5 * 1024, 10 * 1024
NO_PARAMS = "no params found for policy binding with `Deny` parameterNotFoundAction"
NO_PLACE = "cannot use namespaced paramRef in policy binding that matches cluster-scoped resources"
Notes = dict[str, list[str]]
May = Callable[[Question], Decision]


class Verdict(NamedTuple):
    """One policy's no, by one of its bindings (none: the policy itself cannot be used)."""

    policy: str
    binding: str
    message: str
    reason: str
    actions: tuple[str, ...]
    which: int = 0  # of the expressions

    @property
    def audited(self) -> dict[str, Any]:
        """As the audit log is told."""
        said = {"message": self.message, "policy": self.policy, "binding": self.binding}
        return {**said, "expressionIndex": self.which, "validationActions": [*self.actions]}

    @property
    def refusal(self) -> str:
        """As the writer is told."""
        bound = f" with binding '{self.binding}'" if self.binding else ""
        return f"ValidatingAdmissionPolicy '{self.policy}'{bound} denied request: {self.message}"

    @property
    def warning(self) -> str:
        """As the writer is warned."""
        start = f"Validation failed for ValidatingAdmissionPolicy '{self.policy}' with binding '{self.binding}'"
        return f"{start}: {self.message}"


class ConfigError(Exception):
    """A policy or binding that cannot be used."""


def verdicts(
    policies: Iterable[Obj], bindings: Iterable[Obj], asked: Attributes, space: Obj | None, may: May | None
) -> Iterator[Verdict]:
    """Every no, in the order of the policies' and the bindings' names; what they note besides is for the audit log."""
    bound = list(bindings)
    for policy in policies:
        spec, name = policy["spec"], policy["metadata"]["name"]
        mine = [one for one in bound if get(one, "spec", "policyName") == name]
        if mine and matches(spec.get("matchConstraints"), asked, space):
            notes: Notes = {}
            for binding in mine:
                if matches(get(binding, "spec", "matchResources"), asked, space):
                    yield from _of_binding(policy, binding, asked, space, may, notes)
            for key, values in notes.items():
                asked.annotate(f"{name}/{key}", ", ".join(values))


def _of_binding(
    policy: Obj, binding: Obj, asked: Attributes, space: Obj | None, may: May | None, notes: Notes
) -> Iterator[Verdict]:
    spec, names = policy["spec"], (policy["metadata"]["name"], binding["metadata"]["name"])
    actions = tuple(binding["spec"].get("validationActions") or ())
    fails = spec.get("failurePolicy") != "Ignore"
    try:
        found = params(spec, binding["spec"].get("paramRef"), asked)
    except ConfigError as error:
        if fails:
            yield Verdict(*names, f"failed to configure binding: {error}", "Invalid", ("Deny",))
        return
    for param in found:
        scene = rules.scene(spec, asked, space, param, may)
        for message, reason, index in _judged(spec, scene, fails, notes):
            yield Verdict(*names, message, reason, actions, index)


def params(spec: Mapping[str, Any], ref: Mapping[str, Any] | None, asked: Attributes) -> list[Obj | None]:
    """The parameters that a binding gives; one None: it has none, or needs none. Raises ConfigError."""
    said = spec.get("paramKind")
    if said is None or ref is None:
        return [None]
    kind = param_kind(spec)
    if kind is None:
        raise ConfigError(f"paramKind kind `{said['apiVersion']}, Kind={said['kind']}` not known")
    namespace = ""
    if kind.namespaced:
        namespace = ref.get("namespace") or asked.namespace
        if not namespace:
            raise ConfigError(NO_PLACE)
    elif ref.get("namespace"):
        raise ConfigError("paramRef.namespace must not be provided for a cluster-scoped `paramKind`")
    if ref.get("name"):
        one = asked.known.get(kind, namespace, ref["name"])
        found: list[Obj | None] = [] if one is None else [one]
    else:
        picked = ref.get("selector") or {}
        every = asked.known.items(kind, namespace)
        found = [one for one in every if labels.matches(picked, get(one, "metadata", "labels") or {})]
    if not found and ref.get("parameterNotFoundAction") == "Deny":
        raise ConfigError(NO_PARAMS)
    return found


def param_kind(spec: Mapping[str, Any]) -> Kind | None:
    """The kind of the parameters of a policy, if it has any and the server knows it."""
    said = spec.get("paramKind")
    return KNOWN.get((said["apiVersion"], said["kind"])) if said else None


def _judged(spec: Mapping[str, Any], scene: Scene, fails: bool, notes: Notes) -> Iterator[tuple[str, str, int]]:
    """(message, reason, which) of every validation that does not hold, or cannot be worked out; fills *notes*."""
    try:
        if rules.unmet(spec.get("matchConditions"), scene):
            return
    except CelError as error:
        if fails:
            yield str(error), "Invalid", 0
        return
    for index, one in enumerate(spec.get("validations") or ()):
        try:
            if scene.run(one["expression"], "bool") is not True:
                yield _message(one, scene), one.get("reason") or "Invalid", index
        except CelError as error:
            if fails:
                yield str(error), "Invalid", index
    for one in spec.get("auditAnnotations") or ():
        try:
            value = str(scene.run(one["valueExpression"], "string or null") or "").strip()[:LONGEST_NOTE]
        except CelError as error:
            if fails:
                yield str(error), "Invalid", 0
            continue
        known = notes.setdefault(one["key"], []) if value else [value]
        known += [value] if value not in known else []


def _message(one: Mapping[str, Any], scene: Scene) -> str:
    said = ""
    if one.get("messageExpression"):
        try:
            said = str(scene.run(one["messageExpression"], "string")).strip()
        except CelError:
            said = ""  # the message that stands there, or the expression, is said instead
    if "\n" in said or len(said.encode()) > LONGEST:
        said = ""
    return said or (one.get("message") or "").strip() or f"failed expression: {one['expression'].strip()}"

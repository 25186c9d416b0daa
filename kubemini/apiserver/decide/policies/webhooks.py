"""Webhooks: who is asked about a write, what the question is, what becomes of the answer. Pure.

Models k/apiserver pkg/admission/plugin/webhook/mutating mutatingDispatcher.Dispatch,
pkg/admission/plugin/webhook/request CreateAdmissionObjects VerifyAdmissionResponse, pkg/admission/plugin/webhook/errors
ToStatusErr NewDryRunUnsupportedErr, pkg/util/proxy ResolveCluster.
Simplified: nobody is asked a second time after others have changed the object; AdmissionReview v1 only.
"""

import json
from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from kubemini.api import errors
from kubemini.api.cel.functions.access import Decision, Question
from kubemini.api.cel.values import CelError
from kubemini.api.errors import ApiError
from kubemini.api.names import host_port
from kubemini.api.objects import Obj, freeze, thaw
from kubemini.api.patch import jsonpatch
from kubemini.apiserver.decide.attributes import Attributes
from kubemini.apiserver.decide.parts import connections
from kubemini.apiserver.decide.policies import rules
from kubemini.apiserver.decide.policies.matching import matches

REVIEW = {"kind": "AdmissionReview", "apiVersion": "admission.k8s.io/v1"}
QUIET = ("None", "NoneOnDryRun")


@dataclass(frozen=True, slots=True)
class Late:
    """An answer that takes its time (µs)."""

    after: int
    answer: Any


class Unanswered(Exception):
    """A webhook that could not be asked, or whose answer is none; with the reason."""


@dataclass(frozen=True, slots=True)
class Hook:
    """One webhook that speaks of a write. *said*: as its configuration has it."""

    said: Mapping[str, Any]

    @property
    def name(self) -> str:
        """As its refusals name it."""
        return str(self.said["name"])

    @property
    def seconds(self) -> int:
        """How long it may take."""
        return int(self.said.get("timeoutSeconds") or 10)

    @property
    def ignorable(self) -> bool:
        """Whether the write goes on without its answer."""
        return self.said.get("failurePolicy") == "Ignore"

    @property
    def place(self) -> str:
        """Who answers: NAMESPACE/NAME of a Service, or a URL."""
        service = self.said["clientConfig"].get("service")
        return f"{service['namespace']}/{service['name']}" if service else str(self.said["clientConfig"].get("url"))

    @property
    def url(self) -> str:
        """Where it is asked, as errors show it."""
        service = self.said["clientConfig"].get("service")
        start = str(self.said["clientConfig"].get("url"))
        if service:
            host = f"{service['name']}.{service['namespace']}.svc:{service.get('port', 443)}"
            start = f"https://{host}/{(service.get('path') or '').removeprefix('/')}"
        return f"{start}?timeout={self.seconds}s"

    def closed(self, service: Obj | None, slices: Iterable[Obj]) -> str:
        """Why nobody answers behind the Service it names, by what the API says of its pods; "" if somebody does.

        The server dials the cluster IP, where the kernel of its host deals the connection to a ready pod, or where
        there is none to one that is on its way out and still serves; without any it refuses.
        """
        told = self.said["clientConfig"]["service"]
        if service is None:
            return f'service "{told["name"]}" not found'
        spec, port = service["spec"], told.get("port", 443)
        if spec.get("clusterIP") == "None":
            return 'cannot route to service with ClusterIP "None"'
        named = connections.port_name(service, port)
        if isinstance(named, ApiError):
            return named.message
        if connections.behind_cluster_ip(slices, named):
            return ""
        return connections.refused(host_port(spec.get("clusterIP", ""), port))

    def fails(self, why: str) -> ApiError:
        """500: it could not be asked, and the write does not go on without it."""
        return errors.internal(f'failed calling webhook "{self.name}": {why}')

    def unreachable(self, why: str) -> str:
        """The reason, when the call itself went wrong."""
        return f'failed to call webhook: Post "{self.url}": {why}'


def hooks(
    configurations: Iterable[Obj],
    asked: Attributes,
    space: Obj | None,
    may: Callable[[Question], Decision] | None = None,
) -> "Iterator[Hook | ApiError]":
    """The webhooks that speak of the write, by the names of their configurations; an ApiError ends it."""
    for configuration in configurations:
        for said in configuration.get("webhooks") or ():
            hook = Hook(said)
            if not (said.get("rules") and matches(said, asked, space)):
                continue
            try:
                unmet = rules.unmet(said.get("matchConditions"), rules.scene({}, asked, space, None, may))
            except CelError as error:
                if not hook.ignorable:
                    yield errors.forbidden(asked.kind, asked.name, str(error))
                continue
            if unmet:
                continue
            if asked.dry and said.get("sideEffects") not in QUIET:
                yield errors.bad_request(f'admission webhook "{hook.name}" does not support dry run')
                return
            yield hook


def review(asked: Attributes, uid: str) -> dict[str, Any]:
    """The question: an AdmissionReview."""
    request = {"uid": uid, **rules.request(asked), "object": thaw(asked.obj), "oldObject": thaw(asked.old)}
    return {**REVIEW, "request": request}


def decided(
    hook: Hook, asked: Attributes, uid: str, answer: Any, mutates: bool
) -> "tuple[Obj | None, list[str]] | ApiError":
    """(the object after the answer, warnings), or the refusal. Raises Unanswered for what is no answer."""
    response = _verified(answer, uid, mutates)
    warnings = [str(text) for text in response.get("warnings") or ()]
    if response.get("allowed") is not True:
        return _denied(hook.name, response.get("status") or {})
    if not response.get("patch"):
        return asked.obj, warnings
    if asked.obj is None:
        why = f'admission webhook "{hook.name}" attempted to modify the object'
        return errors.internal(f"{why}, which is not supported for this operation")
    patched = _patched(asked.obj, response["patch"])
    return patched if isinstance(patched, ApiError) else (patched, warnings)


def _verified(answer: Any, uid: str, mutates: bool) -> Mapping[str, Any]:
    invalid = "received invalid webhook response: "
    response = answer.get("response") if isinstance(answer, Mapping) else None
    if not isinstance(response, Mapping):
        raise Unanswered(f"{invalid}webhook response was absent")
    if response.get("uid") != uid:
        raise Unanswered(f'{invalid}expected response.uid="{uid}", got "{response.get("uid") or ""}"')
    patch, type = response.get("patch"), response.get("patchType")
    if not mutates and (patch or type):
        field = "patch" if patch else "patchType"
        raise Unanswered(f"{invalid}validating webhook may not return response.{field}")
    if patch and not type:
        raise Unanswered(f"{invalid}webhook returned response.patch but not response.patchType")
    if type and not patch:
        raise Unanswered(f"{invalid}webhook returned response.patchType but not response.patch")
    if type not in (None, "JSONPatch"):
        raise Unanswered(f'unsupported patch type "{type}"')
    return response


def _patched(obj: Obj, patch: Any) -> Obj | ApiError:
    try:
        steps = json.loads(b64decode(patch)) if isinstance(patch, str) else patch
    except ValueError:
        raise Unanswered("received undecodable patch in webhook response") from None
    try:
        return freeze(jsonpatch.apply(thaw(obj), steps))
    except jsonpatch.PatchError as error:
        return errors.internal(str(error))


def _denied(name: str, status: Mapping[str, Any]) -> ApiError:
    said = status.get("message") or status.get("reason")
    start = f'admission webhook "{name}" denied the request'
    code = max(400, int(status.get("code") or 0))
    text = f"{start}: {said}" if said else f"{start} without explanation"
    return ApiError(code, str(status.get("reason") or ""), text, details=freeze(status.get("details") or {}))

"""API failures are values: the ``Status`` body that kubectl prints, and whether the deed certainly did not happen.

Invariant: ``error.definite`` is True only if nothing was changed and nothing will be. A deadline is indefinite, a
Conflict is definite.
Source: kubernetes/apimachinery pkg/api/errors/errors.go, and kubernetes/apiserver responsewriters/status.go for errors
of etcd, which reach the user as code 500 with no reason and etcd's own words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp
from typing import Any

from kubemini.api.kinds import Kind
from kubemini.api.objects import FrozenDict, Obj, freeze

MODIFIED = "the object has been modified; please apply your changes to the latest version and try again"
TOO_LATE_TO_READ = (
    "the server was unable to return a response in the time allotted, but may still be processing the request"
)
TOO_LATE_WITHIN = "request did not complete within requested timeout - context deadline exceeded"


@dataclass(frozen=True, slots=True)
class ApiError:
    """A request that was not carried out, or whose fate is unknown (``definite`` is False)."""

    code: int
    reason: str
    message: str
    details: Obj = field(default_factory=FrozenDict)
    definite: bool = True
    plain: bool = False  # the answer is the bare text, no Status
    generic: bool = False  # its Status shows details even if there are none
    resume: str = ""  # the token with which a list may go on all the same

    def status(self) -> Obj:
        """The body of the answer: a Kubernetes ``Status``."""
        meta = {"continue": self.resume} if self.resume else {}
        body = {"kind": "Status", "apiVersion": "v1", "metadata": meta, "status": "Failure", "message": self.message}
        body |= {"reason": self.reason} if self.reason else {}
        body |= {"details": self.details} if self.details or self.generic else {}
        return freeze(body | {"code": self.code})

    @property
    def retry_after(self) -> int:
        """Seconds after which a client may try again; 0 if the server names none."""
        return self.details.get("retryAfterSeconds", 0)

    def __str__(self) -> str:
        """As kubectl prints it."""
        reason = f" ({self.reason})" if self.reason else ""
        return f"Error from server{reason}: {self.message}"


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one field of an object. ``field`` is spelled as in Go: ``spec.containers[0].name``."""

    reason: str
    field: str
    text: str

    @property
    def message(self) -> str:
        """Field, type, value and detail, as in the text of Invalid."""
        return f"{self.field}: {self.text}"

    def cause(self) -> dict[str, str]:
        """An entry of ``details.causes``."""
        return {"reason": self.reason, "message": self.text, "field": self.field}


# -- the constructors, one a kind of failure -------------------------------------------------------------------------


def not_found(kind: Kind, name: str) -> ApiError:
    """No such object."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', _about(kind, name))


def no_such_path() -> ApiError:
    """No such URL, or no such kind."""
    return generic(404, "NotFound", "the server could not find the requested resource")


def generic(code: int, reason: str, message: str) -> ApiError:
    """A refusal before anybody has looked what is asked for. Models k/apimachinery NewGenericServerResponse"""
    return ApiError(code, reason, message, generic=True)


def page_not_found() -> ApiError:
    """No such group of the API, nor any page of that name; the answer is plain text, no Status."""
    return ApiError(404, "", "404 page not found", plain=True)


def internal(why: str, definite: bool = True) -> ApiError:
    """The server's own fault."""
    details = freeze({"causes": [{"message": why}]})
    return ApiError(500, "InternalError", f"Internal error occurred: {why}", details, definite=definite)


def failed(why: str) -> ApiError:
    """A refusal that reaches the user as code 500 without a reason: an error of Go that nobody made a Status of."""
    return ApiError(500, "", why)


def already_exists(kind: Kind, name: str, being_deleted: bool = False) -> ApiError:
    """The name is taken, perhaps by an object that is on its way out."""
    prefix = "object is being deleted: " if being_deleted else ""
    return ApiError(409, "AlreadyExists", f'{prefix}{kind.resource} "{name}" already exists', _about(kind, name))


def conflict(kind: Kind, name: str, why: str = MODIFIED) -> ApiError:
    """The object is not, or no longer, what the writer believed."""
    message = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return ApiError(409, "Conflict", message, _about(kind, name))


def precondition_failed(kind: Kind, name: str, what: str, wanted: str, found: str) -> ApiError:
    """A delete that named a UID or ResourceVersion (*what*) met another object."""
    how = "deleted and then recreated" if what == "UID" else "modified"
    why = f"the {what} in the precondition ({wanted}) does not match the {what} in record ({found}). "
    message = f'Operation cannot be fulfilled on {kind.kind} "{name}": {why}The object might have been {how}'
    details = {"name": name, "group": kind.said_group, "kind": kind.kind}
    return ApiError(409, "Conflict", message, freeze({key: value for key, value in details.items() if value}))


def invalid(kind: Kind, name: str, errors: Sequence[FieldError]) -> ApiError:
    """The object breaks rules: at least one of *errors*."""
    assert errors, "an Invalid needs at least one field error"
    texts = [error.message for error in errors]
    what = texts[0] if len(texts) == 1 else "[" + ", ".join(texts) + "]"
    details = {"name": name, "group": kind.said_group, "kind": kind.kind, "causes": [error.cause() for error in errors]}
    details = {key: value for key, value in details.items() if value}
    return ApiError(422, "Invalid", f'{kind.group_kind} "{name}" is invalid: {what}', freeze(details))


def forbidden(kind: Kind, name: str, why: str) -> ApiError:
    """Not allowed, in the words of the admission plugin or authorizer *why*."""
    subject = f'{kind.resource} "{name}"' if name else kind.resource
    return ApiError(403, "Forbidden", f"{subject} is forbidden: {why}", _about(kind, name))


def namespace_terminating(kind: Kind, name: str, namespace: str) -> ApiError:
    """Nothing new comes into a namespace that is going away."""
    why = f"unable to create new content in namespace {namespace} because it is being terminated"
    text = f"namespace {namespace} is being terminated"
    cause = {"reason": "NamespaceTerminating", "message": text, "field": "metadata.namespace"}
    refused = forbidden(kind, name, why)
    return replace(refused, details=freeze({**refused.details, "causes": [cause]}))


def unauthorized() -> ApiError:
    """Nobody knows who is asking."""
    return ApiError(401, "Unauthorized", "Unauthorized")


def bad_request(message: str) -> ApiError:
    """The request makes no sense."""
    return ApiError(400, "BadRequest", message)


def method_not_allowed() -> ApiError:
    """The resource exists, the verb does not."""
    return generic(405, "MethodNotAllowed", "the server does not allow this method on the requested resource")


def method_not_supported(kind: Kind, verb: str) -> ApiError:
    """What is done to a part of a custom resource that has no such verb. Models k/apimachinery NewMethodNotSupported"""
    text = f'{verb} is not supported on resources of kind "{kind.resource}"'
    return ApiError(405, "MethodNotAllowed", text, freeze({"group": kind.group, "kind": kind.plural}))


def unsupported_media_type(message: str) -> ApiError:
    """A body, or a patch, of a type that the server does not read."""
    return ApiError(415, "UnsupportedMediaType", message)


def expired(message: str = "The resourceVersion for the provided watch is too old.") -> ApiError:
    """The history that was asked for has been compacted: list again."""
    return ApiError(410, "Expired", message)


def too_old(requested: int, oldest: int) -> ApiError:
    """The watch cache no longer holds what came after *requested*."""
    return expired(f"too old resource version: {requested} ({oldest})")


def too_large(requested: int, current: int) -> ApiError:
    """A resourceVersion from the future: this server has not seen it yet."""
    message = f"Timeout: Too large resource version: {requested}, current: {current}"
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    return ApiError(504, "Timeout", message, freeze({"causes": causes, "retryAfterSeconds": 1}))


def cache_not_ready(seconds: float) -> ApiError:
    """A watch cache that has not been filled for *seconds*: nothing was begun; the longer, the later to ask again.

    Models k/apiserver pkg/storage/cacher calculateRetryAfterForUnreadyCache.
    """
    again = int(min(30, max(1, exp(0.06 * seconds))))
    return ApiError(429, "TooManyRequests", "storage is (re)initializing", freeze({"retryAfterSeconds": again}))


def timeout(message: str = TOO_LATE_WITHIN) -> ApiError:
    """No answer in time: it may have happened, or may yet."""
    return ApiError(504, "Timeout", f"Timeout: {message}", definite=False)


def read_timeout(kind: Kind, name: str = "") -> ApiError:
    """No answer in time to a GET, of one object or of all, as client-go puts it."""
    what = f"{kind.resource} {name}" if name else kind.resource
    return ApiError(504, "Timeout", f"{TOO_LATE_TO_READ} (get {what})")


def unavailable(message: str, definite: bool = True) -> ApiError:
    """The server cannot serve now."""
    return ApiError(503, "ServiceUnavailable", message, definite=definite)


def from_etcd(message: str, definite: bool = False) -> ApiError:
    """An error of etcd, passed on in its own words: ``etcdserver: request timed out``."""
    return ApiError(500, "", message, definite=definite)


def from_status(status: Mapping[str, Any], definite: bool = True) -> ApiError:
    """The error that a ``Status`` body (say of an ERROR event of a watch) speaks of."""
    details = freeze(status.get("details", {}))
    return ApiError(status.get("code", 500), status.get("reason", ""), status.get("message", ""), details, definite)


def _about(kind: Kind, name: str) -> Obj:
    """``details``: in a Status, ``kind`` holds the resource."""
    pairs = {"name": name, "group": kind.said_group, "kind": kind.plural}
    return freeze({key: value for key, value in pairs.items() if value})

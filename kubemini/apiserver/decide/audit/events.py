"""What is said of one request, as an Event of audit.k8s.io/v1: who asked for what, and how it ended. Pure.

An event begins with what is known when the request comes in; each stage says what is known by then. The fields stand
in the order in which the real server writes them.
Models k/apiserver pkg/audit LogRequestMetadata LogRequestObject LogResponseObject LogImpersonatedUser
AuditContext.ProcessEventStage.
"""

from collections.abc import Mapping
from typing import Any

from kubemini.api.errors import ApiError
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import micro_timestamp
from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.audit.policy import API_VERSION, REQUEST, RESPONSE, Config
from kubemini.apiserver.decide.request import RequestInfo

ORDER = (
    "kind",
    "apiVersion",
    "level",
    "auditID",
    "stage",
    "requestURI",
    "verb",
    "user",
    "impersonatedUser",
    "sourceIPs",
    "userAgent",
    "objectRef",
    "responseStatus",
    "requestObject",
    "responseObject",
    "requestReceivedTimestamp",
    "stageTimestamp",
    "annotations",
)
LONGEST_AGENT, CUT = 1024, "...TRUNCATED"
UNACCEPTABLE = 406  # what the client would read has not been settled
TOLD = ("status", "message", "reason", "details", "code")
Event = dict[str, Any]


def begun(
    config: Config, audit_id: str, info: RequestInfo, user: UserInfo, uri: str, agent: str, ip: str, now: int
) -> Event:
    """What is known of a request that has come in at *now* (µs)."""
    event = {
        "kind": "Event",
        "apiVersion": API_VERSION,
        "level": config.level,
        "auditID": audit_id,
        "requestURI": uri,
        "verb": info.verb,
        "user": user.shown(),
        "requestReceivedTimestamp": micro_timestamp(now),
    }
    if ip:
        event["sourceIPs"] = [ip]
    if agent:
        event["userAgent"] = agent if len(agent) <= LONGEST_AGENT else agent[:LONGEST_AGENT] + CUT
    if info.is_resource:
        named = {
            "resource": info.resource,
            "namespace": info.namespace,
            "name": info.name,
            "apiGroup": info.group,
            "apiVersion": info.version,
            "subresource": info.subresource,
        }
        event["objectRef"] = {key: value for key, value in named.items() if value}
    return event


def with_request(event: Event, config: Config, obj: Any) -> Event:
    """… and what was sent, which may name the object."""
    meta = get(obj, "metadata") or {} if isinstance(obj, Mapping) else {}
    named = {key: meta[key] for key in ("namespace", "name", "uid", "resourceVersion") if meta.get(key)}
    told = {**event, "objectRef": {**named, **event.get("objectRef", {})}} if named else event
    return {**told, "requestObject": _terse(config, obj)} if config.level in (REQUEST, RESPONSE) else told


def with_patch(event: Event, config: Config, patch: Any) -> Event:
    """… and the patch that was sent."""
    return {**event, "requestObject": patch} if config.level in (REQUEST, RESPONSE) else event


def with_response(event: Event, config: Config, code: int, answer: Any) -> Event:
    """… and what was answered: an object, an ApiError, or what is neither."""
    told_of = isinstance(answer, ApiError) and not answer.plain and answer.code != UNACCEPTABLE
    obj = answer.status() if told_of else answer if isinstance(answer, Mapping) and "kind" in answer else None
    status: dict[str, Any] = {"metadata": {}}
    if obj is not None and obj.get("kind") == "Status":
        status |= {key: obj[key] for key in TOLD if key in obj}
    told = {**event, "responseStatus": {**status, "code": code}}
    return {**told, "responseObject": _terse(config, obj)} if config.level == RESPONSE and obj is not None else told


def ended(event: Event) -> Event:
    """… and that nobody waited for an answer, if there was none."""
    early = {"metadata": {}, "status": "Success", "message": "Connection closed early", "code": 200}
    return event if "responseStatus" in event else {**event, "responseStatus": early}


def panicked(event: Event, what: str) -> Event:
    """… and that the server failed."""
    status = {"status": "Failure", "message": f"APIServer panic'd: {what}", "reason": "InternalError", "code": 500}
    return {**event, "responseStatus": {"metadata": {}, **status}}


def at_stage(event: Event, stage: str, now: int, annotations: Mapping[str, str]) -> Event:
    """The line that is written when *stage* is reached, at *now* (µs)."""
    whole = {**event, "stage": stage, "stageTimestamp": micro_timestamp(now)}
    if annotations:
        whole["annotations"] = {key: annotations[key] for key in sorted(annotations)}
    return {key: whole[key] for key in ORDER if key in whole}


def _terse(config: Config, obj: Any) -> Any:
    """*obj*, without its managed fields if the policy does not want them; so the items of a list, and rows."""
    if not config.terse or not isinstance(obj, Mapping):
        return obj
    told = _unmanaged(obj)
    if "items" in told:
        told = {**told, "items": [_unmanaged(item) for item in told["items"]]}
    if told.get("kind") == "Table":
        rows = [{**row, "object": _unmanaged(row["object"])} for row in told.get("rows") or ()]
        told = {**told, "rows": rows}
    return told


def _unmanaged(obj: Obj) -> Any:
    if not isinstance(obj.get("metadata"), Mapping) or "managedFields" not in obj["metadata"]:
        return obj
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}

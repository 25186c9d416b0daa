"""agnhost webhook: allows, denies and changes what an API server asks it about, each at a path of its own.

Models k/k test/images/agnhost/webhook main serve addLabel admitPods mutatePods mutatePodsSidecar denySpecificAttachment
admitConfigMaps mutateConfigmaps admitCustomResource mutateCustomResource admitCRD
Simplified: no TLS, but without the file of its certificate it does not start; AdmissionReview v1 only.
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from kubemini.containers.context import Answer, Request
from kubemini.containers.process import Life, Process, Server
from kubemini.containers.programs.serving import PLAIN, ends_by, flags, serves
from kubemini.sim.units import NEVER, SECOND

JSON = (("Content-Type", "application/json"),)
ASKS = "webhook-e2e-test"  # the label, or key, that says what becomes of an object
ADDED, SIDECAR, MUTATED = "webhook-added-init-container", "webhook-added-sidecar", "webhook-to-be-mutated"
Judge = Callable[[Mapping[str, Any]], dict[str, Any]]


def main(process: Process) -> Life:
    """Serve until it is told to end; 255: it has no certificate."""
    told = flags(process)
    for name in ("tls-cert-file", "tls-private-key-file"):
        if not process.files.exists(told.get(name, "")):
            return process.complain(f"open {told.get(name, '')}: no such file or directory", 255)
    paths = PATHS | {"/mutating-pods-sidecar": lambda asked: _sidecar(asked, told.get("sidecar-image", ""))}

    def answer(request: Request) -> Answer:
        path = urlsplit(request.path).path
        if path == "/readyz":
            return Answer(200, b"ok", PLAIN)
        if path not in paths:
            return Answer(404, b"404 page not found\n", PLAIN)
        return _answer(paths[path], path, request)

    ends_by(process)
    return (yield from serves(process, int(told.get("port", 443)), Server(answer, tls=True)))


def _answer(judge: Judge, path: str, request: Request) -> Answer:
    try:
        review = json.loads(request.body)
        asked = review["request"]
    except (ValueError, KeyError, TypeError):
        return Answer(400, b"Request could not be decoded\n", PLAIN)
    said = judge(asked) | {"uid": asked["uid"]}
    delay = 5 * SECOND if path == "/always-allow-delay-5s" else 0
    if said.pop("silent", False):
        delay = NEVER // 2
    body = {"kind": review["kind"], "apiVersion": review["apiVersion"], "response": said}
    return Answer(200, json.dumps(body, separators=(",", ":")).encode(), JSON, delay)


def _allowed(patch: list[Any] | None = None) -> dict[str, Any]:
    if not patch:
        return {"allowed": True}
    return {"allowed": True, "patchType": "JSONPatch", "patch": b64encode(json.dumps(patch).encode()).decode()}


def _denied(**status: Any) -> dict[str, Any]:
    return {"allowed": False, "status": {"metadata": {}, **status}}


def _object(asked: Mapping[str, Any]) -> Mapping[str, Any]:
    """What it is about: of what is deleted the old one."""
    found = asked.get("oldObject") if asked["operation"] == "DELETE" else asked.get("object")
    return found or {}


def _labels(asked: Mapping[str, Any]) -> Mapping[str, str]:
    return (_object(asked).get("metadata") or {}).get("labels") or {}


def _add_label(asked: Mapping[str, Any]) -> dict[str, Any]:
    labels = _labels(asked)
    if not labels:
        return _allowed([{"op": "add", "path": "/metadata/labels", "value": {"added-label": "yes"}}])
    if labels.get("added-label") == "yes":
        return _allowed()
    verb = "replace" if "added-label" in labels else "add"
    return _allowed([{"op": verb, "path": "/metadata/labels/added-label", "value": "yes"}])


def _pods(asked: Mapping[str, Any]) -> dict[str, Any]:
    wish, why = _labels(asked).get(ASKS), ""
    if wish == "webhook-disallow":
        why += "the pod contains unwanted label; "
    if wish == "wait-forever":
        return {"allowed": False, "silent": True}
    for container in (_object(asked).get("spec") or {}).get("containers") or ():
        if "webhook-disallow" in container["name"]:
            why += "the pod contains unwanted container name; "
    return _denied(message=why.strip()) if why else _allowed()


def _attachment(asked: Mapping[str, Any]) -> dict[str, Any]:
    options = _object(asked)
    if asked["name"] == "to-be-attached-pod" and options.get("stdin") and options.get("container") == "container1":
        return _denied(message="attaching to pod 'to-be-attached-pod' is not allowed")
    return _allowed()


def _has(asked: Mapping[str, Any], field: str, name: str) -> bool:
    return any(one["name"] == name for one in (_object(asked).get("spec") or {}).get(field) or ())


def _mutate_pods(asked: Mapping[str, Any]) -> dict[str, Any]:
    if (_object(asked).get("metadata") or {}).get("name") != MUTATED or _has(asked, "initContainers", ADDED):
        return _allowed()
    added = {"image": "webhook-added-image", "name": ADDED, "resources": {}}
    return _allowed([{"op": "add", "path": "/spec/initContainers", "value": [added]}])


def _sidecar(asked: Mapping[str, Any], image: str) -> dict[str, Any]:
    if not image:
        return _denied(status="Failure", message="No image specified by the sidecar-image parameter", code=500)
    if _has(asked, "containers", SIDECAR):
        return _allowed()
    added = {"image": image, "name": SIDECAR, "resources": {}}
    return _allowed([{"op": "add", "path": "/spec/containers/-", "value": added}])


def _by_data(kind: str, gone: str) -> Judge:
    """Allowed unless the data of a *kind* say otherwise; *gone*: why it may not be deleted."""

    def judge(asked: Mapping[str, Any]) -> dict[str, Any]:
        wish, deletes = (_object(asked).get("data") or {}).get(ASKS), asked["operation"] == "DELETE"
        if wish == "webhook-disallow" and asked["operation"] in ("CREATE", "UPDATE"):
            return _denied(reason=kind)
        if wish == "webhook-nondeletable" and deletes:
            return _denied(reason=gone)
        return _allowed()

    return judge


def _in_stages(asked: Mapping[str, Any]) -> dict[str, Any]:
    """What has begun to be changed goes one stage further."""
    data = _object(asked).get("data") or {}
    stage = 2 if data.get("mutation-stage-1") == "yes" else 1 if data.get("mutation-start") == "yes" else 0
    return _allowed([{"op": "add", "path": f"/data/mutation-stage-{stage}", "value": "yes"}] if stage else None)


def _definition(asked: Mapping[str, Any]) -> dict[str, Any]:
    if _labels(asked).get(ASKS) == "webhook-disallow":
        return _denied(message="the crd contains unwanted label")
    return _allowed()


UNDELETABLE = "cannot be deleted because it contains unwanted key and value"
PATHS: dict[str, Judge] = {
    "/always-allow-delay-5s": lambda asked: {
        "allowed": True,
        "status": {"metadata": {}, "message": "this webhook allows all requests"},
    },
    "/always-deny": lambda asked: _denied(message="this webhook denies all requests"),
    "/add-label": _add_label,
    "/pods": _pods,
    "/pods/attach": _attachment,
    "/mutating-pods": _mutate_pods,
    "/configmaps": _by_data("the configmap contains unwanted key and value", f"the configmap {UNDELETABLE}"),
    "/mutating-configmaps": _in_stages,
    "/custom-resource": _by_data("the custom resource contains unwanted data", f"the custom resource {UNDELETABLE}"),
    "/mutating-custom-resource": _in_stages,
    "/crd": _definition,
}

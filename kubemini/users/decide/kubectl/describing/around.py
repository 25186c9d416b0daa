"""What a description asks for beside the object: its events, its pods, its replica sets, its endpoints.

Models k/kubectl pkg/describe searchEvents getPodStatusForController formatEndpointSlices; pkg/util/deployment
GetAllReplicaSets.
"""

from typing import Any

from kubemini.api import names
from kubemini.api.labels import SERVICE_NAME
from kubemini.users.decide.kubectl.asking import Failed, Steps
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.targets import Info, selector_of

SHOWN = 3  # endpoints, before there are "more"
MIRROR = "kubernetes.io/config.mirror"


def events(line: Line, info: Info) -> Steps:
    """The events about *info*'s object; none if they cannot be read, None if they are not to be shown."""
    if not line.given.values.get("show-events", True):
        return None
    meta = info.obj["metadata"]
    uid = (meta.get("annotations") or {}).get(MIRROR) or meta.get("uid", "")
    kind = "" if info.resource.name == "pods" else info.resource.kind
    found = yield from _events(line, info, kind, uid)
    if info.resource.name == "nodes":
        found += yield from _events(line, info, kind, info.name)
    return found


def _events(line: Line, info: Info, kind: str, uid: str) -> Steps:
    fields = [f"involvedObject.name={info.name}"]
    fields += [f"involvedObject.namespace={info.namespace}"]
    fields += [f"involvedObject.kind={kind}"] if kind else []
    fields += [f"involvedObject.uid={uid}"] if uid else []
    try:
        resource = yield from line.known.find("events")
        return (yield from line.list(resource, info.namespace, ("fieldSelector", ",".join(fields))))
    except Failed:
        return []


def pods_of(line: Line, info: Info) -> Steps:
    """How many pods of a controller run, wait, have succeeded, have failed."""
    resource = yield from line.known.find("pods")
    found = yield from line.list(
        resource, info.namespace, ("labelSelector", selector_text(info.obj["spec"].get("selector")))
    )
    counts = dict.fromkeys(("Running", "Pending", "Succeeded", "Failed"), 0)
    for pod in found:
        phase = (pod.get("status") or {}).get("phase", "")
        if is_of(pod, info.obj) and phase in counts:
            counts[phase] += 1
    running, waiting, succeeded, failed = counts.values()
    return f"{running} Running / {waiting} Waiting / {succeeded} Succeeded / {failed} Failed"


def selector_text(selector: Any) -> str:
    """A selector of either form as a query."""
    if selector and not {"matchLabels", "matchExpressions"} & set(selector):
        return ",".join(f"{key}={selector[key]}" for key in sorted(selector))
    return selector_of(selector or {})


def is_of(obj: Any, owner: Any) -> bool:
    """Whether *owner* controls *obj*."""
    owners = obj["metadata"].get("ownerReferences") or []
    return any(one.get("controller") and one.get("uid") == owner["metadata"].get("uid") for one in owners)


def replica_sets(line: Line, info: Info) -> Steps:
    """The old replica sets of a deployment, and the new one."""
    resource = yield from line.known.find("replicasets.apps")
    query = ("labelSelector", selector_of(info.obj["spec"]["selector"]))
    found = [one for one in (yield from line.list(resource, info.namespace, query)) if is_of(one, info.obj)]
    found.sort(key=lambda one: (one["metadata"].get("creationTimestamp", ""), one["metadata"]["name"]))
    wanted = _bare(info.obj["spec"]["template"])
    new = next((one for one in found if _bare(one["spec"]["template"]) == wanted), None)
    old = [one for one in found if one is not new]
    return old, [new] if new is not None else []


def _bare(template: Any) -> Any:
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != "pod-template-hash"}
    return {**template, "metadata": {**meta, "labels": labels}}


def slices_of(line: Line, namespace: str, service: str) -> Steps:
    """The endpoint slices of a service."""
    resource = yield from line.known.find("endpointslices.discovery.k8s.io")
    return (yield from line.list(resource, namespace, ("labelSelector", f"{SERVICE_NAME}={service}")))


def endpoints(slices: list[Any], port_name: str) -> str:
    """``10.0.0.1:80,10.0.0.2:80``, of the port of that name."""
    if not slices:
        return "<none>"
    found: list[str] = []
    for one in slices:
        ready = [
            e["addresses"][0] for e in one.get("endpoints") or [] if (e.get("conditions") or {}).get("ready", True)
        ]
        ports = one.get("ports") or []
        if not ports:
            found += ready
        for port in ports:
            if port.get("name", "") == port_name:
                found += [names.host_port(address, port["port"]) for address in ready]
    more = f" + {len(found) - SHOWN} more..." if len(found) > SHOWN else ""
    return ",".join(found[:SHOWN]) + more

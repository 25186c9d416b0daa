"""``kubectl expose``, ``autoscale`` and ``set image``.

Models k/kubectl pkg/cmd/expose ExposeServiceOptions.RunExpose; pkg/cmd/autoscale AutoscaleOptions.Run; pkg/cmd/set
SetImageOptions.Run.
"""

import re
from typing import Any

from kubemini.users.decide.kubectl import files, targets
from kubemini.users.decide.kubectl.asking import STRATEGIC, Failed, Refused, Steps, fail, together
from kubemini.users.decide.kubectl.changes import writing
from kubemini.users.decide.kubectl.changes.labels import found
from kubemini.users.decide.kubectl.flags import BOOL, INT, Flag, Given
from kubemini.users.decide.kubectl.line import Line
from kubemini.users.decide.kubectl.making.parts import int_or_percent, pairs
from kubemini.users.decide.kubectl.targets import Info

OF_EXPOSE = (
    *targets.FILES,
    *writing.WRITES,
    *writing.SAVE,
    *(Flag(name) for name in ("port", "target-port", "protocol", "name", "type", "selector", "external-ip")),
    *(Flag(name) for name in ("cluster-ip", "session-affinity", "load-balancer-ip")),
    Flag("overrides", unheard=True),
    Flag("labels", "l"),
)
OF_AUTOSCALE = (
    *targets.FILES,
    *writing.WRITES,
    *writing.SAVE,
    Flag("min", kind=INT, default=-1),
    Flag("max", kind=INT, default=-1),
    Flag("cpu-percent", kind=INT, default=-1),
    Flag("cpu"),
    Flag("memory"),
    Flag("name"),
)
OF_SET = (
    *targets.FILES,
    *targets.SELECTOR,
    *writing.WRITES,
    Flag("all", kind=BOOL),
    Flag("local", kind=BOOL, unheard=True),
)
LONGEST = 63  # of the name of a Service
AS_SAID = {"type": "type", "clusterIP": "cluster-ip", "sessionAffinity": "session-affinity"}  # field → flag
NO_SELECTOR = "selector must be specified"
EXPOSABLE = ("pods", "services", "replicationcontrollers", "deployments", "replicasets")
WORKLOADS = ("pods", "replicationcontrollers", "deployments", "daemonsets", "replicasets", "statefulsets", "jobs")


# -- expose ------------------------------------------------------------------------------------------------------------
def expose(line: Line, given: Given) -> Steps:
    """A Service for what runs."""
    how = yield from writing.of(line, given, "kubectl-expose")
    selector, given.values["selector"] = given["selector"], ""
    infos, errors, _ = yield from found(line, given, given.words, files.named(line, must=False))
    for info in infos:
        try:
            made = _service(given, info, selector)
            service = yield from line.known.find("services")
            if how.dry != writing.CLIENT:
                made = yield from line.send("POST", service.path(line.namespace), made, how.query)
            how.tell(made, "exposed")
        except Failed as problem:
            errors.append(problem)
    together(errors)


def _service(given: Given, info: Info, selector: str) -> dict[str, Any]:
    if info.resource.name not in EXPOSABLE:
        one = info.resource
        kind = f"{one.kind}.{one.group}" if one.group else one.kind
        raise fail(f"cannot expose a {kind}")
    spec = info.obj.get("spec") or {}
    chosen = pairs(selector.split(","), "selector") if selector else _selector(info, spec)
    ports = _ports(given, _protocols(spec))
    if given["session-affinity"] not in ("", "None", "ClientIP"):
        raise fail(f"unknown session affinity: {given['session-affinity']}")
    labels = info.obj["metadata"].get("labels") or {}
    if given["labels"]:
        labels = pairs(given["labels"].split(","), "label spec")
    meta = {"name": given["name"] or info.name[:LONGEST]} | ({"labels": labels} if labels else {})
    meta |= {"namespace": given["namespace"]} if given["namespace"] else {}
    made: dict[str, Any] = {"ports": ports} if ports else {}
    made |= {"selector": chosen}
    made |= {field: given[flag] for field, flag in AS_SAID.items() if given[flag]}
    made |= {"externalIPs": [given["external-ip"]]} if given["external-ip"] else {}
    if given["type"] == "LoadBalancer" and given["load-balancer-ip"]:
        made |= {"loadBalancerIP": given["load-balancer-ip"]}
    head = {"apiVersion": "v1", "kind": "Service", "metadata": meta}
    return {**head, "spec": made, "status": {"loadBalancer": {}}}


def _selector(info: Info, spec: Any) -> dict[str, str]:
    """Models k/kubectl pkg/polymorphichelpers mapBasedSelectorForObject"""
    kind = info.resource.name
    selector = spec.get("selector") or {}
    if kind == "pods":
        selector, why = info.obj["metadata"].get("labels"), "the pod has no labels and cannot be exposed"
    elif kind == "services":
        why = "the service has no pod selector set"
    elif kind == "replicationcontrollers":
        why = ""
    else:
        why = f"invalid {info.resource.kind.lower()}: no selectors, therefore cannot be exposed"
        expressions, selector = selector.get("matchExpressions"), selector.get("matchLabels")
        if selector and expressions:
            shown = " ".join(_as_go_shows(one) for one in expressions)
            why, selector = f'couldn\'t convert expressions - "[{shown}]" to map-based selector format', None
    if not selector:
        raise fail(f"couldn't retrieve selectors via --selector flag or introspection: {why}" if why else NO_SELECTOR)
    return dict(selector)


def _as_go_shows(one: Any) -> str:
    return f"{{Key:{one['key']} Operator:{one['operator']} Values:[{' '.join(one.get('values') or ())}]}}"


def _protocols(spec: Any) -> dict[str, list[str]]:
    """The ports that are there, in order, each with its protocols."""
    pod = (spec.get("template") or {}).get("spec") or spec
    ports = [(one["containerPort"], one) for found in pod.get("containers") or [] for one in found.get("ports") or []]
    ports += [(one["port"], one) for one in spec.get("ports") or []]
    found: dict[str, list[str]] = {}
    for port, one in ports:
        found.setdefault(str(port), []).append(one.get("protocol") or "TCP")
    return found


def _ports(given: Given, known: dict[str, list[str]]) -> list[dict[str, Any]]:
    """The ports of the Service: those that are asked for, or all that are *known*."""
    wanted = given["port"].split(",") if given["port"] else list(known)
    if not wanted and given["cluster-ip"] != "None":
        raise fail("couldn't find port via --port flag or introspection")
    found: list[dict[str, Any]] = []
    for number, text in enumerate(wanted, start=1):
        if not re.fullmatch(r"[-+]?[0-9]{1,9}", text):
            raise fail(f'strconv.Atoi: parsing "{text}": invalid syntax')
        named = {"name": f"port-{number}"} if len(wanted) > 1 else {}
        protocols = [given["protocol"]] if given["protocol"] else known.get(text, ["TCP"])
        for protocol in protocols:
            name = {"name": f"port-{number}-{protocol.lower()}"} if len(protocols) > 1 else named
            target = int_or_percent(given["target-port"] or text)
            found.append({**name, "protocol": protocol, "port": int(text), "targetPort": target})
    return found


# -- autoscale ---------------------------------------------------------------------------------------------------------
def autoscale(line: Line, given: Given) -> Steps:
    """A HorizontalPodAutoscaler for what can be scaled."""
    if given["max"] < 1:
        raise fail("--max=MAXPODS is required and must be at least 1, max: " + str(given["max"]))
    if given["max"] < given["min"]:
        raise fail(f"--max=MAXPODS must be larger or equal to --min=MINPODS, max: {given['max']}, min: {given['min']}")
    if given.has("cpu-percent"):
        line.screen.complain(
            "Flag --cpu-percent has been deprecated, Use --cpu with percentage or resource quantity format "
            "(e.g., '70%' for utilization or '500m' for milliCPU)."
        )
    how = yield from writing.of(line, given, "kubectl-autoscale", typed=True)
    infos, errors, _ = yield from found(line, given, given.words, files.named(line, must=False))
    for info in infos:
        made = _autoscaler(given, info)
        try:
            resource = yield from line.known.find("horizontalpodautoscalers.v2.autoscaling")
            if how.dry != writing.CLIENT:
                made = yield from line.send("POST", resource.path(line.namespace), made, how.query)
            how.tell(made, "autoscaled")
        except Refused as problem:
            errors.append(problem)
    together(errors)


def _autoscaler(given: Given, info: Info) -> dict[str, Any]:
    one, name = info.resource, given["name"] or info.name
    metrics = []
    cpu = given["cpu"] or (f"{given['cpu-percent']}%" if given["cpu-percent"] >= 0 else "")
    for resource, text in (("cpu", cpu), ("memory", given["memory"])):
        if text:
            metrics.append({"type": "Resource", "resource": {"name": resource, "target": _target(text)}})
    spec: dict[str, Any] = {
        "maxReplicas": given["max"],
        "scaleTargetRef": {"apiVersion": one.api_version, "kind": one.kind, "name": info.name},
    }
    spec |= {"metrics": metrics} if metrics else {}
    spec |= {"minReplicas": given["min"]} if given["min"] > 0 else {}
    meta = {"name": name} | ({"namespace": given["namespace"]} if given["namespace"] else {})
    kind = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler"}
    return dict(writing.as_typed({**kind, "metadata": meta, "spec": spec, "status": {}}))


def _target(text: str) -> dict[str, Any]:
    if text.endswith("%"):
        return {"type": "Utilization", "averageUtilization": int(text[:-1])}
    return {"type": "AverageValue", "averageValue": text}


# -- set image ---------------------------------------------------------------------------------------------------------
def set_image(line: Line, given: Given) -> Steps:
    """New images for containers."""
    words = [word for word in given.words if "=" not in word]
    images = pairs([word for word in given.words if "=" in word], "image spec")
    paths = files.named(line, must=False)
    if not (words or paths):
        raise fail(targets.MISSING)
    if not images:
        raise fail("at least one image update is required")
    how = yield from writing.of(line, given, "kubectl-set", checks=False, typed=True)
    infos, errors, _ = yield from found(line, given, words, paths)
    for info in infos:
        try:
            change = _images(info, images, errors)
            if not change:
                continue
            after = info.obj
            if how.dry != writing.CLIENT:
                after = yield from line.send("PATCH", info.path, change, how.query, STRATEGIC)
            how.tell(after, "image updated")
        except Refused as problem:
            errors.append(fail(f"failed to patch image update to pod template: {problem.message}"))
        except Failed as problem:
            errors.append(problem)
    together(errors)


def _images(info: Info, images: dict[str, str], errors: list[Failed]) -> dict[str, Any]:
    """The patch, {} if nothing changes; a container that is not there is one of the *errors*. Raises Failed."""
    spec = info.obj.get("spec") or {}
    pod = spec if info.resource.name == "pods" else (spec.get("template") or {}).get("spec")
    if info.resource.name not in WORKLOADS or pod is None:
        raise fail(f"error: {info.resource.called}/{info.name} the object is not a pod or does not have a pod template")
    changed: dict[str, list[Any]] = {}
    for name, image in images.items():
        hits = 0
        for field in ("initContainers", "containers"):
            for one in pod.get(field) or []:
                if name in ("*", one["name"]):
                    hits += 1
                    if one.get("image") != image:
                        changed.setdefault(field, []).append({"name": one["name"], "image": image})
        if not hits:
            errors.append(fail(f'unable to find container named "{name}"'))
    if not changed:
        return {}
    order = {f"$setElementOrder/{field}": [{"name": one["name"]} for one in pod[field]] for field in changed}
    inner: dict[str, Any] = {**order, **changed}
    return {"spec": inner if info.resource.name == "pods" else {"template": {"spec": inner}}}

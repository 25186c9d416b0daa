"""The cluster that a decision is made on: API server, etcd, scheduler; everything else is made by hand."""

import json

from kubemini.api.kinds import collection_path
from tests.oracles.sessions.world import Inside

AGENT, JSON, MERGE = "recorder/1.0", "application/json", "application/merge-patch+json"
PRIORITIES = {"low": 100, "mid": 1000, "high": 10000, "never": 10000, "neg": -100, "top": 1000000}
RUNTIMES = {"heavy": {"cpu": "250m", "memory": "120Mi"}, "memonly": {"memory": "64Mi"}}
OFF = ("DefaultTolerationSeconds", "ServiceAccount", "TaintNodesByCondition", "StorageObjectInUseProtection")
NEVER_LEFT = ("<time>",)  # what stands for a time in a recording
PARAMS = (("all_controllers", True), ("record_events", True))
SETTLE = 0.1  # seconds until the scheduler has heard of what was made


class Stage(Inside):
    """A cluster with a scheduler, to be asked from outside."""

    def __init__(self):
        super().__init__(("api", "scheduler"), PARAMS, off=OFF)
        self.scheduler = self.cluster.components["scheduler-1"]
        self.until(lambda: self.scheduler.elector.leading)
        for name, value in PRIORITIES.items():
            policy = {"preemptionPolicy": "Never"} if name == "never" else {}
            self.create(_named("scheduling.k8s.io/v1", "PriorityClass", name, value=value, **policy))
        for name, overhead in RUNTIMES.items():
            more = {"handler": "h", "overhead": {"podFixed": overhead}}
            self.create(_named("node.k8s.io/v1", "RuntimeClass", name, **more))

    @property
    def machine(self):
        """The scheduler without its wires."""
        return self.scheduler.machine

    def ask(self, method, path, body=None, type=JSON):
        """The answer to one request, which must be welcome."""
        headers = {"Content-Type": type} if body is not None else {}
        answer = self.send({"method": method, "path": path, "body": body, "headers": headers}, AGENT)
        said = json.loads(answer.body)
        assert answer.status < 300, f"{method} {path}: {said.get('message')}"
        return said

    def create(self, obj, dry=False):
        """Make an object, with its status as it is given; one that is being deleted is deleted."""
        obj = _sent(obj)
        namespace = obj["metadata"].get("namespace")
        if namespace not in (None, "default") and obj["kind"] != "Namespace":
            self.namespace(namespace)
        for owner in obj["metadata"].get("ownerReferences") or ():
            owner.setdefault("uid", f"uid-of-{owner['name']}")
        path = collection_path(obj)
        deleting = "deletionTimestamp" in obj["metadata"]
        if dry:
            return self.ask("POST", f"{path}?dryRun=All", obj)
        made = {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if not k.startswith("deletion")}}
        if deleting and obj["kind"] != "Pod":
            made["metadata"]["finalizers"] = obj["metadata"].get("finalizers") or ["example.com/held"]
        self.ask("POST", path, made)
        one = f"{path}/{obj['metadata']['name']}"
        if obj.get("status") and obj["kind"] != "Node":
            self.ask("PATCH", f"{one}/status", {"status": obj["status"]}, MERGE)
        if deleting:
            grace = obj["metadata"].get("deletionGracePeriodSeconds")
            self.ask("DELETE", one, {} if grace is None else {"gracePeriodSeconds": grace})
        return None

    def namespace(self, name, labels=None):
        """A namespace, made if it is not there, with these labels."""
        wanted = {"metadata": {"labels": labels}} if labels else None
        known = self.send({"method": "GET", "path": f"/api/v1/namespaces/{name}"}, AGENT).status == 200
        if not known:
            meta = {"name": name, **({"labels": labels} if labels else {})}
            self.ask("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        elif wanted:
            self.ask("PATCH", f"/api/v1/namespaces/{name}", wanted, MERGE)

    def request(self, recorded):
        """A recorded request."""
        return self.ask(recorded["method"], recorded["path"], recorded.get("body"), recorded.get("contentType", JSON))

    def pod(self, name, namespace="default"):
        """A pod, or None."""
        step = {"method": "GET", "path": f"/api/v1/namespaces/{namespace}/pods/{name}"}
        answer = self.send(step, AGENT)
        return json.loads(answer.body) if answer.status == 200 else None

    def events(self, name, namespace="default"):
        """The Events about a pod, in the order of their making."""
        path = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
        found = [e for e in self.ask("GET", path)["items"] if e["regarding"]["name"] == name]
        return sorted(found, key=lambda e: (e["eventTime"] or "", int(e["metadata"]["resourceVersion"])))


def _named(api_version, kind, name, **more):
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **more}


def _sent(obj):
    """As it was sent: with its apiVersion and kind, and without what only stands for something."""
    text = json.loads(json.dumps(obj))
    kind = text.get("kind") or ("Pod" if "containers" in text.get("spec", {}) else "Node")
    return {"apiVersion": "v1", "kind": kind, **text}


def condition_of(pod, type="PodScheduled"):
    """A condition of a pod, as recordings have it."""
    for found in (pod or {}).get("status", {}).get("conditions") or ():
        if found["type"] == type:
            return {part: found[part] for part in ("type", "status", "reason", "message") if found.get(part)}
    return None


def told(event, uids=()):
    """An Event as recordings have it."""
    note = event.get("note", "")
    for uid in uids:
        note = note.replace(uid, "<uid>")
    parts = {part: event.get(part) for part in ("type", "reason", "action", "reportingController")}
    return {**{k: v for k, v in parts.items() if v}, "note": note}

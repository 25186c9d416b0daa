"""Whether a controller has done what was in its queue: an object of its kind is changed, and it must say so.

A thread a kind, which works while somebody waits for it. Whoever waits gets an answer to a pulse that began after he
asked.
"""

import threading
import time

from kubemini.api.kinds import by_name
from tests.oracles.ha.real.programs import Failed
from tests.real.workloads.asking import PATIENCE, Client

PULSE = "pulse"
STRATEGIC = "application/strategic-merge-patch+json"
LOOKS = 0.03  # s
NOBODY = {"apiVersion": "v1", "kind": "ConfigMap", "name": "nobody", "uid": "00000000-0000-0000-0000-000000000001"}


def begin(plane):
    """Kind → its Pulse, begun."""
    ask = Client(plane.port).ask
    space = {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": PULSE}}
    assert ask("POST", "/api/v1/namespaces", space)[0] == 201
    pulses = {kind: Pulse(plane, kind) for kind in specs()}
    return {**pulses, "ConfigMap": Orphans(plane, "ConfigMap")}


class Pulse:
    """That of one kind."""

    def __init__(self, plane, kind):
        self.ask, self.closing, self.kind = Client(plane.port).ask, plane.closing, kind
        self.path = by_name(kind).path(PULSE)
        self.turn, self.beats, self.begun, self.asked = threading.Condition(), 0, 0, 0
        self._lay()
        threading.Thread(target=self._run, daemon=True).start()

    def wanted(self):
        """Ask for a beat; the number of the first that begins after this."""
        with self.turn:
            self.asked = self.begun + 1
            self.turn.notify_all()
            return self.asked

    def await_beat(self, number):
        """Wait for that beat. Raises Failed."""
        with self.turn:
            self.turn.wait_for(lambda: self.beats >= number or self.closing.is_set(), PATIENCE)
            if self.beats < number:
                raise Failed(f"the real controller of {self.kind} has not answered")

    def _run(self):
        try:
            while not self.closing.is_set():
                with self.turn:
                    if not self.turn.wait_for(lambda: self.asked > self.begun, 1):
                        continue
                    self.begun += 1
                self._beat(self.begun)
                with self.turn:
                    self.beats = self.begun
                    self.turn.notify_all()
        finally:
            self.closing.set()

    def _lay(self):
        """Make the object that is changed."""
        of = by_name(self.kind)
        made = {"apiVersion": of.api_version, "kind": self.kind, "metadata": {"name": PULSE}}
        code, answer = self.ask("POST", self.path, {**made, "spec": specs()[self.kind]})
        assert code == 201, answer

    def _beat(self, number):
        path = f"{self.path}/{PULSE}"
        code, patched = self.ask("PATCH", path, changed(self.kind, number), STRATEGIC)
        assert code == 200, patched
        self._until(lambda: answered(self.ask, self.kind, path, patched))

    def _until(self, happened):
        while not self.closing.is_set() and not happened():
            time.sleep(LOOKS)


class Orphans(Pulse):
    """That of the garbage collector: what belongs to nobody goes."""

    def _lay(self):
        """Nothing is needed."""

    def _beat(self, number):
        meta = {"name": f"orphan-{number}", "ownerReferences": [NOBODY]}
        code, answer = self.ask("POST", self.path, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        assert code == 201, answer
        self._until(lambda: self.ask("GET", f"{self.path}/orphan-{number}")[0] == 404)


def answered(ask, kind, path, patched):
    """Whether the controller has seen that the object was *patched*."""
    if kind == "Service":
        slices = ask("GET", f"/apis/discovery.k8s.io/v1/namespaces/{PULSE}/endpointslices")[1]["items"]
        return [one["metadata"]["labels"].get("beat") for one in slices] == [patched["metadata"]["labels"]["beat"]]
    status = ask("GET", path)[1].get("status", {})
    if kind == "Job":
        said = {one["type"]: one["status"] for one in status.get("conditions") or ()}
        return said.get("Suspended") == str(patched["spec"]["suspend"])
    return status.get("observedGeneration", 0) >= patched["metadata"]["generation"]


def specs():
    """Kind → the spec of the object that is changed by a pulse: none of them ever has a pod."""
    nowhere = {"nodeSelector": {"no": "where"}}
    controller = _workload("c", replicas=0) | {"selector": {"app": "c"}}
    return {
        "Deployment": _workload("d", replicas=0),
        "ReplicaSet": _workload("r", replicas=0),
        "ReplicationController": controller,
        "StatefulSet": _workload("s", replicas=0, serviceName=PULSE),
        "DaemonSet": _workload("o", nowhere),
        "PodDisruptionBudget": {"selector": {"matchLabels": {"app": "b"}}, "maxUnavailable": 1},
        "Job": {"suspend": True, "parallelism": 0, "template": _workload("j", {"restartPolicy": "Never"})["template"]},
        "Service": {"selector": {"app": "v"}, "ports": [{"port": 80, "targetPort": 80}]},
    }


def _workload(app, pod=None, **more):
    labels = {"app": app}
    spec = {"containers": [{"name": "c", "image": "app:1"}], **(pod or {})}
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {"selector": {"matchLabels": labels}, "template": template, **more}


def changed(kind, number):
    """What a pulse of that *number* changes."""
    if kind == "Service":
        return {"metadata": {"labels": {"beat": str(number)}}}
    if kind == "PodDisruptionBudget":
        return {"spec": {"maxUnavailable": 1 + number % 2}}
    if kind == "Job":
        return {"spec": {"suspend": not number % 2}}
    return {"spec": {"minReadySeconds": number % 2 + 1}}

"""The hand that played nodes, kubelets and who binds pods when a history was recorded (README.md there: "hand").

It registers nodes and keeps their Leases fresh, binds each new pod of ``schedulerName: by-hand`` at once, and patches
the status of pods when a step says so. Which node a pod was bound to is the hand's doing, not the controllers', and so
it is read from the recording; where that does not say, the nodes take turns.
"""

import re

from kubemini.api.timestamps import micro_timestamp
from kubemini.sim.units import MS
from tests.oracles.histories.noting import ELSEWHERE, NAMESPACE
from tests.oracles.histories.phases import RENEWED

TOPOLOGY = "topology.kubernetes.io/"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
ONE_BY_ONE = 30 * MS  # what a patch took the recorder's only thread
STRATEGIC = "application/strategic-merge-patch+json"
CAPACITY = {"cpu": "100", "memory": "1000Gi", "pods": "1000", "ephemeral-storage": "1000Gi"}
ZONES = re.compile(r"zones of ([0-9, and]+) CPU")  # in order of the nodes
READY = {"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "kubelet is posting ready status"}
UNREADY = {"status": "False", "reason": "ContainersNotReady", "message": "containers with unready status: [%s]"}
ENDS = {"fail": ("Failed", "PodFailed", "Error", 1), "succeed": ("Succeeded", "PodCompleted", "Completed", 0)}


class Hand:
    """Nodes, kubelets and scheduler of one history."""

    def __init__(self, world, notes, naming, recorded):
        self.world, self.notes, self.naming = world, notes, naming
        self.nodes, self.leases, self.silent = [], [], set()
        self.labels = {"set": NAMESPACE, f"{TOPOLOGY}region": NAMESPACE, f"{TOPOLOGY}zone": None}  # of a hollow node
        self.addresses = 0
        self.turn = 0
        self.automatic = ""
        steps = [step["kubelet"] for step in recorded["steps"] if "kubelet" in step]
        self.binds = recorded["kubelet"] == "hand" and not any(done["do"] == "bind" for done in steps)
        self.binds = self.binds and "scheduler" not in recorded["needs"]
        told = ZONES.search(recorded.get("about", ""))  # nothing else in a recording says how large its nodes were
        self.sizes = re.findall(r"[0-9]+", told[1]) if told else []
        notes.listeners.append(self._changed)

    # -- nodes ---------------------------------------------------------------------------------------------------------
    def register(self, node):
        """A node of that name, labels and taints; returns (code, answer)."""
        ready = node.get("ready", True)
        conditions = [] if ready is None else [self._condition(ready, {})]
        size = CAPACITY | ({"cpu": self.sizes.pop(0)} if self.sizes else {})
        status = {"conditions": conditions, "capacity": size, "allocatable": size}
        spec = {"taints": node["taints"]} if node.get("taints") else {}
        meta = {"name": node["name"], "labels": node.get("labels", {})}
        made = {"apiVersion": "v1", "kind": "Node", "metadata": meta, "spec": spec, "status": status}
        self._lease(node["name"])
        code, answer = self.world.ask("POST", "/api/v1/nodes", made)
        self.nodes.append(node["name"])
        return code, answer

    def neighbour(self):
        """A node that is well and belongs to nobody here: the recorder's clusters were shared with other histories."""
        self.register({"name": ELSEWHERE, "labels": {"topology.kubernetes.io/region": ELSEWHERE}})
        self.nodes.remove(ELSEWHERE)

    def silence(self, names):
        """Their kubelets renew no Lease from here on."""
        self.silent.update(names)

    def back(self, names):
        """They renew again, and say that they are ready."""
        self.silent.difference_update(names)
        for name in names:
            self._renew(name)
            self.say(name, True)

    def say(self, name, ready, told=()):
        """A node posts its readiness, in the words *told* if there are any."""
        conditions = [self._condition(ready, dict(told))]
        path = f"/api/v1/nodes/{name}/status"
        self.world.ask("PATCH", path, {"status": {"conditions": conditions}}, STRATEGIC)

    def _condition(self, ready, told):
        now = self.world.ago()
        said = {**READY, "status": "True"} if ready else {**READY, "status": "False", "reason": "KubeletNotReady"}
        return {**said, **told, "lastHeartbeatTime": now, "lastTransitionTime": now}

    def _lease(self, name):
        spec = {"holderIdentity": name, "leaseDurationSeconds": 40, "renewTime": micro_timestamp(self.world.sim.now)}
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": name}, "spec": spec}
        self.world.ask("POST", LEASES, lease)
        self.leases.append(name)

    def renew_at(self, instant):
        """From here on all Leases are renewed every 10 s, once of it at *instant* (µs)."""
        first = (instant - self.world.sim.now) % RENEWED
        self.world.sim.occur(first, 1, self.world.every, RENEWED, self._renew_all)

    def _renew_all(self):
        for name in self.leases:
            if name not in self.silent:
                self._renew(name)

    def _renew(self, name):
        spec = {"renewTime": micro_timestamp(self.world.sim.now)}
        self.world.tell("PATCH", f"{LEASES}/{name}", {"spec": spec}, "application/merge-patch+json")

    # -- pods come and go ----------------------------------------------------------------------------------------------
    def _changed(self, key, type, obj):
        if obj["kind"] == "Node" and type == "DELETED" and obj["metadata"]["name"] in self.nodes:
            self.nodes.remove(obj["metadata"]["name"])
        if obj["kind"] != "Pod" or type == "DELETED":
            return
        spec, meta = obj["spec"], obj["metadata"]
        by_hand = spec.get("schedulerName") == "by-hand" and not spec.get("nodeName")
        if self.binds and type == "ADDED" and by_hand and not spec.get("schedulingGates"):
            node = self._node_for(obj)
            if node:
                self._bind(meta["name"], node, self.world.tell)
        if self.automatic and spec.get("nodeName"):
            if meta.get("deletionTimestamp"):
                self.world.tell("DELETE", f"{PODS}/{meta['name']}", {"gracePeriodSeconds": 0})
            elif obj["status"].get("phase") == "Pending":
                self._patch(obj, self._status(obj, "ready", {}), wait=False)

    def automate(self, how):
        """From here on every bound pod becomes ready, and each deletion is confirmed, at once."""
        self.automatic = how
        for key, obj in list(self.notes.now.items()):
            self._changed(key, "MODIFIED", obj)
            self.world.reach(self.world.sim.now + ONE_BY_ONE)

    def _node_for(self, pod):
        affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
        terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms", [])
        wanted = [field["values"][0] for term in terms for field in term.get("matchFields", [])]
        if wanted:
            return wanted[0]
        recorded = self.naming.node_of(pod, self.notes.step)
        if recorded == "" or recorded in self.nodes or not self.nodes:
            return recorded
        self.turn += 1
        return self.nodes[(self.turn - 1) % len(self.nodes)]

    def _bind(self, name, node, send):
        meta, target = {"name": name, "namespace": NAMESPACE}, {"kind": "Node", "name": node}
        binding = {"apiVersion": "v1", "kind": "Binding", "metadata": meta, "target": target}
        send("POST", f"{PODS}/{name}/binding", binding)

    # -- what a kubelet does to a pod ----------------------------------------------------------------------------------
    def act(self, done, names):
        """A step's `kubelet`, to the pods of these names."""
        for name in names:
            pod = self.notes.now.get(f"Pod/{name}")
            if pod is None:
                continue  # ours has no such pod: compare.py says so
            if done["do"] == "bind":
                self._bind(name, done["node"], self.world.ask)
            elif done["do"] != "gone":
                self._patch(pod, self._status(pod, done["do"], done))
            else:
                if done.get("final"):
                    self._patch(pod, self._status(pod, done["final"], done))
                self.world.ask("DELETE", f"{PODS}/{name}", {"gracePeriodSeconds": 0})

    def _patch(self, pod, status, wait=True):
        send = self.world.ask if wait else self.world.tell
        send("PATCH", f"{PODS}/{pod['metadata']['name']}/status", {"status": status}, STRATEGIC)

    def _status(self, pod, do, done):
        """The status that a kubelet says after it *do*es something."""
        before, now = pod["status"], self.world.ago()
        ends = ENDS.get(do)
        ready = {"status": "True"} if do == "ready" else {"status": "False", "reason": ends[1]} if ends else None
        if ready is None:
            names = " ".join(container["name"] for container in pod["spec"]["containers"])
            ready = {**UNREADY, "message": UNREADY["message"] % names}
        said = {"Initialized": {"status": "True"}, "ContainersReady": ready, "Ready": ready}
        was = {one["type"]: one for one in before.get("conditions") or ()}
        since = {
            t: was[t]["lastTransitionTime"] for t, w in said.items() if was.get(t, {}).get("status") == w["status"]
        }
        conditions = [{"type": t, "lastTransitionTime": since.get(t, now), **what} for t, what in said.items()]
        conditions += further(done.get("conds"), now)
        status = {"phase": ends[0] if ends else "Running", "conditions": conditions}
        status["podIP"] = before.get("podIP") or self._address()
        status["podIPs"] = [{"ip": status["podIP"]}]
        status["startTime"] = before.get("startTime") or now
        status |= {"reason": done["reason"]} if ends and "reason" in done else {}
        old = {one["name"]: one for one in before.get("containerStatuses") or ()}
        status["containerStatuses"] = [
            self._container(container, old.get(container["name"], {}), do, done)
            for container in pod["spec"]["containers"]
        ]
        return status

    def _container(self, container, before, do, done):
        now = self.world.ago()
        state = {"running": {"startedAt": now}, "waiting": None, "terminated": None}
        if do == "crash":
            state = {"running": None, "waiting": {"reason": "CrashLoopBackOff"}, "terminated": None}
        elif do in ENDS:
            reason, code = ENDS[do][2:]
            end = {"exitCode": done.get("code", code), "reason": reason, "startedAt": now, "finishedAt": now}
            state = {"running": None, "waiting": None, "terminated": end}
        image = {"image": container["image"], "imageID": ""}
        restarts = done.get("restarts", before.get("restartCount", 0))
        return {"name": container["name"], "ready": do == "ready", "restartCount": restarts, "state": state, **image}

    def _address(self):
        self.addresses += 1
        return f"10.1.{self.addresses // 250}.{1 + self.addresses % 250}"


def further(conds, now):
    """Conditions that a step adds, given as a list or by type."""
    by_type = () if isinstance(conds, list) else (conds or {}).items()
    listed = [{"type": type, **told(what)} for type, what in by_type] or conds or []
    return [{"lastTransitionTime": now, **condition} for condition in listed]


def told(what):
    """A condition that is given by its status alone, or in full."""
    return what if isinstance(what, dict) else {"status": str(what)}

"""A small cluster whose users change their minds while its programs die and its watches fall silent.

Deeds are drawn by Hypothesis; ``CHURN=n`` draws so many examples of each test instead of a few.
"""

import os

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as some

from kubemini import faults
from kubemini.api.kinds import KNOWN, POD
from kubemini.api.objects import freeze, get
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import is_ready
from kubemini.params import Params, changed
from kubemini.sim.units import SECOND
from tests.worlds.kube import Shop

EXAMPLES = int(os.environ.get("CHURN", "2"))
FEW = settings(  # each takes some seconds: five minutes of a whole cluster
    max_examples=EXAMPLES,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
PROGRAMS = ("controller-manager-1", "scheduler-1", "kubelet@worker-1", "kubelet@worker-2", "apiserver-1", "etcd-1")
WATCHED = ("Pod", "ReplicaSet", "Deployment", "StatefulSet", "DaemonSet", "Job", "Node", "EndpointSlice")
SETTLED = 200 * SECOND  # whoever is Not Ready, lost connections, back-offs
APPS, BATCH = "apps/v1", "batch/v1"


def _template(app, **spec):
    pod = {"containers": [{"name": "c", "image": "nginx:1.29"}], "terminationGracePeriodSeconds": 1, **spec}
    return {"metadata": {"labels": {"app": app}}, "spec": pod}


def _of(version, kind, name, **spec):
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": "default"}, "spec": spec}


def _workload(kind, name, **spec):
    return _of(APPS, kind, name, selector={"matchLabels": {"app": name}}, template=_template(name), **spec)


_TASK = {"name": "c", "image": "busybox", "command": ["sh", "-c", "sleep 1"]}
OBJECTS = (
    _workload("Deployment", "web", replicas=2),
    _workload("StatefulSet", "db", replicas=2, serviceName="db"),
    _workload("DaemonSet", "agent"),
    _of(BATCH, "Job", "once", completions=2, template=_template("once", containers=[_TASK], restartPolicy="OnFailure")),
    _of("v1", "Service", "web", selector={"app": "web"}, ports=[{"port": 80}]),
    _of("policy/v1", "PodDisruptionBudget", "web", minAvailable=1, selector={"matchLabels": {"app": "web"}}),
)
KINDS = {obj["kind"]: KNOWN[obj["apiVersion"], obj["kind"]] for obj in OBJECTS}
REPLICA_SET, SLICE = KNOWN[APPS, "ReplicaSet"], KNOWN["discovery.k8s.io/v1", "EndpointSlice"]
SCALED = ("Deployment", "StatefulSet")

tenths = some.integers(1, 40)
wishes = some.one_of(
    some.tuples(some.just("scale"), tenths, some.sampled_from(SCALED), some.integers(0, 4)),
    some.tuples(some.just("image"), tenths, some.sampled_from((*SCALED, "DaemonSet")), some.integers(30, 33)),
    some.tuples(some.sampled_from(("remove", "make")), tenths, some.sampled_from(sorted(KINDS)), some.just(0)),
    some.tuples(some.just("kill"), tenths, some.just(""), some.integers(0, 9)),
)
crashes = some.tuples(some.just("crash"), tenths, some.sampled_from(PROGRAMS), tenths)
silences = some.tuples(some.just("silence"), tenths, some.sampled_from(WATCHED), tenths)
forgetting = some.tuples(some.just("forget"), tenths, some.just("apiserver-1"), tenths)


class Busy(Shop):
    """The cluster, and what its users want by now."""

    def __init__(self, seed):
        params = changed(Params(), {"all_controllers": True, "kubelet_details": True})
        super().__init__(*map(freeze, OBJECTS), cluster=Cluster.single(workers=2, seed=seed, params=params))
        self.wanted = {obj["kind"]: obj for obj in OBJECTS}
        self.run(10)

    def do(self, what, wait, whose, amount):
        """One deed, after *wait* tenths of a second."""
        self.run(wait / 10)
        getattr(self, what)(whose, amount)

    # -- what users ask for, whether or not anybody hears it ---------------------------------------------------------
    def order(self, verb, path, body=None):
        user = self.cluster.user
        user.spawn(user.request(verb, path, freeze(body), {"type": "merge"}))

    def scale(self, kind, many):
        self._change(kind, {"replicas": many})

    def image(self, kind, number):
        containers = [{"name": "c", "image": f"nginx:1.{number}"}]
        template = self._spec(kind)["template"]
        self._change(kind, {"template": {**template, "spec": {**template["spec"], "containers": containers}}})

    def remove(self, kind, _):
        self.wanted.pop(kind, None)
        self.order("DELETE", KINDS[kind].path("default", _named(kind)))

    def make(self, kind, _):
        obj = self.wanted.setdefault(kind, next(obj for obj in OBJECTS if obj["kind"] == kind))
        self.order("POST", KINDS[kind].path("default"), obj)

    def kill(self, _, number):
        pods = self.all(POD) if self.cluster.components["apiserver-1"].up else []
        if pods:
            meta = pods[number % len(pods)]["metadata"]
            self.order("DELETE", POD.path("default", meta["name"]))

    def _spec(self, kind):
        return next(obj for obj in (self.wanted.get(kind), *OBJECTS) if obj and obj["kind"] == kind)["spec"]

    def _change(self, kind, part):
        if kind in self.wanted:
            self.wanted[kind] = {**self.wanted[kind], "spec": {**self._spec(kind), **part}}
            self.order("PATCH", KINDS[kind].path("default", _named(kind)), {"spec": part})

    # -- what happens to the cluster -----------------------------------------------------------------------------------
    def crash(self, name, lasts):
        program = self.cluster.components[name]
        program.crash()
        self.sim.command(self.sim.now + lasts * SECOND // 10, program.start)

    def silence(self, kind, lasts):
        """A watch of the controller manager: cut, and mended later."""
        faults.CutWatch("controller-manager-1", kind).do(self.cluster)
        self.sim.command(self.sim.now + lasts * SECOND // 10, self._mend, kind)

    def _mend(self, kind):
        faults.MendWatch("controller-manager-1", kind).do(self.cluster)

    def forget(self, name, lasts):
        """An API server that has another past than its clients: whoever was cut off finds his version gone (410)."""
        for kind in WATCHED:
            self.silence(kind, lasts + 20)
        self.crash(name, 1)

    # -- and in the end ------------------------------------------------------------------------------------------------
    def settle(self):
        """All programs run and every watch is heard; users say once more what they want."""
        self.run(8)
        for component in self.cluster.components.values():
            component.start()
        self.run(20)
        for kind in KINDS:
            if kind in self.wanted:
                self.make(kind, 0)
                self.run(0.2)
                self._change(kind, _without_fixed(kind, self._spec(kind)))
            else:
                self.remove(kind, 0)
            self.run(0.2)
        self.run(SETTLED / SECOND)

    def faults_found(self):
        """Sentences about what is not as its users want it."""
        return [*self._unlike(), *self._left_over()]

    def _unlike(self):
        for kind, wanted in self.wanted.items():
            there = [obj for obj in self.all(KINDS[kind]) if obj["metadata"]["name"] == wanted["metadata"]["name"]]
            if not there:
                yield f"there is no {kind}"
            elif not AS_WANTED[kind](self, wanted["spec"], there[0].get("status", {})):
                yield f"the {kind} is not as it was asked for: {there[0].get('status')}"

    def _left_over(self):
        there = {obj["metadata"]["uid"] for kind in (*KINDS.values(), REPLICA_SET) for obj in self.all(kind)}
        for obj in (*self.all(POD), *self.all(REPLICA_SET), *self.all(SLICE)):
            owners = get(obj, "metadata", "ownerReferences", default=())
            name = f"{obj['kind']} {obj['metadata']['name']}"
            if "deletionTimestamp" in obj["metadata"]:
                yield f"{name} is still going"
            if owners and owners[0]["uid"] not in there and owners[0]["kind"] != "Node":
                yield f"{name} has lost its owner"

    def serving(self, app, spec):
        """Its pods, if all are ready and of the wanted image; else []."""
        pods, image = self.pods(app), spec["template"]["spec"]["containers"][0]["image"]
        right = all(is_ready(pod) and pod["spec"]["containers"][0]["image"] == image for pod in pods)
        return pods if right else []


def _named(kind):
    return next(obj["metadata"]["name"] for obj in OBJECTS if obj["kind"] == kind)


def _without_fixed(kind, spec):
    """What of a spec may be changed."""
    return {name: spec[name] for name in ("replicas", "template") if name in spec and kind != "Job"}


def _deployment(busy, spec, status):
    counted = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
    return len(busy.serving("web", spec)) == spec["replicas"] and counted == [spec["replicas"]] * 3


def _stateful_set(busy, spec, status):
    names = sorted(pod["metadata"]["name"] for pod in busy.serving("db", spec))
    return names == [f"db-{n}" for n in range(spec["replicas"])] and status.get("readyReplicas", 0) == len(names)


def _daemon_set(busy, spec, status):
    on = sorted(pod["spec"]["nodeName"] for pod in busy.serving("agent", spec))
    return on == ["worker-1", "worker-2"] and status["numberReady"] == status["desiredNumberScheduled"] == 2


def _job(busy, spec, status):
    done = [one["type"] for one in status.get("conditions", ()) if one["status"] == "True"]
    return status.get("succeeded") == spec["completions"] and "Complete" in done


def _service(busy, spec, status):
    slices = [one for one in busy.all(SLICE) if get(one, "metadata", "labels", "kubernetes.io/service-name") == "web"]
    served = [end for one in slices for end in one.get("endpoints") or () if end["conditions"]["ready"]]
    return sorted(end["addresses"][0] for end in served) == sorted(pod["status"]["podIP"] for pod in busy.pods("web"))


def _budget(busy, spec, status):
    return status.get("currentHealthy") == len(busy.pods("web"))


AS_WANTED = {
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "Job": _job,
    "Service": _service,
    "PodDisruptionBudget": _budget,
}

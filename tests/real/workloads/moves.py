"""What happens to a cast: changes of a workload, deletions, evictions, drains, and what kubelets do to its pods."""

from kubemini.api.kinds import by_name
from tests.oracles.histories.noting import NAMESPACE
from tests.real.workloads.casts import SCALED

PODS = f"/api/v1/namespaces/{NAMESPACE}/pods"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
POLICIES = ("Foreground", "Background", "Orphan")
ROLLING = ("Deployment", "StatefulSet", "DaemonSet")
BACKOFF, MOST = 10, 80  # s until a Job replaces a pod that failed, doubled with each; longer no story waits
SILENCE = 75  # s: 40 s of grace, rounds of 5 s, and what the pods tolerate
NEXT_NODE = 12  # s: nodes are tainted one every ten
MISSED = 75  # s: a node that is gone is missed for 40 s, its pods are looked at every 20 s


def create(obj):
    """The move that makes an object."""
    path = by_name(obj["kind"]).path(NAMESPACE)
    said = f"create {obj['kind']} {obj['metadata']['name']}"
    return {"say": said, "request": {"method": "POST", "path": path, "body": obj}}


def replaced(actor, say, *operations):
    """A JSON patch of a workload: (op, path, value) each."""
    body = [{"op": op, "path": path, **({} if op == "remove" else {"value": value})} for op, path, value in operations]
    request = {"method": "PATCH", "path": actor.path, "content-type": JSON_PATCH, "body": body}
    return {"say": f"{actor.kind} {actor.app}: {say}", "request": request}


def kubelet(actor, do, many=None, **more):
    """A kubelet does something to the pods of a workload, to all of them or to the oldest."""
    who = f"{'all' if many is None else many} of {actor.app}"
    return {"say": f"kubelet: {do} {who}", "kubelet": {"do": do, **more}, "of": {"app": actor.app, "many": many}}


def made_ready(actor):
    """All its pods become ready; one by one where the controller answers to each with another pod's end or birth."""
    return [*([kubelet(actor, "ready", 1)] * 5 if actor.kind in ROLLING else []), kubelet(actor, "ready")]


def confirmed(actor):
    """All its pods that are being deleted are gone."""
    return [kubelet(actor, "gone", **({"final": "fail"} if actor.kind in ("Job", "CronJob") else {}))]


def minute():
    """The next minute comes, and three seconds of it."""
    return {"say": "wait for the next minute", "within": 75, "until": "clock.minutes >= 1 and clock.second >= 3"}


def seconds(number):
    """Time passes."""
    return {"say": f"{number} seconds pass", "seconds": number}


class Life:
    """Draws moves for a *cast*."""

    def __init__(self, luck, cast, nodes):
        self.luck, self.cast, self.nodes = luck, cast, nodes
        self.cordoned = set()
        self.may_fall_silent = all(actor.kind != "CronJob" for actor in cast)
        self.may_go = self.may_fall_silent

    def next(self):
        """The moves that one draw makes."""
        actor = self.luck.choice(self.cast)
        if not actor.there:
            actor.there = True
            return [create(actor.obj), *confirmed(actor)]
        ways = [getattr(self, f"_of_{actor.kind.lower()}")] * 3 + [self._of_pods] * 4 + [self._of_nodes, self._deleted]
        return self.luck.choice(ways)(actor)

    # -- of a kind -----------------------------------------------------------------------------------------------------
    def _of_deployment(self, actor):
        return self.luck.choice((self._scaled, self._image, self._image, self._paused, self._annotated))(actor)

    def _of_replicaset(self, actor):
        return self.luck.choice((self._scaled, self._scaled, self._released))(actor)

    def _of_replicationcontroller(self, actor):
        return self._scaled(actor)

    def _of_statefulset(self, actor):
        return self.luck.choice((self._scaled, self._image, self._image, self._partition))(actor)

    def _of_daemonset(self, actor):
        return self.luck.choice((self._image, self._image, self._relabelled))(actor)

    def _of_job(self, actor):
        return self.luck.choice((self._suspended, self._parallel, self._finished, self._finished))(actor)

    def _of_cronjob(self, actor):
        if self.luck.random() < 0.4:
            return self._suspended(actor)
        return [minute()]

    # -- of its spec ---------------------------------------------------------------------------------------------------
    def _scaled(self, actor):
        number = self.luck.randint(0, 5)
        return [replaced(actor, f"scale to {number}", ("replace", "/spec/replicas", number))]

    def _image(self, actor):
        image = self.luck.choice((*actor.images, f"app:{len(actor.images) + 1}"))
        if image not in actor.images:
            actor.images.append(image)
        path = "/spec/template/spec/containers/0/image"
        return [replaced(actor, f"image {image}", ("replace", path, image))]

    def _paused(self, actor):
        paused = self.luck.random() < 0.5
        return [replaced(actor, f"paused {paused}", ("add", "/spec/paused", paused))]

    def _annotated(self, actor):
        value = {"kubernetes.io/change-cause": f"why {self.luck.randint(1, 3)}"}
        return [replaced(actor, "a cause", ("add", "/metadata/annotations", value))]

    def _partition(self, actor):
        number = self.luck.randint(0, 2)
        value = {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}
        return [replaced(actor, f"partition {number}", ("replace", "/spec/updateStrategy", value))]

    def _suspended(self, actor):
        suspended = self.luck.random() < 0.5
        return [replaced(actor, f"suspend {suspended}", ("add", "/spec/suspend", suspended))]

    def _parallel(self, actor):
        number = self.luck.randint(0, 4)
        return [replaced(actor, f"parallelism {number}", ("add", "/spec/parallelism", number))]

    def _finished(self, actor):
        """Some of its pods end, well or not."""
        many = self.luck.choice((None, 1, 2))
        if self.luck.random() < 0.6:
            return [kubelet(actor, "succeed", many)]
        return self._failed(actor, many)

    def _failed(self, actor, many):
        """Some of its pods fail; a Job makes others when its back-off is over."""
        failed = kubelet(actor, "fail", many, code=self.luck.choice((1, 3)))
        if actor.kind not in ("Job", "CronJob"):
            return [failed]
        actor.failed += many or 3
        return [failed, seconds(min(BACKOFF * 2 ** (actor.failed - 1), MOST) + 4)]

    def _released(self, actor):
        """A pod that loses its label is no more of the set; it is given back."""
        body = {"metadata": {"labels": {"app": "other"}}}
        return [self._of_a_pod(actor, "loses its label", "PATCH", "", body, STRATEGIC)]

    def _relabelled(self, actor):
        """A node gets, or loses, the label that some DaemonSets ask for."""
        number = self.luck.randint(1, self.nodes)
        return [self._of_node(number, "disk", {"metadata": {"labels": {"disk": self.luck.choice(("ssd", "hdd"))}}})]

    # -- of its pods ---------------------------------------------------------------------------------------------------
    def _of_pods(self, actor):
        draw = self.luck.random()
        if draw < 0.35:
            return [*confirmed(actor), *made_ready(actor)]
        if draw < 0.5:
            return made_ready(actor)
        if draw < 0.62:
            return [kubelet(actor, self.luck.choice(("unready", "crash")), 1, **({"restarts": 1}))]
        if draw < 0.72:
            return self._failed(actor, 1)
        if draw < 0.85:
            return [self._of_a_pod(actor, "is deleted", "DELETE"), *confirmed(actor)]
        return self._evicted(actor)

    def _evicted(self, actor):
        body = {"apiVersion": "policy/v1", "kind": "Eviction"}
        return [self._of_a_pod(actor, "is evicted", "POST", "/eviction", body)]

    def _of_a_pod(self, actor, say, method, more="", body=None, type=None):
        request = {"method": method, "path": f"{PODS}/POD{more}", **({"body": body} if body else {})}
        request |= {"content-type": type} if type else {}
        return {"say": f"a pod of {actor.app} {say}", "request": request, "of": {"app": actor.app, "many": 1}}

    # -- of nodes and of the whole -------------------------------------------------------------------------------------
    def _of_nodes(self, actor):
        """A node is cordoned and, as by ``kubectl drain``, two of the pods are evicted; or it is given back.

        Or, once in a story and not where minutes count, it is lost for a while.
        """
        if self.may_fall_silent and self.luck.random() < 0.2:
            self.may_fall_silent = False
            return self._silent([self.luck.randint(1, self.nodes)], [actor])
        if self.may_go and self.luck.random() < 0.15:
            self.may_go = False
            return self._removed(actor)
        number = self.luck.randint(1, self.nodes)
        self.cordoned ^= {number}
        cordon = number in self.cordoned
        moved = self._of_node(number, "cordon" if cordon else "uncordon", {"spec": {"unschedulable": cordon}})
        drained = (self._evicted(actor) + confirmed(actor)) * 2 if cordon and actor.kind != "CronJob" else []
        return [moved, *drained]

    def loss(self):
        """Some nodes are heard no more, and their pods told to go; there is life before, meanwhile and afterwards."""
        lost = sorted(self.luck.sample(range(1, self.nodes + 1), self.luck.randint(1, self.nodes)))
        before, after = ([move for _ in range(2) for move in self._some(self.luck.choice(self.cast))] for _ in "ab")
        return [*before, *self._silent(lost, self.cast), *after]

    def _some(self, actor):
        """Something that happens to a workload or its pods, and to no node."""
        return self.luck.choice((getattr(self, f"_of_{actor.kind.lower()}"), self._of_pods))(actor)

    def _silent(self, lost, cast):
        """Kubelets are heard no more for so long that their nodes' pods are told to go; then they are back."""
        names = [f"n{number}" for number in lost]
        gone = {"say": f"the kubelets of {', '.join(names)} fall silent", "silent": names}
        back = {"say": f"the kubelets of {', '.join(names)} are back", "back": names}
        ends = [move for actor in cast for move in confirmed(actor)]
        return [gone, seconds(SILENCE + NEXT_NODE * (len(lost) - 1)), back, *ends]

    def _removed(self, actor):
        """A node is deleted, its pods go without it, and it joins again."""
        name = f"n{self.luck.randint(1, self.nodes)}"
        gone = {"say": f"DELETE node {name}", "request": {"method": "DELETE", "path": f"/api/v1/nodes/{name}"}}
        labels = {"kubernetes.io/hostname": name, "set": NAMESPACE, "topology.kubernetes.io/region": NAMESPACE}
        made = {"name": name, "labels": labels, "taints": [], "ready": True}
        again = {"say": f"register node {name} by hand again", "node": made}
        return [gone, seconds(MISSED), again, *confirmed(actor)]

    def _of_node(self, number, say, body):
        request = {"method": "PATCH", "path": f"/api/v1/nodes/n{number}", "content-type": STRATEGIC, "body": body}
        return {"say": f"{say} node n{number}", "request": request}

    def _deleted(self, actor):
        if actor.kind in SCALED and self.luck.random() < 0.3:
            return self._scaled(actor)
        policy = self.luck.choice(POLICIES)
        actor.there = False
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": policy}
        request = {"method": "DELETE", "path": actor.path, "body": body}
        return [{"say": f"delete {actor.kind} {actor.app} ({policy})", "request": request}, *confirmed(actor)]

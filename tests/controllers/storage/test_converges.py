"""Whatever comes and goes, and whenever the controller manager dies: bindings end one to one, and budgets hold."""

import json

from hypothesis import Phase, given, settings
from hypothesis import strategies as some

from tests.oracles.sessions.world import Inside

VOLUMES, CLAIMS = "/api/v1/persistentvolumes", "/api/v1/namespaces/default/persistentvolumeclaims"
PODS = "/api/v1/namespaces/default/pods"
BUDGETS = "/apis/policy/v1/namespaces/default/poddisruptionbudgets"
TAKEN_OVER = 40  # seconds: the Lease of who died, and two rounds of the binder

numbers, sizes = some.integers(0, 3), some.integers(1, 4)
deeds = some.lists(
    some.one_of(
        some.tuples(some.just("volume"), numbers, sizes),
        some.tuples(some.just("claim"), numbers, sizes),
        some.tuples(some.sampled_from(["drop volume", "drop claim", "crash", "start", "wait"]), numbers, sizes),
    ),
    min_size=4,
    max_size=14,
)


FEW = settings(max_examples=3, deadline=None, phases=(Phase.explicit, Phase.generate))  # each takes a second


class Cluster(Inside):
    """An API server and its controllers, asked in short words."""

    def __init__(self):
        super().__init__(("api", "controllers"))
        self.manager = self.cluster.components["controller-manager-1"]
        self.sleep(4)

    def ask(self, method, path, body=None):
        answer = self.send({"method": method, "path": path, "body": body}, "test/1.0")
        return answer.status, json.loads(answer.body)

    def items(self, path):
        return self.ask("GET", path)[1]["items"]

    def do(self, what, number, size):
        spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "c"}
        if what == "volume":
            has = {"capacity": {"storage": f"{size}Gi"}, "nfs": {"server": "192.0.2.1", "path": "/"}}
            self.ask("POST", VOLUMES, {"metadata": {"name": f"v{number}"}, "spec": {**spec, **has}})
        elif what == "claim":
            asks = {"resources": {"requests": {"storage": f"{size}Gi"}}}
            self.ask("POST", CLAIMS, {"metadata": {"name": f"c{number}"}, "spec": {**spec, **asks}})
        elif what.startswith("drop"):
            self.ask("DELETE", f"{VOLUMES}/v{number}" if what == "drop volume" else f"{CLAIMS}/c{number}")
        elif what == "wait":
            self.sleep(size / 100)
        elif what == "crash" and self.manager.up:
            self.manager.crash()
        elif what == "start" and not self.manager.up:
            self.manager.start()

    def settle(self):
        self.do("start", 0, 0)
        self.sleep(TAKEN_OVER)


def size(volume):
    return int(volume["spec"]["capacity"]["storage"].removesuffix("Gi"))


def asked(claim):
    return int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi"))


@FEW
@given(deeds)
def test_bindings_are_one_to_one_and_no_claim_waits_beside_a_volume_that_fits(deeds):
    cluster = Cluster()
    for deed in deeds:
        cluster.do(*deed)
    cluster.settle()
    volumes = {one["metadata"]["name"]: one for one in cluster.items(VOLUMES)}
    claims = cluster.items(CLAIMS)
    bound = [one for one in claims if one["status"]["phase"] == "Bound"]
    names = [one["spec"]["volumeName"] for one in bound]
    assert len(set(names)) == len(names)
    for claim in bound:
        volume = volumes[claim["spec"]["volumeName"]]
        assert volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"] and asked(claim) <= size(volume)
        assert volume["status"]["phase"] == "Bound"
        assert claim["status"]["conditions"][0]["reason"] == "NoPodsUsingPVC"
    for volume in volumes.values():
        assert (volume["status"]["phase"] == "Bound") == (volume["metadata"]["name"] in names)
        assert volume["status"]["phase"] in ("Available", "Bound", "Released")
    free = [size(one) for one in volumes.values() if one["status"]["phase"] == "Available"]
    waiting = [asked(one) for one in claims if one["status"]["phase"] == "Pending"]
    assert not any(have >= want for have in free for want in waiting)
    assert not any("deletionTimestamp" in one["metadata"] for one in claims)


evictions = some.lists(
    some.one_of(
        some.tuples(some.just("evict"), some.integers(0, 5)),
        some.tuples(some.sampled_from(["crash", "start", "wait"]), sizes),
    ),
    min_size=3,
    max_size=14,
)


@FEW
@given(evictions, some.integers(1, 5))
def test_no_eviction_takes_a_budget_below_what_it_wants(deeds, least):
    cluster = Cluster()
    ready = [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}]
    for number in range(6):
        spec = {"nodeName": "n", "containers": [{"name": "c", "image": "i"}]}
        meta = {"name": f"p{number}", "labels": {"app": "a"}}
        cluster.ask("POST", PODS, {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec})
        step = {"method": "PATCH", "path": f"{PODS}/p{number}/status"}
        step |= {"headers": {"Content-Type": "application/merge-patch+json"}}
        cluster.send({**step, "body": {"status": {"phase": "Running", "conditions": ready}}}, "test/1.0")
    spec = {"minAvailable": least, "selector": {"matchLabels": {"app": "a"}}}
    cluster.ask("POST", BUDGETS, {"metadata": {"name": "b"}, "spec": spec})
    cluster.sleep(1)
    for what, number in deeds:
        if what == "evict":
            cluster.ask(
                "POST",
                f"{PODS}/p{number}/eviction",
                {"metadata": {"name": f"p{number}"}, "kind": "Eviction", "apiVersion": "policy/v1"},
            )
        else:
            cluster.do(what, 0, number)
        staying = [pod for pod in cluster.items(PODS) if "deletionTimestamp" not in pod["metadata"]]
        assert len(staying) >= least
    cluster.settle()
    (budget,) = cluster.items(BUDGETS)
    staying = [pod for pod in cluster.items(PODS) if "deletionTimestamp" not in pod["metadata"]]
    assert budget["status"]["currentHealthy"] == len(staying) and "disruptedPods" not in budget["status"]
    assert budget["status"]["disruptionsAllowed"] == len(staying) - least

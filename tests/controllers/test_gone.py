"""What goes with what, in a whole cluster: owners and those they own, namespaces and their content."""

import pytest

from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT, NAMESPACE, POD, REPLICA_SET, SECRET
from kubemini.api.objects import evolve, freeze, get, thaw
from kubemini.cluster import Cluster
from kubemini.sim.units import SECOND
from tests.worlds.kube import Shop, a_deployment

BLOCK = {"blockOwnerDeletion": True}


class House(Shop):
    """A cluster, and requests with bodies and answers."""

    def __init__(self, *objects):
        super().__init__(*(objects or [config("first")]), cluster=Cluster.single(workers=1))
        self.run(8)

    def request(self, verb, path, body=None):
        replies = []
        event = self.cluster.user.call_api(verb, path, freeze(body), {"type": "merge"} if verb == "PATCH" else {})
        event.callbacks.append(lambda e: replies.append(e.value))
        self.run(1)
        assert replies[0].ok, replies[0].error
        return replies[0].value

    def make(self, name, *owners, kind=CONFIG_MAP, namespace="default", **meta):
        body = {**config(name, namespace), "kind": kind.kind}
        body["metadata"] |= {"ownerReferences": list(owners), **meta}
        return self.request("POST", kind.path(namespace), body)

    def delete(self, name, policy, kind=CONFIG_MAP, namespace="default"):
        self.request("DELETE", kind.path(namespace, name), {"propagationPolicy": policy} if policy else None)

    def patch(self, kind, name, body, namespace="default"):
        self.request("PATCH", kind.path(namespace, name), body)

    def names(self, kind=CONFIG_MAP):
        found = (o["metadata"]["name"] for o in self.all(kind))
        return sorted(name for name in found if name not in ("settings", "first") and not name.startswith("kube-"))

    def get(self, name, kind=CONFIG_MAP):
        return next(thaw(o) for o in self.all(kind) if o["metadata"]["name"] == name)


def config(name, namespace="default"):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}}


def owner(obj, **more):
    meta = obj["metadata"]
    return {"apiVersion": "v1", "kind": obj["kind"], "name": meta["name"], "uid": meta["uid"], **more}


def chain(house):
    first = house.make("owner")
    second = house.make("child", owner(first, **BLOCK))
    house.make("grandchild", owner(second, **BLOCK))


@pytest.mark.parametrize("policy", [None, "Background", "Foreground"])
def test_a_chain_goes_with_its_owner(policy):
    house = House()
    chain(house)
    house.delete("owner", policy)
    house.run(2)
    assert house.names() == []
    order = [r.detail["name"] for r in house.object_records("ConfigMap", "DELETED")]
    down = ["owner", "child", "grandchild"]
    assert order == (down[::-1] if policy == "Foreground" else down)


def test_orphans_forget_their_owner_and_stay():
    house = House()
    chain(house)
    house.delete("owner", "Orphan")
    house.run(2)
    assert house.names() == ["child", "grandchild"]
    assert not house.get("child")["metadata"].get("ownerReferences")
    assert house.get("grandchild")["metadata"]["ownerReferences"][0]["name"] == "child"


@pytest.mark.parametrize(("block", "waits"), [(True, True), (False, False), (None, False)])
def test_only_who_blocks_holds_the_owner_of_a_foreground_deletion(block, waits):
    house = House()
    first = house.make("owner")
    more = {} if block is None else {"blockOwnerDeletion": block}
    house.make("child", owner(first, **more), finalizers=["example.com/hold"])
    house.delete("owner", "Foreground")
    house.run(2)
    assert ("owner" in house.names()) is waits
    house.patch(CONFIG_MAP, "child", {"metadata": {"finalizers": None}})
    house.run(2)
    assert house.names() == []


def test_one_who_comes_while_its_owner_waits_goes_with_it():
    house = House()
    first = house.make("owner")
    house.make("child", owner(first, **BLOCK), finalizers=["example.com/hold"])
    house.delete("owner", "Foreground")
    house.make("late", owner(first, **BLOCK))
    house.run(2)
    assert house.names() == ["child", "late", "owner"]
    house.patch(CONFIG_MAP, "child", {"metadata": {"finalizers": None}})
    house.run(2)
    assert house.names() in ([], ["late", "owner"])


def test_a_deletion_that_waits_can_be_asked_again_with_another_policy():
    house = House()
    first = house.make("owner", finalizers=["example.com/hold"])
    house.make("child", owner(first, **BLOCK))
    house.delete("owner", "Background")
    assert house.names() == ["child", "owner"]
    house.delete("owner", "Foreground")
    house.run(2)
    assert house.get("owner")["metadata"]["finalizers"] == ["example.com/hold"] and house.names() == ["owner"]
    house.delete("owner", "Orphan")
    house.run(2)
    assert house.get("owner")["metadata"]["finalizers"] == ["example.com/hold"]
    house.patch(CONFIG_MAP, "owner", {"metadata": {"finalizers": None}})
    assert house.names() == []


def test_two_that_own_each_other_both_go():
    house = House()
    one = house.make("one")
    two = house.make("two", owner(one, **BLOCK))
    house.patch(CONFIG_MAP, "one", {"metadata": {"ownerReferences": [owner(two, **BLOCK)]}})
    house.delete("one", "Foreground")
    house.run(3)
    assert house.names() == []


def test_a_second_owner_that_lives_keeps_it():
    house = House()
    one, two = house.make("one"), house.make("two")
    house.make("child", owner(one), owner(two))
    house.delete("one", "Background")
    house.run(2)
    assert [ref["name"] for ref in house.get("child")["metadata"]["ownerReferences"]] == ["two"]
    house.delete("two", "Background")
    house.run(2)
    assert house.names() == []


@pytest.mark.parametrize("kind", [CONFIG_MAP, SECRET])
def test_who_names_an_owner_that_never_was_is_collected_by_uid(kind):
    """K31: the name is there, the UID is another's."""
    house = House()
    there = house.make("there")
    house.make("other", {**owner(there), "uid": "00000000-dead"}, kind=kind)
    house.make("never", {**owner(there), "name": "never-was", "uid": "00000000-dead"}, kind=kind)
    house.run(2)
    assert house.names(kind) == (["there"] if kind == CONFIG_MAP else [])


def test_a_pod_goes_with_its_config_map_and_stays_with_a_kind_that_nobody_knows():
    house = House()
    there = house.make("there")
    pod = {"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [{"name": "c", "image": "i"}]}}
    strange = {"apiVersion": "example.com/v1", "kind": "Strange", "name": "x", "uid": "x"}
    for name, reference in (("follows", owner(there)), ("stays", strange)):
        meta = {"name": name, "namespace": "default", "labels": {"app": "web"}, "ownerReferences": [reference]}
        house.request("POST", POD.path("default"), {**pod, "metadata": meta})
    house.run(5)
    house.delete("there", None)
    house.run(5)
    assert [p["metadata"]["name"] for p in house.pods()] == ["stays"]


def test_an_owner_in_another_namespace_is_no_owner():
    house = House({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})
    there = house.make("there")
    house.make("child", owner(there), namespace="shop")
    house.run(2)
    assert house.names() == ["there"]


def test_a_deployment_is_deleted_in_the_foreground_pods_first():
    house = House(a_deployment(2))
    house.run(5)
    house.delete("web", "Foreground", DEPLOYMENT)
    house.run(10)
    gone = [r.detail["kind"] for r in house.sim.trace.of("object") if r.detail["verb"] == "DELETED"]
    assert gone == ["Pod", "Pod", "ReplicaSet", "Deployment"]


def test_a_deployment_that_is_deleted_as_an_orphan_leaves_its_replicaset():
    house = House(a_deployment(2))
    house.run(5)
    house.delete("web", "Orphan", DEPLOYMENT)
    house.run(5)
    assert (len(house.all(DEPLOYMENT)), len(house.all(REPLICA_SET)), len(house.pods())) == (0, 1, 2)
    assert not house.all(REPLICA_SET)[0]["metadata"].get("ownerReferences")


# -- namespaces --------------------------------------------------------------------------------------------------------
SHOP_NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}


def in_shop(obj):
    return evolve(freeze(obj), ("metadata", "namespace"), "shop")


def conditions(house):
    found = house.get("shop", NAMESPACE)
    return {c["type"]: (c["status"], c["reason"], c["message"]) for c in get(found, "status", "conditions", default=())}


def test_a_namespace_goes_with_its_content_five_seconds_after_the_request():
    house = House(SHOP_NAMESPACE)
    house.make("x", namespace="shop")
    house.make("y", namespace="shop", kind=SECRET)
    asked = house.sim.now / SECOND
    house.delete("shop", None, NAMESPACE)
    assert house.get("shop", NAMESPACE)["status"]["phase"] == "Terminating"
    house.run(8)
    assert (house.names(), house.names(SECRET), house.names(NAMESPACE)) == ([], [], ["default"])
    (gone,) = house.object_records("Namespace", "DELETED")
    assert 5 <= gone.at / SECOND - asked < 6


def test_a_namespace_waits_for_the_kubelet_and_then_looks_again():
    """A look after 5 s, one 5 s after its conditions, one after half the grace and a second. Pods go first."""
    slow = evolve(a_deployment(2), ("spec", "template", "metadata", "annotations"), {"kubemini.io/stop-after": "12s"})
    house = House(SHOP_NAMESPACE, in_shop(slow))
    house.make("x", namespace="shop")
    house.run(5)
    asked = house.sim.now / SECOND
    house.delete("shop", None, NAMESPACE)
    house.run(20)
    assert house.pods() == [] and house.names() == ["x"]
    house.run(20)
    assert house.names(NAMESPACE) == ["default"] and house.all(POD) == [] and house.all(DEPLOYMENT) == []
    gone = [r for r in house.sim.trace.of("object") if r.detail["verb"] == "DELETED"]
    assert gone[-1].detail["kind"] == "Namespace" and 26 < gone[-1].at / SECOND - asked < 27


def test_what_a_finalizer_holds_is_told_in_the_conditions():
    house = House(SHOP_NAMESPACE)
    house.make("x", namespace="shop", finalizers=["example.com/hold"])
    house.make("y", namespace="shop", finalizers=["example.com/hold", "example.com/other"])
    house.delete("shop", None, NAMESPACE)
    house.run(7)
    said = conditions(house)
    remain = "Some resources are remaining: configmaps. has 2 resource instances"
    assert said["NamespaceContentRemaining"] == ("True", "SomeResourcesRemain", remain)
    assert said["NamespaceFinalizersRemaining"] == (
        "True",
        "SomeFinalizersRemain",
        "Some content in the namespace has finalizers remaining: "
        "example.com/hold in 2 resource instances, example.com/other in 1 resource instances",
    )
    assert said["NamespaceDeletionContentFailure"][:2] == ("False", "ContentDeleted")
    for name in ("x", "y"):
        house.patch(CONFIG_MAP, name, {"metadata": {"finalizers": None}}, "shop")
    house.run(20)
    assert house.names(NAMESPACE) == ["default"]


def test_a_namespace_with_a_finalizer_of_somebody_else_waits_for_that():
    house = House(SHOP_NAMESPACE)
    found = house.get("shop", NAMESPACE)
    found["spec"]["finalizers"].append("example.com/hold")
    house.request("PUT", NAMESPACE.path("", "shop", "finalize"), found)
    house.delete("shop", None, NAMESPACE)
    house.run(20)
    found = house.get("shop", NAMESPACE)
    assert found["spec"]["finalizers"] == ["example.com/hold"]
    house.request("PUT", NAMESPACE.path("", "shop", "finalize"), evolve(freeze(found), ("spec", "finalizers"), []))
    assert house.names(NAMESPACE) == ["default"]

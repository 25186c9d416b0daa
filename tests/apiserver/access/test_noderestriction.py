"""NodeRestriction: what a real server has said to a node that writes more than its own."""

import json

import pytest

from tests.apiserver.outside.asking import Outside

ME = {"Impersonate_User": "system:node:n1", "Impersonate_Group": "system:nodes"}
PODS, NODES = "/api/v1/namespaces/default/pods", "/api/v1/nodes"
ACCOUNTS = "/api/v1/namespaces/default/serviceaccounts"
MERGE = "application/merge-patch+json"
MIRROR = {"metadata": {"name": "m", "annotations": {"kubernetes.io/config.mirror": "x"}}}
CONTAINERS = [{"name": "c", "image": "i"}]


@pytest.fixture(scope="module")
def outside():
    outside = Outside()
    made = [
        (ACCOUNTS, {"metadata": {"name": "default"}}),
        (NODES, {"metadata": {"name": "n1", "labels": {"foo": "bar"}}}),
        (PODS, {"metadata": {"name": "mine"}, "spec": {"nodeName": "n1", "containers": CONTAINERS}}),
        (PODS, {"metadata": {"name": "other"}, "spec": {"nodeName": "n2", "containers": CONTAINERS}}),
    ]
    for path, obj in made:
        assert outside.ask("POST", path, json.dumps(obj).encode()).status == 201
    outside.inside.sleep(0.2)
    return outside


def said(outside, method, path, body=None):
    """Status, and the message of a refusal without its beginning."""
    data = b"" if body is None else json.dumps(body).encode()
    type = {"Content_Type": MERGE} if method == "PATCH" else {}
    found = outside.ask(method, path, data, **ME, **type)
    message = json.loads(found.body).get("message", "") if found.status >= 400 else ""
    return found.status, message.partition("is forbidden: ")[2] or message


def owned(outside, **more):
    """A mirror pod that belongs to the node."""
    uid = json.loads(outside.ask("GET", f"{NODES}/n1").body)["metadata"]["uid"]
    owner = {"apiVersion": "v1", "kind": "Node", "name": "n1", "uid": uid, "controller": True}
    meta = {**MIRROR["metadata"], "ownerReferences": [owner]}
    return {"metadata": meta, "spec": {"nodeName": "n1", "containers": CONTAINERS, **more}}


def test_it_makes_no_other_node(outside):
    wanted = 'node "n1" is not allowed to modify node "n2"'
    assert said(outside, "POST", NODES, {"metadata": {"name": "n2"}}) == (403, wanted)


@pytest.mark.parametrize("label", ["x.kubernetes.io/a", "a.node-restriction.kubernetes.io/z", "k8s.io/x"])
def test_it_gives_itself_no_label_that_others_go_by(outside, label):
    body = {"metadata": {"labels": {label: "1"}}}
    assert said(outside, "PATCH", f"{NODES}/n1", body) == (403, f"is not allowed to modify labels: {label}")


@pytest.mark.parametrize(
    "label", ["node.kubernetes.io/b", "a.kubelet.kubernetes.io/c", "kubernetes.io/hostname", "foo"]
)
def test_it_gives_itself_labels_of_its_own(outside, label):
    assert said(outside, "PATCH", f"{NODES}/n1", {"metadata": {"labels": {label: "1"}}}) == (200, "")


def test_it_takes_no_taint_away(outside):
    assert said(outside, "PATCH", f"{NODES}/n1", {"spec": {"taints": []}}) == (
        403,
        'node "n1" is not allowed to modify taints',
    )


def test_it_tells_the_status_of_its_own_pods_only(outside):
    body = {"status": {"phase": "Running"}}
    assert said(outside, "PATCH", f"{PODS}/mine/status", body) == (200, "")
    only = "pods with spec.nodeName set to itself"
    assert said(outside, "PATCH", f"{PODS}/other/status", body) == (
        403,
        f'node "n1" can only update pod status for {only}',
    )
    assert said(outside, "DELETE", f"{PODS}/other") == (403, f'node "n1" can only delete {only}')
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "other"}}
    assert said(outside, "POST", f"{PODS}/other/eviction", eviction) == (403, f"node n1 can only evict {only}")
    labelled = {"metadata": {"labels": {"a": "b"}}}
    assert said(outside, "PATCH", f"{PODS}/mine/status", labelled) == (
        403,
        'node "n1" cannot update labels through pod status',
    )


def test_it_makes_mirror_pods_that_are_its_own_and_open_nothing(outside):
    plain = {"metadata": {"name": "m"}, "spec": {"nodeName": "n1", "containers": CONTAINERS}}
    assert "can only create mirror pods" in said(outside, "POST", PODS, plain)[1]
    ownerless = {**MIRROR, "spec": plain["spec"]}
    assert said(outside, "POST", PODS, ownerless)[1].endswith("with an owner reference set to itself")
    for volume, used in (({"csi": {"driver": "x"}}, "csidrivers (via CSI volumes)"),):
        pod = owned(outside, volumes=[{"name": "v", **volume}])
        assert said(outside, "POST", PODS, pod) == (403, f'node "n1" can not create pods that reference {used}')
    mapped = owned(outside, volumes=[{"name": "v", "projected": {"sources": [{"configMap": {"name": "x"}}]}}])
    assert said(outside, "POST", PODS, mapped)[1].endswith("can not create pods that reference configmaps")
    secret = owned(outside, imagePullSecrets=[{"name": "p"}])
    assert said(outside, "POST", PODS, secret) == (403, "a mirror pod may not reference secrets")
    assert said(outside, "POST", PODS, owned(outside)) == (201, "")


def test_it_keeps_the_lease_that_has_its_name(outside):
    leases = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
    assert said(outside, "POST", leases, {"metadata": {"name": "n1"}}) == (201, "")
    alike = "can only access node lease with the same name as the requesting node"
    assert said(outside, "POST", leases, {"metadata": {"name": "n2"}}) == (403, alike)


def test_it_gets_tokens_for_its_pods_only(outside):
    path = f"{ACCOUNTS}/default/token"
    assert said(outside, "POST", path, {"spec": {}}) == (403, "node requested token not bound to a pod")
    uid = json.loads(outside.ask("GET", f"{PODS}/mine").body)["metadata"]["uid"]
    ref = {"apiVersion": "v1", "kind": "Pod", "name": "mine"}
    unsure = (403, "node requested token with a pod binding without a uid")
    assert said(outside, "POST", path, {"spec": {"boundObjectRef": ref}}) == unsure
    assert said(outside, "POST", path, {"spec": {"boundObjectRef": {**ref, "uid": uid}}}) == (201, "")

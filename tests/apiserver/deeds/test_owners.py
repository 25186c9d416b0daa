"""Who owns what: from the creation on, by name, ten of those who write; and what kubectl applied before."""

import json

from tests.apiserver.deeds.parts import Client, owners

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def test_who_writes_goes_by_the_name_of_his_program():
    client = Client("names", agent="kube-thing/v1 (linux)")
    made = client.ask("POST", "configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}})[1]
    assert owners(made) == {"kube-thing": {"f:data": {".": {}, "f:k": {}}}}


def test_nobody_owns_what_a_service_is_given_where_its_writer_sends_it_empty():
    """As a real 1.37.2 tells it."""
    client = Client("empty-addresses")
    spec = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
    client.ask("POST", "services?fieldManager=maker", {"metadata": {"name": "web"}, "spec": spec})
    empty = {"clusterIP": "", "clusterIPs": [], "externalIPs": [], "externalName": "", "selector": {"app": "shop"}}
    body = {"metadata": {"name": "web"}, "spec": {**spec, **empty, "sessionAffinity": "None"}}
    code, obj = client.ask("PUT", "services/web?fieldManager=writer", body)
    assert code == 200 and owners(obj)["writer"] == {"f:spec": {"f:selector": {}}}
    port = {".": {}, "f:port": {}, "f:protocol": {}, "f:targetPort": {}}
    ports = {".": {}, 'k:{"port":80,"protocol":"TCP"}': port}
    more = {"f:internalTrafficPolicy": {}, "f:sessionAffinity": {}, "f:type": {}}
    assert owners(obj)["maker"] == {"f:spec": {"f:ports": ports, **more}}


def test_of_those_who_write_ten_are_known_by_name():
    client = Client("ten-writers")
    client.ask("POST", "configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}})
    for number in range(12):
        obj = client.patch(f"configmaps/a?fieldManager=w{number:02}", {"data": {f"k{number}": "v"}})[1]
    found = owners(obj)
    assert len(found) == 10 and {f"f:k{n}" for n in range(3)} <= set(found["ancient-changes"]["f:data"])


def test_an_empty_list_of_owners_frees_all_fields():
    client = Client("freed")
    client.ask("POST", "configmaps", {"metadata": {"name": "a"}, "data": {"k": "v"}})
    freed = client.ask("PUT", "configmaps/a", {"metadata": {"name": "a", "managedFields": []}, "data": {"k": "v"}})[1]
    assert owners(freed) == {}
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "other"}}
    code, answer = client.patch("configmaps/a?fieldManager=m", config, "apply")
    assert code == 409 and answer["message"].endswith('conflict with "before-first-apply" using v1: .data.k')


def test_what_kubectl_applied_on_its_own_side_is_no_conflict_with_kubectl():
    client = Client("upgrades")
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"k": "v"}}
    made = {**config, "metadata": {"name": "a", "annotations": {APPLIED: json.dumps(config)}}}
    client.ask("POST", "configmaps?fieldManager=kubectl-client-side-apply", made)
    new = {**config, "data": {"k": "w"}}
    assert client.patch("configmaps/a?fieldManager=other", new, "apply")[0] == 409
    code, obj = client.patch("configmaps/a?fieldManager=kubectl", new, "apply")
    assert code == 200 and json.loads(obj["metadata"]["annotations"][APPLIED]) == new


def test_who_applies_a_scale_owns_the_replicas_of_what_it_scales():
    client = Client("scales")
    path = "/apis/apps/v1/namespaces/scales/deployments"
    template = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"replicas": 1, "selector": {"matchLabels": {"a": "b"}}, "template": template}
    client.ask("POST", f"{path}?fieldManager=maker", {"metadata": {"name": "d"}, "spec": spec})
    scale = {"apiVersion": "autoscaling/v1", "kind": "Scale", "metadata": {"name": "d"}, "spec": {"replicas": 3}}
    code, answer = client.patch(f"{path}/d/scale?fieldManager=hpa", scale, "apply")
    assert code == 409 and answer["message"].endswith('conflict with "maker" using autoscaling/v1: .spec.replicas')
    code, answer = client.patch(f"{path}/d/scale?fieldManager=hpa&force=true", scale, "apply")
    assert (code, answer["kind"], answer["spec"]) == (200, "Scale", {"replicas": 3})
    found = owners(client.ask("GET", f"{path}/d")[1])
    assert found["hpa"] == {"f:spec": {"f:replicas": {}}} and "f:replicas" not in found["maker"]["f:spec"]


def test_an_owner_that_is_named_twice_is_named_once_and_warned_of():
    client = Client("owned-twice")
    owner = {"apiVersion": "v1", "kind": "Pod", "name": "p", "uid": "u"}
    body = {"metadata": {"name": "a", "ownerReferences": [owner, owner]}}
    assert client.ask("POST", "configmaps", body)[1]["metadata"]["ownerReferences"] == [owner]


def test_who_applies_what_is_there_already_owns_it_since_no_time():
    """As a real 1.37.2 tells it, also where it is Go alone that writes an empty spec."""
    client = Client("since-no-time")
    leases = "/apis/coordination.k8s.io/v1/namespaces/since-no-time/leases"
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"}}
    client.patch(f"{leases}/one?fieldManager=a", {**lease, "metadata": {"name": "one", "labels": {"x": "y"}}}, "apply")
    code, obj = client.patch(f"{leases}/one?fieldManager=b", {**lease, "spec": {}}, "apply")
    assert code == 200 and {e["manager"]: "time" in e for e in obj["metadata"]["managedFields"]} == {
        "a": True,
        "b": False,
    }


def test_who_is_in_the_way_is_told_before_what_cannot_be_read():
    client = Client("in-the-way")
    leases = "/apis/coordination.k8s.io/v1/namespaces/in-the-way/leases"
    lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "one"}}
    client.patch(f"{leases}/one?fieldManager=a", {**lease, "spec": {"leaseDurationSeconds": 7}}, "apply")
    odd = {**lease, "spec": {"leaseDurationSeconds": 1, "renewTime": "2026-01-01T00:00:00Z"}}
    assert client.patch(f"{leases}/one?fieldManager=b", odd, "apply")[0] == 409
    code, answer = client.patch(f"{leases}/one?fieldManager=b&force=true", odd, "apply")
    assert code == 500 and "to proper version: unable to convert unstructured object" in answer["message"]

"""Sub-resources, and lists in pages: the same objects under other shapes."""

import pytest

from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT, POD
from kubemini.api.objects import get
from tests.apiserver.parts import config, deployment, done, pod, refusal
from tests.worlds.kube import World


@pytest.fixture
def world():
    return World()


# -- sub-resources ---------------------------------------------------------------------------------------------------
BINDING = {"metadata": {"name": "web-1"}, "target": {"kind": "Node", "name": "worker-1"}}
BIND_PATH = "/api/v1/namespaces/default/pods/web-1/binding"


def test_a_binding_gives_a_pod_its_node_once(world):
    done(world.ask(lambda c: c.create(pod())))
    assert done(world.ask(lambda c: c.post(BIND_PATH, BINDING)))["status"] == "Success"
    bound = done(world.ask(lambda c: c.get(POD, "web-1", "default")))
    assert bound["spec"]["nodeName"] == "worker-1"
    assert get(bound, "status", "conditions", 0, "type") == "PodScheduled"
    code, words = refusal(world.ask(lambda c: c.post(BIND_PATH, BINDING)))
    why = 'pod web-1 is already assigned to node "worker-1"'
    assert (code, words) == (409, f'Operation cannot be fulfilled on pods/binding "web-1": {why}')


def test_a_scale_is_the_same_object_in_another_shape(world):
    done(world.ask(lambda c: c.create(deployment())))
    path = "/apis/apps/v1/namespaces/default/deployments/web/scale"
    scale = done(world.ask(lambda c: c.request("GET", path)))
    assert (scale["kind"], scale["spec"], scale["status"]["selector"]) == ("Scale", {"replicas": 2}, "app=web")
    patched = done(world.ask(lambda c: c.request("PATCH", path, {"spec": {"replicas": 5}}, {"type": "merge"})))
    assert patched["spec"]["replicas"] == 5
    assert done(world.ask(lambda c: c.get(DEPLOYMENT, "web", "default")))["spec"]["replicas"] == 5


# -- collections ---
def test_a_list_is_cut_at_its_limit_and_goes_on_at_the_same_revision(world):
    for name in "abc":
        done(world.ask(lambda c, name=name: c.create(config(name))))
    first = done(world.ask(lambda c: c.list(CONFIG_MAP, "default", limit="2")))
    assert [o["metadata"]["name"] for o in first["items"]] == ["a", "b"]
    assert first["metadata"]["remainingItemCount"] == 1
    done(world.ask(lambda c: c.create(config("d"))))
    token = first["metadata"]["continue"]
    rest = done(world.ask(lambda c: c.request("GET", CONFIG_MAP.path("default"), query={"continue": token})))
    assert [o["metadata"]["name"] for o in rest["items"]] == ["c"]
    exact = {"resourceVersion": first["metadata"]["resourceVersion"], "resourceVersionMatch": "Exact"}
    then = done(world.ask(lambda c: c.list(CONFIG_MAP, "default", **exact)))
    assert [o["metadata"]["name"] for o in then["items"]] == ["a", "b", "c"]


def test_a_collection_is_deleted_object_by_object(world):
    for name in "abc":
        done(world.ask(lambda c, name=name: c.create(config(name))))
    path = CONFIG_MAP.path("default")
    gone = done(world.ask(lambda c: c.request("DELETE", path, query={"fieldSelector": "metadata.name!=b"})))
    assert [o["metadata"]["name"] for o in gone["items"]] == ["a", "c"]
    left = done(world.ask(lambda c: c.list(CONFIG_MAP, "default")))
    assert [o["metadata"]["name"] for o in left["items"]] == ["b"]

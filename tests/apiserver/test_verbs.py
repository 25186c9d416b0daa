"""The API server over a real etcd member: what each verb does, in which words it refuses, what the trace says."""

import pytest

from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT, LEASE, NAMESPACE, NODE, POD, SERVICE
from kubemini.api.objects import evolve
from kubemini.api.timestamps import instant
from kubemini.sim.units import SECOND
from tests.apiserver.parts import config, deployment, done, pod, refusal, service, version
from tests.worlds.kube import World


@pytest.fixture
def world():
    return World()


# -- create ----------------------------------------------------------------------------------------------------------
def test_a_created_object_has_a_uid_a_time_and_etcd_s_revision(world):
    made = done(world.ask(lambda c: c.create(config())))
    assert version(made) == world.etcd.data.store.revision
    assert len(made["metadata"]["uid"]) == 36
    assert instant(made["metadata"]["creationTimestamp"]) == world.sim.now // SECOND * SECOND
    assert done(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default"))) == made


def test_etcd_holds_the_object_without_its_resource_version(world):
    done(world.ask(lambda c: c.create(config())))
    stored = world.etcd.data.store.get("/registry/configmaps/default/a")["value"]
    assert "resourceVersion" not in stored["metadata"] and stored["data"] == {"x": "1"}


def test_a_name_that_is_taken_is_refused(world):
    done(world.ask(lambda c: c.create(config())))
    said = refusal(world.ask(lambda c: c.create(config(x="2"))))
    assert said == (409, 'configmaps "a" already exists')


def test_a_name_whose_bearer_is_being_deleted_is_refused_in_other_words(world):
    done(world.ask(lambda c: c.create(pod(nodeName="worker-1"))))
    done(world.ask(lambda c: c.delete(POD, "web-1", "default")))
    said = refusal(world.ask(lambda c: c.create(pod())))
    assert said == (409, 'object is being deleted: pods "web-1" already exists')


def test_generated_names_differ(world):
    body = {**config(), "metadata": {"generateName": "web-", "namespace": "default"}}
    names = [done(world.ask(lambda c: c.create(body)))["metadata"]["name"] for _ in range(3)]
    assert len(set(names)) == 3
    assert all(name.startswith("web-") and len(name) == 9 for name in names)


def test_a_pod_is_given_defaults_and_300_s_on_a_lost_node(world):
    made = done(world.ask(lambda c: c.create(pod())))
    assert made["spec"]["restartPolicy"] == "Always"
    seconds = [t["tolerationSeconds"] for t in made["spec"]["tolerations"]]
    assert seconds == [300, 300]
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}


def test_what_is_wrong_is_said_before_anything_is_stored(world):
    before = world.etcd.data.store.revision
    code, words = refusal(world.ask(lambda c: c.create(pod(containers=[]))))
    assert (code, words) == (422, 'Pod "web-1" is invalid: spec.containers: Required value')
    assert world.etcd.data.store.revision == before


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/api/v1/gadgets", "the server could not find the requested resource"),
        ("/apis/apps/v2/deployments", "the server could not find the requested resource"),
        ("/api/v1/namespaces/default/pods/x/gone", "the server could not find the requested resource"),
        ("/nonsense", "404 page not found"),
        ("/apis/none.io/v1/gadgets", "404 page not found"),
        ("/api//v1/pods", "404 page not found"),
    ],
)
def test_an_unknown_path_is_404(world, path, words):
    assert refusal(world.ask(lambda c: c.request("GET", path))) == (404, words)


def test_a_body_that_contradicts_its_url_is_a_bad_request(world):
    done(world.ask(lambda c: c.create(config())))
    path = "/api/v1/namespaces/default/configmaps"
    assert refusal(world.ask(lambda c: c.request("POST", path, config(namespace="shop"))))[0] == 400
    assert refusal(world.ask(lambda c: c.request("PUT", f"{path}/b", config())))[0] == 400
    assert refusal(world.ask(lambda c: c.request("POST", path, pod())))[0] == 400


# -- namespaces ------------------------------------------------------------------------------------------------------
def test_four_namespaces_exist_from_the_start(world):
    names = [n["metadata"]["name"] for n in done(world.ask(lambda c: c.list(NAMESPACE)))["items"]]
    assert names == ["default", "kube-node-lease", "kube-public", "kube-system"]


def test_nothing_comes_into_a_namespace_that_does_not_exist(world):
    said = refusal(world.ask(lambda c: c.create(config(namespace="shop"))))
    assert said == (404, 'namespaces "shop" not found')


def test_a_namespace_made_a_moment_ago_through_another_server_is_found():
    world = World(servers=2)
    one, two = world.program("one", ["apiserver-1"]), world.program("two", ["apiserver-2"])
    shop = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    one.do(one.client.create(shop))
    while not one.replies:
        world.run(0.0001)
    two.do(two.client.create(config(namespace="shop")))
    world.run(1)
    done(two.replies[0])


def test_nothing_new_comes_into_a_namespace_that_is_going_away(world):
    done(world.ask(lambda c: c.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}})))
    marked = done(world.ask(lambda c: c.delete(NAMESPACE, "shop")))
    assert marked["status"]["phase"] == "Terminating"
    code, words = refusal(world.ask(lambda c: c.create(config(namespace="shop"))))
    why = "unable to create new content in namespace shop because it is being terminated"
    assert (code, words) == (403, f'configmaps "a" is forbidden: {why}')
    empty = evolve(marked, ("spec", "finalizers"), [])
    done(world.ask(lambda c: c.request("PUT", "/api/v1/namespaces/shop/finalize", empty)))
    assert refusal(world.ask(lambda c: c.get(NAMESPACE, "shop"))) == (404, 'namespaces "shop" not found')


def test_the_system_s_namespaces_stay(world):
    said = refusal(world.ask(lambda c: c.delete(NAMESPACE, "default")))
    assert said == (403, 'namespaces "default" is forbidden: this namespace may not be deleted')


# -- update and patch ------------------------------------------------------------------------------------------------
def test_of_two_writers_who_read_the_same_state_one_is_told_of_the_conflict(world):
    seen = done(world.ask(lambda c: c.create(config())))
    done(world.ask(lambda c: c.update(evolve(seen, ("data", "x"), "2"))))
    code, words = refusal(world.ask(lambda c: c.update(evolve(seen, ("data", "x"), "3"))))
    assert (code, words) == (
        409,
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; please apply your changes to '
        "the latest version and try again",
    )


def test_an_update_without_a_resource_version_overwrites(world):
    done(world.ask(lambda c: c.create(config())))
    assert done(world.ask(lambda c: c.update(config(x="9"))))["data"] == {"x": "9"}


def test_a_lease_is_never_overwritten_blindly(world):
    lease = {"apiVersion": LEASE.api_version, "kind": "Lease", "metadata": {"name": "l", "namespace": "default"}}
    done(world.ask(lambda c: c.create(lease)))
    code, words = refusal(world.ask(lambda c: c.update(lease)))
    assert code == 422 and words.endswith("metadata.resourceVersion: Invalid value: 0: must be specified for an update")


def test_an_update_that_speaks_of_an_object_long_gone_is_a_conflict(world):
    old = done(world.ask(lambda c: c.create(config())))
    done(world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default")))
    new = done(world.ask(lambda c: c.create(config())))
    blind = {**old, "metadata": {k: v for k, v in old["metadata"].items() if k != "resourceVersion"}}
    code, words = refusal(world.ask(lambda c: c.update(blind)))
    uids = f"UID in precondition: {old['metadata']['uid']}, UID in object meta: {new['metadata']['uid']}"
    assert code == 409 and words.endswith(f"AdditionalErrorMsg: Precondition failed: {uids}")


def test_a_write_that_changes_nothing_makes_no_revision(world):
    made = done(world.ask(lambda c: c.create(deployment())))
    before = world.etcd.data.store.revision
    assert done(world.ask(lambda c: c.update(made))) == made
    assert done(world.ask(lambda c: c.patch(DEPLOYMENT, "web", "default", {"spec": {"replicas": 2}}))) == made
    assert world.etcd.data.store.revision == before


def test_a_stale_cache_does_not_make_a_write_look_needless():
    world = World(servers=2)
    one, two = world.program("one", ["apiserver-1"]), world.program("two", ["apiserver-2"])
    one.do(one.client.create(config(x="1")))
    two.do(two.client.list(CONFIG_MAP, resourceVersion="0"))
    world.run(1)
    world.net.set_latency("host-etcd-1", "cp-2", 100_000, 100_000)
    one.do(one.client.patch(CONFIG_MAP, "a", "default", {"data": {"x": "2"}}))
    world.run(0.01)
    assert one.replies[-1].ok
    assert world.servers[1].core.cache(CONFIG_MAP).get("default", "a")["data"] == {"x": "1"}
    two.do(two.client.patch(CONFIG_MAP, "a", "default", {"data": {"x": "1"}}))
    world.run(1)
    assert version(done(two.replies[-1])) > version(done(one.replies[-1]))
    assert done(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))["data"] == {"x": "1"}


def test_a_merge_patch_changes_what_it_names_and_null_removes(world):
    done(world.ask(lambda c: c.create(config(x="1", y="2"))))
    patched = done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"x": None, "z": "3"}})))
    assert patched["data"] == {"y": "2", "z": "3"}


def test_a_patch_from_a_stale_cache_is_tried_again_on_the_latest_state():
    world = World(servers=2)
    one, two = world.program("one", ["apiserver-1"]), world.program("two", ["apiserver-2"])
    one.do(one.client.create(config(x="0")), one.client.list(CONFIG_MAP, resourceVersion="0"))
    two.do(two.client.list(CONFIG_MAP, resourceVersion="0"))
    world.run(1)
    for n in range(20):  # both at once, always
        one.do(one.client.patch(CONFIG_MAP, "a", "default", {"data": {f"one-{n}": "x"}}))
        two.do(two.client.patch(CONFIG_MAP, "a", "default", {"data": {f"two-{n}": "x"}}))
    world.run(2)
    assert all(reply.ok for reply in one.replies + two.replies)
    assert len(done(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))["data"]) == 41


def test_a_patch_that_names_a_resource_version_is_held_to_it(world):
    made = done(world.ask(lambda c: c.create(config())))
    done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"x": "2"}})))
    body = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "data": {"x": "3"}}
    assert refusal(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", body)))[0] == 409


def test_a_patch_of_no_known_type_is_not_read(world):
    path = "/api/v1/namespaces/default/configmaps/a"
    said = refusal(world.ask(lambda c: c.request("PATCH", path, {}, {"type": "application/json"})))
    assert said == (415, "415: Unsupported Media Type")


def test_a_patch_may_not_leave_what_no_server_could_read(world):
    done(world.ask(lambda c: c.create(deployment())))
    reply = world.ask(lambda c: c.patch(DEPLOYMENT, "web", "default", {"spec": {"replicas": "many"}}))
    assert refusal(reply)[0] in (400, 422)


def test_the_generation_counts_changes_of_what_is_wanted(world):
    made = done(world.ask(lambda c: c.create(deployment())))
    scaled = done(world.ask(lambda c: c.patch(DEPLOYMENT, "web", "default", {"spec": {"replicas": 3}})))
    named = done(world.ask(lambda c: c.patch(DEPLOYMENT, "web", "default", {"metadata": {"labels": {"a": "b"}}})))
    assert [o["metadata"]["generation"] for o in (made, scaled, named)] == [1, 2, 2]


def test_a_write_to_status_leaves_the_spec_alone(world):
    made = done(world.ask(lambda c: c.create(pod())))
    wish = evolve(evolve(made, ("status", "phase"), "Running"), ("spec", "priority"), 7)
    after = done(world.ask(lambda c: c.update_status(wish)))
    assert after["status"]["phase"] == "Running" and after["spec"] == made["spec"]


@pytest.mark.parametrize(("obj", "through"), [(pod(), True), (deployment(), False)], ids=["Pod", "Deployment"])
def test_labels_go_through_status_but_for_those_of_a_deployment(world, obj, through):
    made = done(world.ask(lambda c: c.create(obj)))
    wish = evolve(made, ("metadata", "labels"), {"app": "other"})
    after = done(world.ask(lambda c: c.update_status(wish)))
    assert (after["metadata"].get("labels") == {"app": "other"}) is through


def test_what_is_empty_and_need_not_be_there_is_not_stored(world):
    body = {**config(), "data": {}, "metadata": {"name": "a", "namespace": "default", "finalizers": [], "labels": {}}}
    made = done(world.ask(lambda c: c.create(body)))
    assert "data" not in made and not {"finalizers", "labels"} & made["metadata"].keys()


def test_a_namespace_s_finalizers_change_through_finalize_alone(world):
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}, "spec": {"finalizers": ["x.io/y"]}}
    assert done(world.ask(lambda c: c.create(body)))["spec"]["finalizers"] == ["x.io/y", "kubernetes"]
    emptied = {**body, "spec": {"finalizers": []}}
    kept = done(world.ask(lambda c: c.request("PUT", "/api/v1/namespaces/shop", emptied)))
    assert kept["spec"]["finalizers"] == ["x.io/y", "kubernetes"]


def test_nobody_rewrites_when_an_object_ends(world):
    done(world.ask(lambda c: c.create(pod(nodeName="worker-1"))))
    done(world.ask(lambda c: c.delete(POD, "web-1", "default")))
    patch = {"metadata": {"deletionGracePeriodSeconds": 3}}
    code, words = refusal(world.ask(lambda c: c.patch(POD, "web-1", "default", patch)))
    assert code == 422 and words.endswith("metadata.deletionGracePeriodSeconds: Invalid value: 3: field is immutable")


def test_when_an_object_was_made_stays_whatever_somebody_writes(world):
    made = done(world.ask(lambda c: c.create(config())))["metadata"]
    patch = {"metadata": {"creationTimestamp": "2020-01-01T00:00:00Z", "labels": {"a": "b"}}}
    changed = done(world.ask(lambda c: c.patch(CONFIG_MAP, made["name"], "default", patch)))["metadata"]
    assert changed["creationTimestamp"] == made["creationTimestamp"] and changed["labels"] == {"a": "b"}


def test_an_object_is_never_created_at_a_version(world):
    body = config()
    body["metadata"]["resourceVersion"] = "5"
    said = refusal(world.ask(lambda c: c.create(body)))
    assert said == (500, "resourceVersion should not be set on objects to be created")


# -- delete ----------------------------------------------------------------------------------------------------------
def test_a_running_pod_stays_until_its_kubelet_says_that_it_has_ended(world):
    done(world.ask(lambda c: c.create(pod(nodeName="worker-1"))))
    marked = done(world.ask(lambda c: c.delete(POD, "web-1", "default")))
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 30
    assert done(world.ask(lambda c: c.get(POD, "web-1", "default"))) == marked
    done(world.ask(lambda c: c.delete(POD, "web-1", "default", gracePeriodSeconds=0)))
    assert refusal(world.ask(lambda c: c.get(POD, "web-1", "default"))) == (404, 'pods "web-1" not found')


def test_an_object_goes_when_its_last_finalizer_goes(world):
    kept = {**config(), "metadata": {**config()["metadata"], "finalizers": ["shop.example/bill"]}}
    done(world.ask(lambda c: c.create(kept)))
    marked = done(world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default")))
    assert marked["metadata"]["finalizers"] == ["shop.example/bill"] and "deletionTimestamp" in marked["metadata"]
    done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"metadata": {"finalizers": None}})))
    assert refusal(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))[0] == 404


def test_what_is_gone_is_answered_with_a_status_that_names_it(world):
    made = done(world.ask(lambda c: c.create(deployment())))
    status = done(world.ask(lambda c: c.delete(DEPLOYMENT, "web", "default")))
    details = {"name": "web", "group": "apps", "kind": "deployments", "uid": made["metadata"]["uid"]}
    assert (status["status"], status["details"]) == ("Success", details)


def test_a_delete_that_means_another_object_is_refused(world):
    done(world.ask(lambda c: c.create(config())))
    code, words = refusal(world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default", preconditions={"uid": "u0"})))
    assert code == 409 and "The object might have been deleted and then recreated" in words


# -- addresses -------------------------------------------------------------------------------------------------------
def test_every_service_has_an_address_of_its_own(world):
    ips = [done(world.ask(lambda c: c.create(service(f"s-{n}"))))["spec"]["clusterIP"] for n in range(5)]  # noqa: B023
    assert len(set(ips)) == 5
    taken = world.ask(lambda c: c.create(service("thief", clusterIP=ips[0])))
    code, words = refusal(taken)
    why = f'spec.clusterIPs: Invalid value: ["{ips[0]}"]: failed to allocate IP {ips[0]}: provided IP is already'
    assert (code, words) == (422, f'Service "thief" is invalid: {why} allocated')


def test_a_headless_service_has_none_and_a_node_port_has_a_port_too(world):
    assert done(world.ask(lambda c: c.create(service(clusterIP="None"))))["spec"]["clusterIP"] == "None"
    made = done(world.ask(lambda c: c.create(service("outside", type="NodePort"))))
    assert 30_000 <= made["spec"]["ports"][0]["nodePort"] <= 32_767


# -- lists -----------------------------------------------------------------------------------------------------------
def test_a_list_is_picked_by_labels_fields_and_namespace(world):
    for n in range(4):
        body = pod(f"web-{n}", **({"nodeName": f"worker-{n % 2}"}))
        body["metadata"]["labels"] = {"app": "web", "half": "ab"[n // 2]}
        done(world.ask(lambda c: c.create(body)))  # noqa: B023

    def names(**query):
        listed = done(world.ask(lambda c: c.list(POD, "default", **query)))
        return [p["metadata"]["name"] for p in listed["items"]]

    for at in ({}, {"resourceVersion": "0"}):
        assert names(**at) == ["web-0", "web-1", "web-2", "web-3"]
        assert names(labelSelector="half=a", **at) == ["web-0", "web-1"]
        assert names(fieldSelector="spec.nodeName=worker-1", **at) == ["web-1", "web-3"]
        assert names(labelSelector="half=b", fieldSelector="spec.nodeName=worker-1", **at) == ["web-3"]
    assert done(world.ask(lambda c: c.list(POD, "kube-system")))["items"] == []
    said = refusal(world.ask(lambda c: c.list(POD, "default", fieldSelector="spec.colour=red")))
    assert said == (400, "field label not supported: spec.colour")


def test_a_list_from_the_future_is_refused(world):
    now = world.etcd.data.store.revision
    said = refusal(world.ask(lambda c: c.list(POD, resourceVersion=str(now + 5))))
    assert said == (504, f"Timeout: Too large resource version: {now + 5}, current: {now}")


def test_a_list_of_a_version_that_the_cache_has_not_seen_is_read_from_etcd(world):
    done(world.ask(lambda c: c.list(POD, resourceVersion="0")))  # the cache of pods stands here …
    made = done(world.ask(lambda c: c.create(config())))  # … and hears nothing of this revision
    listed = done(world.ask(lambda c: c.list(POD, resourceVersion=made["metadata"]["resourceVersion"])))
    assert int(listed["metadata"]["resourceVersion"]) >= version(made)


# -- the trace -------------------------------------------------------------------------------------------------------
def told(world):
    return [(r.detail["verb"], r.detail["kind"], r.detail["name"]) for r in world.sim.trace.of("object")][4:]


def test_the_trace_tells_what_was_written_and_by_which_server(world):
    done(world.ask(lambda c: c.create(service())))
    done(world.ask(lambda c: c.delete(SERVICE, "web", "default")))
    assert told(world) == [("ADDED", "Service", "web"), ("DELETED", "Service", "web")]
    assert {r.actor for r in world.sim.trace.of("object")} == {"apiserver-1"}


def test_signs_of_life_are_not_told(world):
    beat = {"type": "Ready", "status": "True", "lastHeartbeatTime": "2026-01-01T00:00:01Z"}
    node = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": {"conditions": [beat]}}
    made = done(world.ask(lambda c: c.create(node)))
    later = evolve(made, ("status", "conditions", 0, "lastHeartbeatTime"), "2026-01-01T00:00:11Z")
    later = done(world.ask(lambda c: c.update_status(later)))
    assert version(later) > version(made)
    sick = evolve(later, ("status", "conditions", 0, "status"), "Unknown")
    done(world.ask(lambda c: c.update_status(sick)))
    assert told(world) == [("ADDED", "Node", "n"), ("MODIFIED", "Node", "n")]
    assert [r.detail["summary"]["ready"] for r in world.sim.trace.of("object")[4:]] == [True, False]
    assert done(world.ask(lambda c: c.get(NODE, "n")))["status"] == sick["status"]

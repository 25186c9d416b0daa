"""``kubectl apply``: each object once, its outcome in kubectl's words; three ways: what left a file leaves."""

import json

import pytest

from kubemini import run
from kubemini.__main__ import main
from kubemini.api.errors import ApiError
from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE
from kubemini.api.manifests import ManifestError
from kubemini.api.objects import evolve, get, without
from kubemini.cluster import Cluster, TopologyError, build
from kubemini.users.decide.apply import (
    LAST_APPLIED,
    asked_of,
    complaint,
    configuration,
    go_json,
    not_created,
    with_annotation,
)
from kubemini.wire.calls import EOF, HANDSHAKE, REFUSED
from tests.worlds.kube import SHOP, a_deployment

NEVER_RESTARTED = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: odd}
spec:
  selector: {matchLabels: {app: odd}}
  template:
    metadata: {labels: {app: odd}}
    spec: {restartPolicy: Never, containers: [{name: c, image: nginx}]}
"""
GOOD = """
apiVersion: v1
kind: ConfigMap
metadata: {name: good}
data: {a: "1"}
"""
IN_SHOP = GOOD.replace("good", "early, namespace: shop")
NAMESPACE = """
apiVersion: v1
kind: Namespace
metadata: {name: shop}
"""


def told(trace):
    return [r.detail["said"] for r in trace.of("request") if "said" in r.detail]


def outcomes(trace):
    return [
        (r.detail["verb"], r.detail["outcome"], r.detail["code"]) for r in trace.of("request") if "said" in r.detail
    ]


def story(manifests, **more):
    return {"title": "t", "topology": {"kind": "single"}, "manifests": manifests, "until": "10s", **more}


def test_an_object_that_is_refused_is_tried_once_and_the_next_ones_turn_comes():
    trace = run(story(f"{NEVER_RESTARTED}---\n{GOOD}"))
    refused, made = told(trace)
    assert refused == (
        'The Deployment "odd" is invalid: spec.template.spec.restartPolicy: Unsupported value: "Never": '
        'supported values: "Always"'
    )
    assert made == "configmap/good created"
    assert outcomes(trace) == [("POST", "failed", 422), ("POST", "ok", 200)]


def test_the_same_before_the_first_run():
    cluster = Cluster.single()
    cluster.apply(f"{NEVER_RESTARTED}---\n{GOOD}")
    trace = cluster.run(10)
    assert [line.split()[-1] for line in told(trace)] == ['"Always"', "created"]


def test_kubectl_applies_in_order_so_what_stands_before_its_namespace_needs_a_second_apply():
    cluster = Cluster.single()
    both = f"{IN_SHOP}---\n{NAMESPACE}"
    cluster.apply(both)
    cluster.run(8)
    assert told(cluster.trace) == [
        'Error from server (NotFound): error when creating "manifest": namespaces "shop" not found',
        "namespace/shop created",
    ]
    cluster.apply(both)
    cluster.run(2)
    assert told(cluster.trace)[2:] == ["configmap/early created", "namespace/shop unchanged"]


def test_before_anybody_answers_a_bootstrap_waits_and_is_told_of_once():
    commands = [("0s", "crash", "apiserver-1"), ("30s", "restart", "apiserver-1")]
    trace = run(story(GOOD), commands=commands, until="40s")
    assert told(trace) == ["configmap/good created"]
    (request,) = [r for r in trace.of("request") if "said" in r.detail]
    assert request.at > 30_000_000
    notes = [r.detail["text"] for r in trace.of("note")]
    assert notes == [
        "kubectl goes on asking until it is answered: The connection to the server apiserver-1:6443 was refused"
        " - did you specify the right host or port?"
    ]


def test_an_object_that_the_server_always_chokes_on_does_not_keep_the_others_waiting():
    cluster = Cluster.single()
    exported = GOOD.replace("name: good", 'name: exported, resourceVersion: "7"')
    cluster.apply(f"{exported}---\n{GOOD}")
    cluster.run(30)
    assert told(cluster.trace) == [
        'Error from server: error when creating "manifest": resourceVersion should not be set on objects to be created',
        "configmap/good created",
    ]


def test_an_apply_of_a_running_cluster_asks_once():
    cluster = Cluster.single()
    cluster.run(8)
    cluster.components["apiserver-1"].crash()
    cluster.apply(GOOD)
    cluster.run(5)
    assert outcomes(cluster.trace) == [("GET", "failed", 0)]
    assert told(cluster.trace) == [
        "The connection to the server apiserver-1:6443 was refused - did you specify the right host or port?"
    ]


def test_a_kubectl_that_is_restarted_does_not_apply_anew_what_was_applied():
    trace = run(story(GOOD), commands=[("5s", "restart", "kubectl")])
    assert told(trace) == ["configmap/good created"]


# -- three ways ----------------------------------------------------------------------------------------------------


@pytest.fixture
def shop():
    cluster = Cluster.single(workers=3)
    cluster.run(8)
    cluster.apply([a_deployment(), SHOP])
    cluster.run(8)
    return cluster


def stored(cluster, kind, name="web"):
    server = cluster.components["apiserver-1"]
    server.cache(kind)
    cluster.run(0.1)
    return next(o for o in server.cache(kind).items() if o["metadata"]["name"] == name)


def test_what_a_file_says_no_more_is_taken_away(shop):

    noted = evolve(SHOP, ("metadata", "annotations"), {"team": "red"})
    shop.apply([noted])
    shop.run(1)
    assert stored(shop, SERVICE)["metadata"]["annotations"]["team"] == "red"
    shop.apply([evolve(SHOP, ("spec", "selector"), {"tier": "w2"})])
    shop.run(1)
    service = stored(shop, SERVICE)
    assert dict(service["spec"]["selector"]) == {"tier": "w2"}
    assert "team" not in service["metadata"]["annotations"]
    assert told(shop.trace)[-2:] == ["service/web configured"] * 2


def test_what_others_added_stays(shop):

    shop.kubectl.scale("web", 5)
    shop.run(1)
    shop.apply([without(a_deployment(), ("spec", "replicas"))])
    shop.run(1)
    assert stored(shop, DEPLOYMENT)["spec"]["replicas"] == 1, "the file named a number before: the default is back"
    shop.kubectl.scale("web", 4)
    shop.run(1)
    shop.apply([without(a_deployment(cpu="50m"), ("spec", "replicas"))])
    shop.run(1)
    assert stored(shop, DEPLOYMENT)["spec"]["replicas"] == 4


def test_a_second_apply_of_the_same_changes_nothing(shop):
    revisions = [o["metadata"]["resourceVersion"] for o in (stored(shop, SERVICE), stored(shop, DEPLOYMENT))]
    shop.apply([a_deployment(), SHOP])
    shop.run(1)
    assert told(shop.trace)[-2:] == ["deployment.apps/web unchanged", "service/web unchanged"]
    assert [o["metadata"]["resourceVersion"] for o in (stored(shop, SERVICE), stored(shop, DEPLOYMENT))] == revisions


NOT_SIMULATED = """
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  volumes: [{name: v, emptyDir: {}}]
  containers: [{name: c, image: nginx, command: [sh], args: [-c]}]
"""


def test_a_field_that_is_not_simulated_is_noted_once_when_it_is_applied(shop):
    shop.apply(NOT_SIMULATED)
    shop.run(1)
    shop.apply(NOT_SIMULATED)
    shop.run(1)
    noted = [r.detail["text"] for r in shop.trace.of("note", "kubectl")]
    assert "pod/p: spec.volumes is not simulated" in noted
    assert "pod/p: spec.containers[0].command is not simulated" in noted
    assert len(noted) == len(set(noted)) >= 3


def test_what_is_refused_has_no_notes(shop):
    shop.apply(NOT_SIMULATED.replace("name: p", "name: p, namespace: nowhere"))
    shop.run(1)
    assert told(shop.trace)[-1].endswith('namespaces "nowhere" not found') and not shop.trace.of("note", "kubectl")


def test_the_command_line_shows_a_field_that_is_not_simulated(tmp_path, capsys):
    file = tmp_path / "story.json"
    file.write_text(json.dumps(story(NOT_SIMULATED)))
    assert main(["run", str(file)]) == 0
    assert capsys.readouterr().out.count("pod/p: spec.volumes is not simulated") == 1


def test_it_shows_it_too_when_the_story_is_too_long_for_its_table(tmp_path, capsys):
    command = f"70s,apply,{NOT_SIMULATED}"
    assert main(["run", "stacked", "--command", command]) == 0
    assert capsys.readouterr().out.count("pod/p: spec.volumes is not simulated") == 1


def test_another_strategy_replaces_what_belonged_to_the_first(shop):
    """Over the wire a plain merge patch would leave rollingUpdate beside Recreate, and is refused for it."""
    shop.apply([evolve(a_deployment(), ("spec", "strategy"), {"type": "Recreate"})])
    shop.run(1)
    assert told(shop.trace)[-1] == "deployment.apps/web configured"
    assert dict(stored(shop, DEPLOYMENT)["spec"]["strategy"]) == {"type": "Recreate"}


def test_a_port_that_the_server_gave_stays_and_goes_with_the_type(shop):
    node_port = evolve(SHOP, ("spec", "type"), "NodePort")
    shop.apply([node_port])
    shop.run(1)
    (port,) = stored(shop, SERVICE)["spec"]["ports"]
    assert port["nodePort"] >= 30000
    shop.apply([node_port])
    shop.run(1)
    assert told(shop.trace)[-1] == "service/web unchanged"
    assert stored(shop, SERVICE)["spec"]["ports"] == [port]
    shop.apply([evolve(SHOP, ("spec", "type"), "ClusterIP")])
    shop.run(1)
    spec = stored(shop, SERVICE)["spec"]
    assert "nodePort" not in spec["ports"][0] and "externalTrafficPolicy" not in spec


def test_one_container_of_two_is_changed_and_one_goes(shop):
    two = [{"name": "c", "image": "nginx:1.30"}, {"name": "side", "image": "busybox"}]
    path = ("spec", "template", "spec", "containers")
    shop.apply([evolve(a_deployment(), path, two)])
    shop.run(1)
    assert [c["image"] for c in get(stored(shop, DEPLOYMENT), *path)] == ["nginx:1.30", "busybox"]
    shop.apply([evolve(a_deployment(), path, two[1:])])
    shop.run(1)
    assert [c["name"] for c in get(stored(shop, DEPLOYMENT), *path)] == ["side"]


def test_a_raw_object_is_adopted_by_its_first_apply(shop):

    user = shop.kubectl
    raw = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "raw"}, "data": {"a": "1", "b": "2"}}
    user.spawn(user.request("POST", CONFIG_MAP.path("default"), raw))
    shop.run(1)
    shop.apply([{**raw, "data": {"a": "3"}}])
    shop.run(1)
    assert dict(stored(shop, CONFIG_MAP, "raw")["data"]) == {"a": "3", "b": "2"}, "nobody said that b is to go"


def test_the_annotation_is_what_kubectl_writes():
    obj = with_annotation({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"x": "<&>"}})
    assert obj["metadata"]["annotations"][LAST_APPLIED] == (
        '{"apiVersion":"v1","data":{"x":"\\u003c\\u0026\\u003e"},"kind":"ConfigMap",'
        '"metadata":{"annotations":{},"name":"a","namespace":"default"}}\n'
    )
    assert json.loads(go_json(obj)) == obj
    assert configuration(obj) == configuration(configuration(obj))


def test_a_cluster_scoped_object_gets_no_namespace():
    assert (
        "namespace"
        not in configuration({"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": "a"}})["metadata"]
    )


# -- what can be applied -------------------------------------------------------------------------------------------


def test_an_etcd_topology_has_no_api_server():
    with pytest.raises(TopologyError, match="an etcd topology has no API server"):
        Cluster(build("etcd")).apply(GOOD)


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("nope.yaml", r"^nope.yaml: cannot be read \(No such file or directory\)$"),
        ({}, "^objects, document 1, kind: missing"),
        ({"kind": "Pod"}, "^objects, document 1"),
        ([{"kind": object()}], "^objects: holds what no manifest can hold"),
        (5, "^apply: expected the name of a file, a text, or objects; got 5"),
        (None, "^apply: expected the name of a file, a text, or objects; got None"),
        (b"kind: Pod", "^apply: expected the name of a file"),
        ([5], "^objects, document 1: expected a map"),
        ("", "^manifest: holds no manifest"),
    ],
)
def test_what_cannot_be_applied_is_one_sentence(source, sentence):
    cluster = Cluster.single()
    with pytest.raises(ManifestError, match=sentence) as error:
        cluster.apply(source)
    assert "\n" not in str(error.value) and cluster.kubectl.first == []


def test_a_file_that_is_not_utf8_is_one_sentence(tmp_path):
    file = tmp_path / "shop.yaml"
    file.write_bytes(GOOD.encode("utf-16"))
    with pytest.raises(ManifestError, match=r"shop\.yaml: is not text in UTF-8; save it as UTF-8"):
        Cluster.single().apply(file)


def test_one_object_can_be_applied_as_a_dict():
    cluster = Cluster.single()
    cluster.apply({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "one"}})
    assert told(cluster.run(5)) == ["configmap/one created"]


def test_a_command_line_that_applies_keeps_its_commas(tmp_path, capsys):

    text = '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "typed"}, "data": {"a": "1, 2"}}'
    assert main(["run", "healthy", "--until", "9s", "--command", f"7s,apply,{text}"]) == 0
    assert "configmap/typed created" in capsys.readouterr().out


def test_complaints_are_those_of_kubectl():
    get_it, post_it = asked_of("haproxy-1", "GET", "/a"), asked_of("haproxy-1", "POST", "/a")
    refused = "The connection to the server haproxy-1:6443 was refused - did you specify the right host or port?"
    assert complaint(REFUSED, "", "f", get_it) == refused
    for error in (EOF, HANDSHAKE):
        assert complaint(error, "", "f", get_it) == f"Unable to connect to the server: {error}"
    assert complaint(EOF, "creating", "f", post_it) == (
        'error: error when creating "f": Post "https://haproxy-1:6443/a": EOF'
    )
    forbidden = ApiError(403, "Forbidden", "no")
    assert complaint(forbidden, "patching", "f.yaml", get_it) == (
        'Error from server (Forbidden): error when patching "f.yaml": no'
    )
    causes = [{"field": "a", "message": "x"}, {"field": "b", "message": "y"}]
    invalid = ApiError(422, "Invalid", "long", {"kind": "Pod", "name": "p", "causes": causes})
    assert complaint(invalid, "creating", "f", post_it) == 'The Pod "p" is invalid: \n* a: x\n* b: y'
    assert get(invalid.status(), "code") == 422


def test_what_kubectl_create_says_names_the_request_if_nobody_answered():
    post_it = asked_of("haproxy-1", "POST", "/a")
    said = 'error: failed to create configmap: Post "https://haproxy-1:6443/a": '
    assert not_created(EOF, "configmap", post_it) == f"{said}EOF"
    assert not_created(REFUSED, "configmap", post_it) == (f"{said}dial tcp haproxy-1:6443: connect: connection refused")
    late = ApiError(504, "Timeout", "Timeout: request did not complete")
    assert not_created(late, "configmap", post_it) == (
        "error: failed to create configmap: Timeout: request did not complete"
    )


@pytest.mark.parametrize("name", ["first", "stacked"])
def test_steady_writes_begin_when_there_is_something_to_change(name):
    trace = run(name, until=15)
    made = next(r.at for r in trace.of("object") if r.detail["name"] == "settings")
    writes = [r.detail for r in trace.of("request", "kubectl") if r.detail["verb"] == "PATCH"]
    assert min(write["started"] for write in writes) > made
    assert {write["outcome"] for write in writes} == {"ok"}

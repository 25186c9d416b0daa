"""The Python client of Kubernetes, unmodified, at the door: typed, dynamic, watching."""

import pytest

from tests.serve.doors import LONG, Served

pytestmark = pytest.mark.needs("kubernetes")
NAMESPACE = "default"


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("python"), "--topology", "stacked", "--workers", "1") as served:
        yield served


def api(served, door="apiserver-1"):
    """A client of one door."""
    from kubernetes import config

    return config.new_client_from_config(str(served.kubeconfig), context=door)


def core(served, door="apiserver-1"):
    from kubernetes import client

    return client.CoreV1Api(api(served, door))


def config_map(name, **data):
    return {"metadata": {"name": name}, "data": data}


def test_it_writes_reads_patches_and_deletes(served):
    from kubernetes.client.exceptions import ApiException

    core_ = core(served)
    made = core_.create_namespaced_config_map(NAMESPACE, config_map("typed", k="v"))
    assert made.metadata.uid and made.data == {"k": "v"}
    core_.patch_namespaced_config_map("typed", NAMESPACE, {"data": {"more": "w"}})
    assert core_.read_namespaced_config_map("typed", NAMESPACE).data == {"k": "v", "more": "w"}
    made.data = {"k": "late"}
    with pytest.raises(ApiException) as stale:
        core_.replace_namespaced_config_map("typed", NAMESPACE, made)
    assert stale.value.status == 409
    core_.delete_namespaced_config_map("typed", NAMESPACE)
    with pytest.raises(ApiException) as gone:
        core_.read_namespaced_config_map("typed", NAMESPACE)
    assert gone.value.status == 404


def test_nodes_and_their_dates_are_typed(served):
    nodes = core(served).list_node().items
    assert [node.metadata.name for node in nodes] == ["worker-1"]
    assert nodes[0].metadata.creation_timestamp.year >= 2026


def test_a_list_in_pages_is_a_list(served):
    core_ = core(served)
    for number in range(7):
        core_.create_namespaced_config_map(
            NAMESPACE, {"metadata": {"name": f"page-{number}", "labels": {"paged": "y"}}}
        )
    names, token = [], None
    while True:
        page = core_.list_namespaced_config_map(NAMESPACE, label_selector="paged=y", limit=3, _continue=token)
        names += [item.metadata.name for item in page.items]
        token = page.metadata._continue
        if not token:
            break
    assert names == [f"page-{number}" for number in range(7)]


def test_a_watch_goes_on_at_another_server_where_one_has_crashed(served):
    from kubernetes import watch

    select = {"label_selector": "watched=y", "_request_timeout": LONG}
    listed = core(served).list_namespaced_config_map(NAMESPACE, **select)
    seen, version = [], listed.metadata.resource_version
    for number, door in enumerate(["apiserver-2", "apiserver-3"]):
        body = {"metadata": {"name": f"watched-{number}", "labels": {"watched": "y"}}}
        core(served).create_namespaced_config_map(NAMESPACE, body)
        stream = watch.Watch().stream(
            core(served, door).list_namespaced_config_map, NAMESPACE, resource_version=version, **select
        )
        event = next(stream)
        seen.append((event["type"], event["object"].metadata.name))
        version = event["object"].metadata.resource_version
        if number == 0:
            assert served.type(f"crash {door}") == f"kubemini: crash {door}\n"
    assert seen == [("ADDED", "watched-0"), ("ADDED", "watched-1")]
    served.type("restart apiserver-2")


def test_the_dynamic_client_finds_kinds_by_discovery(served):
    from kubernetes import dynamic

    client = dynamic.DynamicClient(api(served))
    maps = client.resources.get(api_version="v1", kind="ConfigMap")
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "dynamic"}, "data": {"k": "v"}}
    assert maps.create(body=body, namespace=NAMESPACE).data.k == "v"
    applied = maps.server_side_apply(
        body={**body, "data": {"k": "w"}},
        namespace=NAMESPACE,
        name="dynamic",
        field_manager="test",
        force_conflicts=True,
    )
    assert applied.data.k == "w"
    assert client.version["kubernetes"]["gitVersion"] == "v1.37.2"


def test_a_workload_is_made_and_seen_running(served):
    from kubernetes import client, watch

    container = {"name": "c", "image": "nginx:1.29"}
    labels = {"app": "typed"}
    client.AppsV1Api(api(served)).create_namespaced_deployment(
        NAMESPACE,
        {
            "metadata": {"name": "typed"},
            "spec": {
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
            },
        },
    )
    stream = watch.Watch()
    for event in stream.stream(
        core(served).list_namespaced_pod, NAMESPACE, label_selector="app=typed", _request_timeout=LONG
    ):
        pod = event["object"]
        if pod.status.phase == "Running":
            stream.stop()
    assert pod.status.phase == "Running" and pod.spec.node_name == "worker-1"

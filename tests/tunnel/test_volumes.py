"""What a container finds of its manifest: variables, and files that follow their ConfigMaps and the pod itself."""

import pytest

from tests.tunnel.test_programs import Real, one, ran
from tests.tunnel.world import PODS

CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
SCRIPT = "while true; do sleep 1; done"
MOUNTS = [
    {"name": "cm", "mountPath": "/cm"},
    {"name": "cm", "mountPath": "/one", "subPath": "a"},
    {"name": "down", "mountPath": "/down"},
    {"name": "shared", "mountPath": "/shared", "subPathExpr": "$(NAME)/x"},
]
VOLUMES = [
    {"name": "cm", "configMap": {"name": "cm"}},
    {"name": "shared", "emptyDir": {}},
    {
        "name": "down",
        "downwardAPI": {
            "items": [
                {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
                {"path": "cpu", "resourceFieldRef": {"containerName": "c", "resource": "limits.cpu", "divisor": "1m"}},
            ]
        },
    },
]
ENV = [
    {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cm", "key": "a"}}},
    {"name": "URL", "value": "http://$(NAME):$(A)/$$(A)"},
]


def container(name, **more):
    return {
        "name": name,
        "image": "busybox",
        "command": ["sh", "-c", SCRIPT],
        "volumeMounts": MOUNTS,
        "env": ENV,
        **more,
    }


@pytest.fixture(scope="module")
def world():
    world = Real(one("idle"))
    world.ask("POST", CONFIG_MAPS, {"kind": "ConfigMap", "metadata": {"name": "cm"}, "data": {"a": "1", "b": "2"}})
    limited = container("c", resources={"limits": {"cpu": "250m"}}, envFrom=[{"configMapRef": {"name": "cm"}}])
    spec = {
        "nodeName": "worker-1",
        "volumes": VOLUMES,
        "containers": [limited, container("d", args=["$(URL)", "$(NO)"])],
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web", "labels": {"app": "web"}}, "spec": spec}
    assert world.ask("POST", PODS, pod).status == 201
    world.sleep(20)
    return world


def said(world, script, of="c"):
    return ran(world, "sh", "-c", script, more=f"&container={of}")[0]


def test_variables_come_from_everywhere_and_refer_to_each_other(world):
    assert said(world, "echo $A $b $URL") == "1 2 http://web:1/$(A)\n"
    assert said(world, "tr '\\0' ' ' < /dev/null; ps | head -n 2 | tail -n 1", "d").endswith(
        f"sh -c {SCRIPT} http://web:1/$(A) $(NO)\n"
    )


def test_files_come_from_their_volumes_and_what_is_the_apis_nobody_writes(world):
    assert said(world, "cat /cm/b /one; echo; cat /down/cpu; ls /shared") == "21\n250"
    failed = ran(world, "sh", "-c", "echo x > /cm/a; touch /one", more="&container=c")[1].channel(2)
    assert failed == "sh: can't create /cm/a: Read-only file system\ntouch: /one: Read-only file system\n"


def test_what_one_container_writes_into_a_shared_folder_the_other_reads(world):
    said(world, "echo hello > /shared/f")
    assert said(world, "cat /shared/f", "d") == "hello\n"


def test_a_file_follows_its_config_map_with_the_next_turn_and_a_variable_never(world):
    path, before = f"{CONFIG_MAPS}/cm", said(world, "readlink /cm/..data")
    world.ask("PATCH", path, {"data": {"a": "new"}}, content_type="application/merge-patch+json")
    world.sleep(100)
    assert said(world, "cat /cm/a; echo; echo $A; cat /one") == "new\n1\n1", "a subPath stays what it was"
    after = said(world, "readlink /cm/..data; ls -A1 /cm | wc -l")
    assert after.splitlines()[0] != before.strip() and after.splitlines()[1] == "4"


def test_a_file_that_tells_of_the_pod_follows_its_labels(world):
    assert "tier" not in said(world, "cat /down/labels")
    patch = {"metadata": {"labels": {"tier": "x"}}}
    world.ask("PATCH", f"{PODS}/web", patch, content_type="application/merge-patch+json")
    world.sleep(5)
    assert 'tier="x"' in said(world, "cat /down/labels")


def test_a_pod_that_is_gone_watches_nothing_any_more(world):
    kubelet = world.cluster.components["kubelet@worker-1"]
    (worker,) = [one for one in kubelet.workers.values() if one.key[1] == "web"]
    assert len(worker._syncing.volumes._watches) == 1
    world.ask("DELETE", f"{PODS}/web?gracePeriodSeconds=1")
    world.sleep(30)
    assert worker._syncing.volumes._watches == [] and world.ask("GET", f"{PODS}/web").status == 404

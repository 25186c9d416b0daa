"""What a pod mounts, and what its kubelet says of a part of a volume that there cannot be; probes that are sent on."""

import pytest

from kubemini.api.objects import freeze, get
from kubemini.cluster import Cluster
from kubemini.containers import Device, File, Folder
from kubemini.kubelet.decide.pods.mounts import wrong_type
from kubemini.params import Params
from tests.worlds.kube import Shop

WEBSERVER = {"image": "registry.k8s.io/e2e-test-images/agnhost:2.66", "args": ["test-webserver"]}


def a_pod(name, volumes=(), **container):
    spec = {"containers": [{"name": "c", "image": "busybox", **container}], "volumes": list(volumes)}
    meta = {"name": name, "namespace": "default", "labels": {"app": "web"}}
    return freeze({"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": {**spec, "restartPolicy": "Never"}})


def after(seconds, *pods):
    """The pods by name, so many seconds later."""
    shop = Shop(*pods, cluster=Cluster.single(workers=1, params=Params(kubelet_details=True)))
    shop.run(seconds)
    return {pod["metadata"]["name"]: pod for pod in shop.pods()}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("..", "unable to provision SubPath `..`: must not contain '..'"),
        ("/tmp", "error SubPath `/tmp` must not be an absolute path"),
        ("", "missing value for NAME"),
    ],
)
def test_a_part_of_a_volume_that_cannot_be_is_no_configuration(value, said):
    mounts = [{"name": "d", "mountPath": "/d", "subPathExpr": "$(NAME)"}]
    broken = a_pod("p", [{"name": "d", "emptyDir": {}}], volumeMounts=mounts, env=[{"name": "NAME", "value": value}])
    (status,) = after(15, broken)["p"]["status"]["containerStatuses"]
    assert status["state"]["waiting"] == {"reason": "CreateContainerConfigError", "message": said}


def test_pods_of_a_node_see_what_another_has_left_on_it():
    folder, mounts = [{"name": "d", "hostPath": {"path": "/tmp/here"}}], [{"name": "d", "mountPath": "/d"}]
    writes = a_pod("a", folder, command=["touch", "/d/mark"], volumeMounts=mounts)
    looks = ["sh", "-c", "until [[ -r /d/mark ]]; do sleep 1; done"]
    pods = after(15, writes, a_pod("b", folder, command=looks, volumeMounts=mounts))
    assert [get(pods[name], "status", "phase") for name in "ab"] == ["Succeeded", "Succeeded"]
    other = [{"name": "d", "hostPath": {"path": "/tmp/there"}}]
    pods = after(15, writes, a_pod("b", other, command=looks, volumeMounts=mounts))
    assert [get(pods[name], "status", "phase") for name in "ab"] == ["Succeeded", "Running"]


def test_a_probe_goes_where_the_same_host_sends_it():
    def probed(path):
        probe = {"httpGet": {"path": path, "port": 80}, "periodSeconds": 1}
        return after(10, a_pod("p", **WEBSERVER, readinessProbe=probe))["p"]["status"]["containerStatuses"][0]["ready"]

    assert probed("/index.html") and not probed("/none/index.html")


def test_what_lies_on_the_node_must_be_what_a_host_path_asks_for():
    good = {
        "/var/log": "Directory",
        "/made/here": "DirectoryOrCreate",
        "/made/a": "FileOrCreate",
        "/dev/null": "CharDevice",
    }
    bad = {"/nope": "Directory", "/var/lib": "File", "/etc/hosts": "DirectoryOrCreate", "/run/x": "Socket"}
    asked = list(enumerate((good | bad).items()))
    mounts = [{"name": "d", "mountPath": "/d"}]
    volumes = {n: [{"name": "d", "hostPath": {"path": path, "type": type}}] for n, (path, type) in asked}
    pods = after(15, *(a_pod(f"p{n}", volumes[n], command=["true"], volumeMounts=mounts) for n in volumes))
    phases = [get(pods[f"p{n}"], "status", "phase") for n in volumes]
    assert phases == ["Succeeded"] * len(good) + ["Pending"] * len(bad)


@pytest.mark.parametrize(
    ("type", "node", "what"),
    [
        ("Directory", None, "directory"),
        ("DirectoryOrCreate", File(), "directory"),
        ("File", Folder(), "file"),
        ("Socket", File(), "socket file"),
        ("CharDevice", File(), "character device"),
        ("BlockDevice", Device("null"), "block device"),
    ],
)
def test_the_kubelet_says_what_is_wrong_with_a_host_path(type, node, what):
    assert wrong_type("/x", type, node) == f"hostPath type check failed: /x is not a {what}"
    assert not wrong_type("/x", "", node)

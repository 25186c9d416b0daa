"""``kubectl debug``: a look into a pod, a copy of it, a node. What each profile makes is as kubectl 1.37.1 made it."""

import json

import pytest

from kubemini import Cluster, Params
from tests.users.kubectl.worlds import Desk

SEEN = """
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: x}, annotations: {note: one}}
spec:
  initContainers: [{name: i, image: busybox, command: ["true"]}]
  containers:
  - {name: c, image: busybox, command: [sleep, "1000"], livenessProbe: {exec: {command: ["true"]}}}
"""
PTRACE = {"capabilities": {"add": ["SYS_PTRACE"]}}
NET = {"capabilities": {"add": ["NET_ADMIN", "NET_RAW"]}}
RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
HOST = {"hostIPC": True, "hostNetwork": True, "hostPID": True}
PROFILES = {  # (in a pod or its copy, in a pod for a node, what that one has of its host, whether of its files too)
    "legacy": (None, None, HOST, True),
    "general": (PTRACE, None, HOST, True),
    "baseline": (None, None, {}, False),
    "restricted": (RESTRICTED, RESTRICTED, {}, False),
    "netadmin": (NET, NET, HOST, False),
    "sysadmin": ({"privileged": True}, {"privileged": True}, HOST, True),
}


@pytest.fixture
def desk():
    desk = Desk(Cluster.single(params=Params(kubelet_details=True)))
    desk.says("apply -f -", SEEN)
    desk.cluster.run("10s")
    return desk


def read(desk, name):
    return json.loads(desk.says(f"get pod {name} -o json"))


def test_a_container_is_added_to_a_pod_that_runs_and_others_see_it(desk):
    said = desk.says("debug p --image=busybox --target=c -- sleep 1000")
    assert said.startswith('Targeting container "c". If you don\'t see processes from this container it may be because')
    name = said.splitlines()[1].removeprefix("Defaulting debug container name to ").rstrip(".")
    (made,) = read(desk, "p")["spec"]["ephemeralContainers"]
    assert (made["name"], made["command"], made["targetContainerName"]) == (name, ["sleep", "1000"], "c")
    assert name.startswith("debugger-") and len(name) == 14
    desk.cluster.run("5s")
    assert "running" in read(desk, "p")["status"]["ephemeralContainerStatuses"][0]["state"]
    assert desk.says(f"exec p -c {name} -- hostname") == "p\n"
    assert f"Ephemeral Containers:\n  {name}:" in desk.says("describe pod p")
    listed = f"container x is not valid for pod p out of: c, {name} (ephem), i (init)"
    assert listed in desk.complains("logs p -c x")


def test_who_types_into_it_waits_until_it_runs_and_reads_what_it_says(desk):
    typed = desk.type("debug p -i --image=busybox -- sh -c 'sleep 2; read x; echo got $x'", "this\n")
    assert typed.status == 0 and typed.out.splitlines()[1:] == ["got this"]
    assert typed.err.endswith("If you don't see a command prompt, try pressing enter.\n")
    assert desk.says("debug p --attach -q --image=busybox -- sh -c 'sleep 1; echo seen'") == "seen\n"


@pytest.mark.parametrize("profile", PROFILES)
def test_a_profile_says_what_a_debugging_container_may_do(desk, profile):
    in_pod, on_node, host, files = PROFILES[profile]
    desk.says(f"debug p --image=busybox -c added --profile={profile}")
    assert read(desk, "p")["spec"]["ephemeralContainers"][0].get("securityContext") == in_pod
    desk.says(f"debug p --image=busybox -c d --copy-to=q --profile={profile}")
    copy = read(desk, "q")
    stripped = profile != "legacy"
    assert copy["spec"].get("shareProcessNamespace", False) == stripped
    assert ("note" in copy["metadata"].get("annotations", {}), "livenessProbe" in copy["spec"]["containers"][0]) == (
        not stripped,
        not stripped,
    )
    assert [one.get("securityContext") for one in copy["spec"]["containers"]] == [None, in_pod]
    node = json.loads(desk.says("get nodes -o json"))["items"][0]["metadata"]["name"]
    said = desk.says(f"debug node/{node} --image=busybox --profile={profile}")
    made = read(desk, said.split()[3])
    assert said == f"Creating debugging pod {made['metadata']['name']} with container debugger on node {node}.\n"
    (one,) = made["spec"]["containers"]
    assert {key: made["spec"][key] for key in HOST if key in made["spec"]} == host
    assert any(mount["mountPath"] == "/host" for mount in one.get("volumeMounts", ())) == files
    assert one.get("securityContext") == on_node and made["spec"]["tolerations"] == [{"operator": "Exists"}]


def test_a_copy_keeps_what_it_is_told_to(desk):
    desk.says("debug p --copy-to=images --set-image=*=nginx")
    images = read(desk, "images")
    assert [one["image"] for one in images["spec"]["containers"]] == ["nginx"] and images["metadata"]["labels"]["app"]
    desk.says("debug p --copy-to=other -c c -- sleep 5")
    assert read(desk, "other")["spec"]["containers"][0]["command"] == ["sleep", "5"]
    kept = "--keep-labels --keep-annotations --keep-liveness --keep-init-containers=false"
    desk.says(f"debug p --copy-to=r --image=busybox -c d --replace --same-node --share-processes=false {kept}")
    made = read(desk, "r")
    assert (made["metadata"]["labels"]["app"], made["metadata"]["annotations"]["note"]) == ("x", "one")
    assert "livenessProbe" in made["spec"]["containers"][0] and "initContainers" not in made["spec"]
    assert made["spec"].get("shareProcessNamespace", False) is False and made["spec"]["nodeName"]
    assert "NotFound" in desk.complains("get pod p"), "it has been replaced"


def test_how_long_to_wait_is_no_flag_of_it_as_it_waits_for_ever(desk):
    unknown = "error: unknown flag: --pod-running-timeout\nSee 'kubectl debug --help' for usage.\n"
    assert desk.complains("debug p --image=busybox --pod-running-timeout=5s") == unknown

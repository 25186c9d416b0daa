"""Lines that change something, and lines that wait: what is printed, and what has become of the cluster."""

import json

import pytest

from kubemini import Cluster
from kubemini.users.decide.kubectl.changes.apply import SCRATCH
from tests.users.kubectl.worlds import WEB, Desk

EVENT = """
apiVersion: v1
kind: Event
metadata: {name: tried, namespace: default}
involvedObject: {apiVersion: apps/v1, kind: Deployment, name: web, namespace: default, uid: UID}
type: Normal
reason: Tried
message: somebody tried
firstTimestamp: "2026-01-01T00:00:20Z"
lastTimestamp: "2026-01-01T00:00:20Z"
count: 1
source: {component: test}
"""
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec: {minAvailable: 2, selector: {matchLabels: {app: web}}}
"""


@pytest.fixture
def desk():
    desk = Desk()
    desk.says("apply -f -", WEB)
    desk.cluster.run("20s")
    return desk


def test_an_apply_creates_leaves_alone_and_changes(desk):
    assert desk.says("apply -f -", WEB) == "deployment.apps/web unchanged\n"
    changed = WEB.replace("replicas: 2", "replicas: 1")
    difference = desk.type("diff -f -", changed)
    assert difference.status == 1 and "-  replicas: 2\n+  replicas: 1\n" in difference.out
    command, old, new, *_ = difference.out.splitlines()
    sides = [f"{SCRATCH}/{side}/apps.v1.Deployment.default.web" for side in ("LIVE", "MERGED")]
    assert (command, old, new) == (f"diff -u -N {' '.join(sides)}", f"--- {sides[0]}", f"+++ {sides[1]}")
    assert desk.says("apply -f -", changed) == "deployment.apps/web configured\n"
    assert desk.says("get deploy web -o jsonpath={.spec.replicas}") == "1"


def test_manifests_come_from_a_here_document_or_from_files_by_name(desk):
    text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n"
    assert desk.says(f"apply -f - <<EOF\n{text}EOF\n") == "configmap/x created\n"
    assert desk.says("delete -f x.yaml", files={"x.yaml": text}) == 'configmap "x" deleted from default namespace\n'


def test_a_rollout_is_watched_to_its_end_and_undone(desk):
    assert desk.says("set image deploy/web c=nginx:2") == "deployment.apps/web image updated\n"
    told = desk.says("rollout status deploy/web").splitlines()
    assert told[0].startswith("Waiting for deployment") and told[-1] == 'deployment "web" successfully rolled out'
    assert [row.split()[0] for row in desk.says("rollout history deploy/web").splitlines()[1:3]] == ["REVISION", "1"]
    assert desk.type("rollout undo deploy/web").out == "deployment.apps/web rolled back\n"
    assert desk.says("get deploy web -o jsonpath={.spec.template.spec.containers[0].image}") == "nginx:1.29"
    assert desk.says("rollout restart deploy/web") == "deployment.apps/web restarted\n"


def test_a_line_waits_until_it_is_so_or_its_time_is_over(desk):
    assert desk.says("wait deploy/web --for=condition=Available") == "deployment.apps/web condition met\n"
    late = "error: timed out waiting for the condition on deployments/web\n"
    assert desk.complains("wait deploy/web --for=condition=Nope --timeout=3s") == late
    assert desk.says("delete deploy web") == 'deployment.apps "web" deleted from default namespace\n'
    assert "NotFound" in desk.complains("get deploy web")


def test_a_drain_says_what_stays_and_evicts_what_may_go(desk):
    node = desk.says("get pods -o jsonpath={.items[0].spec.nodeName}")
    evicted = desk.says(f"drain {node}")
    assert evicted.startswith(f"node/{node} cordoned\nevicting pod default/web-")
    assert evicted.endswith(f"evicted\nnode/{node} drained\n")
    assert desk.says(f"uncordon {node}") == f"node/{node} uncordoned\n"


def test_a_drain_is_refused_by_a_budget_and_asks_again_until_its_time_is_over(desk):
    desk.says("apply -f -", BUDGET)
    desk.cluster.run("5s")
    node = desk.says("get pods -o jsonpath={.items[0].spec.nodeName}")
    said = desk.complains(f"drain {node} --timeout=12s")
    refusal = "Cannot evict pod as it would violate the pod's disruption budget."
    assert said.count(f"(will retry after 5s): {refusal}") >= 3 and "global timeout reached: 12s" in said
    assert f"There are pending nodes to be drained:\n {node}\n" in said


def test_a_drain_waits_only_so_long_for_a_pod_whose_kubelet_is_gone(desk):
    node = desk.says("get pods -o jsonpath={.items[0].spec.nodeName}")
    desk.cluster.components[f"kubelet@{node}"].crash()
    said = desk.says(f"drain {node} --skip-wait-for-delete-timeout=5", time="60s")
    assert "has DeletionTimestamp older than 5 seconds, skipping\n" in said and said.endswith(f"node/{node} drained\n")
    assert desk.says(f"drain {node} --skip-wait-for-delete-timeout=5").count("evicting") == 0


def test_a_drain_names_what_nobody_would_make_anew(desk):
    desk.says("run lone --image=x")
    desk.cluster.run("10s")
    node = desk.says("get pod lone -o jsonpath={.spec.nodeName}")
    said = desk.complains(f"drain {node}")
    assert "cannot delete Pods that declare no controller (use --force to override): default/lone" in said
    assert "Warning: deleting Pods that declare no controller: default/lone" in desk.type(f"drain {node} --force").err


def test_a_taint_is_put_and_taken_away(desk):
    assert desk.says("taint node worker-1 a=b:NoSchedule") == "node/worker-1 tainted\n"
    assert "already has a taint(s)" in desk.complains("taint node worker-1 a=c:NoSchedule")
    assert json.loads(desk.says("get node worker-1 -o json"))["spec"]["taints"][0]["value"] == "b"
    assert desk.says("taint node worker-1 a-") == "node/worker-1 untainted\n"


def test_contexts_name_the_balancer_and_each_server():
    desk = Desk(Cluster.stacked(), "15s")
    assert desk.says("--context apiserver-2 get ns -o name").startswith("namespace/")
    assert desk.complains("--context nowhere get ns") == 'error: context "nowhere" does not exist\n'
    desk.cluster.components["apiserver-2"].crash()
    assert "was refused" in desk.complains("--context apiserver-2 get ns")
    assert desk.says("get ns -o name").startswith("namespace/")  # by the balancer


def test_events_and_descriptions_tell_what_happened(desk):
    uid = desk.says("get deploy web -o jsonpath={.metadata.uid}")
    desk.says("create -f -", EVENT.replace("UID", uid))
    said = desk.says("events --for deploy/web").splitlines()
    assert said[0].split() == ["LAST", "SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"]
    assert said[1].split()[1:4] == ["Normal", "Tried", "Deployment/web"]
    described = desk.says("describe deploy web")
    assert "2 desired | 2 updated | 2 total | 2 available | 0 unavailable" in described
    assert "NewReplicaSet:" in described and "Tried   " in described.partition("Events:")[2]
    assert desk.complains("top pods") == "error: Metrics API not available\n"


EXPRESSIONS = "[{key: app, operator: In, values: [web, b]}, {key: x, operator: DoesNotExist}]"
LABELS, NAME = "matchLabels: {app: web}", "name: web,"
EXPOSED = f"""
{WEB.replace(LABELS, f"{LABELS}, matchExpressions: {EXPRESSIONS}").replace(NAME, "name: picky,")}
---
{WEB.replace(LABELS, f"matchExpressions: {EXPRESSIONS}").replace(NAME, "name: vague,")}
---
apiVersion: v1
kind: Pod
metadata: {{name: dns, labels: {{app: dns}}}}
spec:
  containers:
    - name: c
      image: x
      ports: [{{containerPort: 53, protocol: UDP}}, {{containerPort: 53}}, {{containerPort: 9153}}]
---
apiVersion: v1
kind: Pod
metadata: {{name: bare}}
spec: {{schedulerName: nobody, containers: [{{name: c, image: x}}]}}
---
apiVersion: v1
kind: Pod
metadata: {{name: {"long" * 20}, labels: {{app: long}}}}
spec: {{containers: [{{name: c, image: x}}]}}
---
apiVersion: v1
kind: Service
metadata: {{name: nobody}}
spec: {{ports: [{{port: 80}}]}}
"""
WHY = "couldn't retrieve selectors via --selector flag or introspection: "
SHOWN = "[{Key:app Operator:In Values:[web b]} {Key:x Operator:DoesNotExist Values:[]}]"


@pytest.fixture(scope="module")
def shown():
    """Somebody who exposes what is there, and changes nothing."""
    shown = Desk()
    shown.says("apply -f -", WEB)
    shown.says("apply -f -", EXPOSED)
    return shown


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("deploy picky --port=80", f'{WHY}couldn\'t convert expressions - "{SHOWN}" to map-based selector format'),
        ("deploy vague --port=80", f"{WHY}invalid deployment: no selectors, therefore cannot be exposed"),
        ("pod bare --port=80", f"{WHY}the pod has no labels and cannot be exposed"),
        ("svc nobody --name=y", f"{WHY}the service has no pod selector set"),
        ("deploy web", "couldn't find port via --port flag or introspection"),
        ("deploy web --port=abc", 'strconv.Atoi: parsing "abc": invalid syntax'),
        ("deploy web --port=80 --session-affinity=x", "unknown session affinity: x"),
        ("ns default --port=1", "cannot expose a Namespace"),
    ],
)
def test_what_cannot_be_exposed_is_refused_in_the_real_words(shown, line, why):
    """As a kubectl 1.37 says at the door."""
    assert shown.complains(f"expose {line}") == f"error: {why}\n"


def test_a_service_goes_by_the_name_of_what_it_exposes_as_far_as_a_label_may_be_long(shown):
    made = json.loads(shown.says(f"expose pod {'long' * 20} --port=80 --dry-run=client -o json"))
    assert made["metadata"]["name"] == ("long" * 20)[:63]


@pytest.mark.parametrize(
    ("line", "ports"),
    [
        ("pod dns", [("port-1-udp", "UDP", 53), ("port-1-tcp", "TCP", 53), ("port-2", "TCP", 9153)]),
        ("pod dns --port=53", [("port-1-udp", "UDP", 53), ("port-1-tcp", "TCP", 53)]),
        ("pod dns --port=53 --protocol=SCTP", [(None, "SCTP", 53)]),
        ("deploy web --port=80,443", [("port-1", "TCP", 80), ("port-2", "TCP", 443)]),
        ("deploy web --cluster-ip=None", []),
    ],
)
def test_a_service_has_the_ports_and_protocols_of_what_it_exposes(shown, line, ports):
    spec = json.loads(shown.says(f"expose {line} --dry-run=client -o json"))["spec"]
    assert [(one.get("name"), one["protocol"], one["port"]) for one in spec.get("ports", [])] == ports


def test_what_a_service_is_told_stands_in_it(shown):
    told = "--session-affinity=ClientIP --type=LoadBalancer --load-balancer-ip=1.2.3.4"
    spec = json.loads(shown.says(f"expose deploy picky --port=80 --selector=a=b {told} --dry-run=client -o json"))[
        "spec"
    ]
    assert (spec["selector"], spec["sessionAffinity"], spec["loadBalancerIP"]) == ({"a": "b"}, "ClientIP", "1.2.3.4")


@pytest.mark.parametrize(
    "line",
    [
        "label --local pod dns a=b",
        "delete -i pod dns",
        "expose deploy web --port=80 --overrides={}",
        "get pods --as-uid=1",
        "get pods --server-print=false",
        "patch pod dns --local -p {}",
    ],
)
def test_a_flag_that_nobody_obeys_is_refused_rather_than_forgotten(shown, line):
    assert " is not simulated: leave it out\n" in shown.complains(line)
    assert "a" not in json.loads(shown.says("get pod dns -o json"))["metadata"]["labels"]

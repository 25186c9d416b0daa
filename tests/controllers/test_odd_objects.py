"""Objects that an API server takes, and that no controller would write, end no program."""

import pytest

from kubemini.cluster import Cluster

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: i}]}
"""
WEB = "/apis/apps/v1/namespaces/default/deployments/web/status"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (WEB, {"status": {"conditions": [{}]}}),
        (WEB, {"status": {"conditions": [None]}}),
        (WEB, {"status": {"conditions": [{"status": "True"}, {"type": "Progressing"}]}}),
        (f"{LEASES}/kube-scheduler", {"spec": None}),
        (f"{LEASES}/kube-controller-manager", {"spec": None}),
        (f"{LEASES}/kube-controller-manager", {"spec": {"acquireTime": None, "leaseTransitions": None}}),
    ],
)
def test_whatever_is_written_the_programs_go_on(path, body):
    cluster = Cluster.single()
    cluster.apply(DEPLOYMENT)
    cluster.run(10)
    user = cluster.kubectl
    user.spawn(user.request("PATCH", path, body, {"type": "merge"}))
    cluster.apply(DEPLOYMENT.replace("replicas: 2", "replicas: 3"))
    cluster.run(40)
    assert [r.detail["outcome"] for r in cluster.trace.of("request") if r.detail.get("path") == path] == ["ok"]
    assert not cluster.trace.of("panic")
    running = {r.detail["name"] for r in cluster.trace.of("pod") if r.detail["state"] == "running"}
    assert len(running) == 3

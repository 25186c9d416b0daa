"""A reader's own programs, run by the containers of a cluster."""

from kubemini import Cluster
from kubemini.containers.process import Sleep
from kubemini.sim.units import SECOND

SHOP = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: shop/web:1.0, ports: [{containerPort: 8080}]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
"""


def story(program, seconds=40):
    cluster = Cluster.single(workers=2)
    cluster.use_program("shop/web", program)
    cluster.prepare(SHOP, {"visitors": {"service": "web", "every": "1s"}})
    cluster.run(seconds)
    return cluster


def test_visitors_hear_what_the_program_says():
    busy = story(lambda request: (503, "busy"))
    asked = [record.detail for record in busy.trace if record.what == "request"]
    codes = {told["code"] for told in asked if told["kind"] == "service"}
    assert 503 in codes and 200 not in codes


def test_a_program_that_ends_is_started_again_by_its_kubelet():
    def worker(process):
        process.out("up\n")
        yield Sleep(5 * SECOND)
        return 1

    cluster = story(worker)
    states = [record.detail["state"] for record in cluster.trace if record.what == "pod"]
    assert states.count("exited") >= 2 and "running" in states[states.index("exited") :]

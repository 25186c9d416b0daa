"""A skewed clock: who minds a wrong date, and who minds one that runs too slowly."""

import json
import re

import pytest

from kubemini import Cluster, run
from kubemini.api.timestamps import instant
from kubemini.sim.units import HOUR, MINUTE
from tests.worlds.duties import holders

DATE = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z")
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: web, image: shop/web}]}
"""
STACKED = {"kind": "stacked", "members": 3, "workers": 2}


def told(topology, *entries, until, manifests=""):
    story = {"title": "t", "topology": topology, "faults": [list(e) for e in entries], "until": until}
    return run(story | ({"manifests": manifests} if manifests else {}))


def lease(cluster, name="worker-1", namespace="kube-node-lease"):
    return asked(cluster, f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/{name}")


def asked(cluster, path):
    """What the API says."""
    replies = []
    cluster.user.call_api("GET", path).callbacks.append(lambda event: replies.append(event.value))
    cluster.run(1)
    assert replies[0].ok, replies[0].error
    return replies[0].value


# -- a wrong date ------------------------------------------------------------------------------------------------------
def test_if_all_dates_are_wrong_nobody_notices_and_every_date_that_is_written_is_wrong():
    """So nothing takes a date for a time, and nothing writes the time of the simulation."""
    told_time, dates = [], []
    for offset in (0, HOUR):
        cluster = Cluster.single(workers=1)
        for host in cluster.hosts.values():
            host.skew_clock(offset, 1)
        cluster.apply(MANIFEST)
        cluster.run("90s")
        everything = [asked(cluster, path) for path in EVERYTHING]
        dates.append([instant(date) for date in DATE.findall(json.dumps(everything, default=dict))])
        told_time.append([(r.at, r.actor, r.what) for r in cluster.trace if r.what != "clock"])
    assert told_time[0] == told_time[1]
    assert len(dates[0]) > 40 and [date + HOUR for date in dates[0]] == dates[1]


EVERYTHING = [
    *(f"/api/v1/{plural}" for plural in ("nodes", "pods", "events", "services", "serviceaccounts", "namespaces")),
    *(f"/apis/apps/v1/{plural}" for plural in ("deployments", "replicasets")),
    "/apis/coordination.k8s.io/v1/leases",
    "/apis/discovery.k8s.io/v1/endpointslices",
]


def test_an_election_does_not_mind_a_wrong_date():
    dates = [("5s", "skew_clock", host, offset) for host, offset in (("cp-1", "1h"), ("cp-2", "-1h"))]
    trace = told(STACKED, *dates, until="60s")
    assert list(holders(trace)) == []
    assert len(trace.of("holder")) == len({r.detail["lease"] for r in trace.of("holder")})


def test_a_node_whose_clock_was_set_back_is_not_missed_when_it_dies():
    """A renewal counts if it is later than the one before, by the kubelet's date; a Lease that has changed since the
    one that counted proves that somebody is alive (the node lifecycle controller's circuit breaker, since 1.37).
    """
    cluster = Cluster.single(workers=2)
    cluster.run("60s")
    cluster.hosts["worker-1"].skew_clock(-10 * MINUTE, 1)
    cluster.hosts["worker-2"].skew_clock(10 * MINUTE, 1)
    cluster.run("70s")
    assert [len(turned(cluster, f"worker-{n}")) for n in (1, 2)] == [0, 0]
    for name in ("kubelet@worker-1", "kubelet@worker-2"):
        cluster.components[name].crash()
    cluster.run("70s")
    assert instant(lease(cluster)["spec"]["renewTime"]) < 0
    assert [len(turned(cluster, f"worker-{n}")) for n in (1, 2)] == [0, 1]


def turned(cluster, name):
    """When a node was said to be not ready, after its first minute."""
    told = [r for r in cluster.trace.of("object") if (r.detail["kind"], r.detail["name"]) == ("Node", name)]
    return [r.at for r in told if r.at > MINUTE and not r.detail["summary"]["ready"] and r.detail["summary"]["taints"]][
        :1
    ]


# -- a clock that runs too slowly --------------------------------------------------------------------------------------
@pytest.mark.parametrize(("rate", "two"), [(1, False), (0.75, False), (0.5, True)])
@pytest.mark.some(2)
def test_two_hold_a_lease_if_the_clock_of_the_first_runs_slower_than_10_to_15(rate, two):
    """It gives up after 10 s of its own; the others wait for 15 of theirs."""
    plain = told(STACKED, until="30s")
    first = next(r.detail["holder"] for r in plain.of("holder") if r.detail["lease"] == "kube-controller-manager")
    host = f"cp-{first[-1]}"
    entries = [("20s", "skew_clock", host, "0s", rate), ("30s", "cut", host)]
    found = [breach for breach in holders(told(STACKED, *entries, until="75s")) if "controller-manager" in breach.what]
    assert bool(found) == two


def test_one_program_may_have_a_clock_of_its_own():
    cluster = Cluster.single(workers=1)
    cluster.run("30s")
    cluster.components["kubelet@worker-1"].skew_clock(HOUR, 1)
    cluster.run("30s")
    assert instant(lease(cluster)["spec"]["renewTime"]) > HOUR
    node = asked(cluster, "/api/v1/nodes/worker-1")
    assert instant(node["metadata"]["creationTimestamp"]) < MINUTE

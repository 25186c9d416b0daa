"""A scenario that can be loaded can be run, and no program of the cluster ends by a defect of ours."""

from contextlib import suppress
from dataclasses import fields

from hypothesis import given, settings
from hypothesis import strategies as st

from kubemini import run
from kubemini.params import Params
from kubemini.scenarios import ScenarioError, load
from kubemini.simulate import Runaway

EVERY = st.sampled_from(["50ms", "300ms", "2s"])
MEMBER = st.sampled_from(["etcd-1", "etcd-2"])
LOADS = {
    "visitors": {"service": st.sampled_from(["web", "nope"]), "every": EVERY},
    "api_writes": {"every": EVERY},
    "etcd_writes": {"every": EVERY, "member": MEMBER, "size": st.sampled_from([0, 1, 100_000, 2_000_000])},
    "etcd_reads": {"every": EVERY, "member": MEMBER, "consistency": st.sampled_from(["linearizable", "serializable"])},
}
SIZES = {
    "single": {"workers": st.integers(0, 3)},
    "stacked": {"members": st.integers(1, 4), "workers": st.integers(0, 2), "load_balancer": st.booleans()},
    "external": {"api_servers": st.integers(1, 2), "etcd_members": st.integers(1, 3), "workers": st.just(1)},
    "etcd": {"members": st.integers(1, 5), "spares": st.integers(0, 2)},
}
MANIFESTS = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: nginx}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: 80}]}
"""
PLAIN = st.sampled_from([0, 1, 2, 7, 100, 10**6, 0.1, 1.5, "10ms", "1s", "30s", "1h", True, False, ["1ms", "20ms"]])
TOPOLOGIES = st.one_of(
    [st.fixed_dictionaries({"kind": st.just(kind)}, optional=options) for kind, options in SIZES.items()]
)
SCENARIOS = st.fixed_dictionaries(
    {"title": st.just("any"), "topology": TOPOLOGIES, "until": st.just("6s")},
    optional={
        "workload": st.fixed_dictionaries(
            {}, optional={kind: st.fixed_dictionaries({}, optional=options) for kind, options in LOADS.items()}
        ),
        "params": st.dictionaries(st.sampled_from([f.name for f in fields(Params)]), PLAIN, max_size=3),
        "manifests": st.just(MANIFESTS),
        "seed": st.integers(0, 5),
    },
)


@given(SCENARIOS)
@settings(max_examples=40, deadline=None)
def test_any_scenario_is_refused_in_a_sentence_or_runs(data):
    with suppress(ScenarioError, Runaway):
        assert run(load(data), budget=60_000).header["until"] == 6_000_000

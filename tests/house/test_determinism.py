"""The same seed and commands give the same bytes, in any process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubemini.cluster import Cluster
from kubemini.simulate import run
from tests.runs import run_once

ROOT = Path(__file__).resolve().parents[2]
CODE = """
from kubemini.simulate import run
print(run({scenario!r}, seed=3, commands=[(7.25, "crash", "etcd-1"), (9, "restart", "etcd-1")], until="20s").digest())
"""
SHARED = """
apiVersion: v1
kind: Service
metadata: {name: shared}
spec: {ports: [{port: 80}]}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shared-b, labels: {kubernetes.io/service-name: shared}}
addressType: IPv4
ports: [{port: 8080, name: ""}]
endpoints:
- {addresses: [192.168.0.7], nodeName: worker-1, targetRef: {kind: Pod, name: host-a}}
- {addresses: [192.168.0.9], nodeName: worker-2, targetRef: {kind: Pod, name: host-d}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shared-a, labels: {kubernetes.io/service-name: shared}}
addressType: IPv4
ports: [{port: 8080, name: ""}]
endpoints:
- {addresses: [192.168.0.7], nodeName: worker-2, targetRef: {kind: Pod, name: host-b}}
- {addresses: [192.168.0.7], nodeName: worker-2, targetRef: {kind: Pod, name: host-c}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {name: shared-six, labels: {kubernetes.io/service-name: shared}}
addressType: IPv6
ports: [{port: 8080, name: ""}]
endpoints:
- {addresses: ["fd00::7"], nodeName: worker-2, targetRef: {kind: Pod, name: host-e}}
"""


def shared():
    """A cluster in which two pods, or more, have one IP, after kube-proxy has written its rules."""
    cluster = Cluster.single(workers=2)
    cluster.run("8s")
    cluster.user.apply(yaml.safe_load_all(SHARED))
    cluster.run("5s")
    return cluster.trace


def digests(code):
    """What *code* prints in four processes, each with hashes of its own."""
    for hash_seed in ("0", "1", "2", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
        yield done.stdout.strip()


@pytest.mark.parametrize("scenario", ["external", "quorum", "etcd-5"])
@pytest.mark.some(1)
def test_four_processes_with_different_hash_seeds_write_the_same_trace(scenario):
    assert len(set(digests(CODE.format(scenario=scenario)))) == 1


def test_endpoints_that_share_an_address_are_one_in_every_process():
    code = "from tests.house.test_determinism import shared; print(shared().digest())"
    assert set(digests(code)) == {shared().digest()}


def test_endpoints_that_share_an_address_are_one_and_a_host_prefers_its_own():
    last = {record.actor: record.detail["endpoints"] for record in shared().of("rules")}
    pods = {actor: [endpoint["pod"] for endpoint in endpoints] for actor, endpoints in last.items()}
    assert pods == {"kube-proxy@worker-1": ["host-a", "host-d"], "kube-proxy@worker-2": ["host-c", "host-d"]}


def test_a_run_that_is_kept_for_several_tests_is_the_run():
    for _ in ("simulated or read", "read"):
        assert run_once.__wrapped__("services") == run("services")


def test_another_seed_gives_another_trace():
    assert run("etcd-3", seed=1, until="5s").digest() != run("etcd-3", seed=2, until="5s").digest()


def test_a_command_changes_nothing_before_it():
    plain = run("etcd-3", until="20s")
    broken = run("etcd-3", commands=[(12, "crash", "etcd-1")], until="20s")
    before = [r for r in plain if r.at < 12_000_000]
    assert broken.records[: len(before)] == before
    assert broken.records[len(before)].what == "command"

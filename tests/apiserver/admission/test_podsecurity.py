"""Pod Security: the verdicts of upstream's own fixtures, what a refusal says, and what a namespace's labels mean."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubemini.api.kinds import NAMESPACE, POD
from kubemini.api.objects import freeze
from kubemini.apiserver.admission import podsecurity
from kubemini.apiserver.decide.attributes import CREATE, UPDATE, Attributes
from kubemini.apiserver.decide.podsecurity.checks import CHECKS
from kubemini.apiserver.decide.podsecurity.levels import Level, policy_of, violations
from tests.apiserver.parts import pod

FILE = Path(__file__).parents[2] / "oracles" / "kubernetes" / "podsecurity.json.gz"
FIXTURES = json.loads(gzip.decompress(FILE.read_bytes()))
ENFORCE, WARN = "pod-security.kubernetes.io/enforce", "pod-security.kubernetes.io/warn"
PRIVILEGED = pod("bad", containers=[{"name": "c", "image": "i:1", "securityContext": {"privileged": True}}])


@pytest.mark.parametrize("minor", range(38))
def test_every_fixture_of_a_version_is_let_in_or_refused_as_upstream_says(minor):
    differ = []
    for level, since, allowed, _, number in FIXTURES["verdicts"]:
        if since == minor:
            one = FIXTURES["pods"][number]
            found = violations(Level(level, f"v1.{minor}"), one["metadata"], one["spec"])
            differ += [(level, number, found)] if bool(found) is allowed else []
    assert differ == []


def test_every_check_refuses_a_fixture_of_its_own():
    refused = {check for _, _, allowed, check, _ in FIXTURES["verdicts"] if not allowed}
    assert {check.id.lower() for check in CHECKS} <= refused


def space(**labels):
    return freeze({"metadata": {"name": "default", "labels": labels}})


def asked(obj, labels, kind=POD, **more):
    told = []
    found = Attributes(CREATE, kind, obj["metadata"]["name"], freeze(obj), space=space(**labels), namespace="default")
    return podsecurity.validate(replace(found, warn=told.append, **more)), told


def test_a_pod_that_violates_the_enforced_level_is_refused_with_every_reason():
    refused, told = asked(PRIVILEGED, {ENFORCE: "baseline"})
    why = 'privileged (container "c" must not set securityContext.privileged=true)'
    assert refused.message == f'pods "bad" is forbidden: violates PodSecurity "baseline:latest": {why}' and not told


def test_whoever_makes_pods_is_only_warned():
    kind = next(kind for kind in podsecurity.TEMPLATES if kind.kind == "Deployment")
    obj = {"metadata": {"name": "d"}, "spec": {"template": {"metadata": {}, "spec": PRIVILEGED["spec"]}}}
    refused, told = asked(obj, {ENFORCE: "baseline"}, kind)
    assert refused is None and told[0].startswith('would violate PodSecurity "baseline:latest": privileged')


def test_a_version_says_which_rules_hold():
    sysctl = {"sysctls": [{"name": "net.ipv4.tcp_rmem", "value": "1"}]}
    one = pod("s", securityContext=sysctl)
    assert asked(one, {ENFORCE: "baseline", f"{ENFORCE}-version": "v1.31"})[0] is not None
    assert asked(one, {ENFORCE: "baseline", f"{ENFORCE}-version": "v1.32"})[0] is None


@pytest.mark.parametrize(
    ("labels", "enforce", "warn", "wrong"),
    [
        ({}, "privileged:latest", "privileged:latest", 0),
        ({ENFORCE: "baseline"}, "baseline:latest", "baseline:latest", 0),
        ({ENFORCE: "baseline", f"{ENFORCE}-version": "v1.9"}, "baseline:v1.9", "baseline:v1.9", 0),
        ({ENFORCE: "baseline", WARN: "restricted"}, "baseline:latest", "restricted:latest", 0),
        ({ENFORCE: "odd", f"{ENFORCE}-version": "v9"}, "restricted:latest", "privileged:latest", 2),
        ({WARN: "odd"}, "privileged:latest", "privileged:latest", 1),
    ],
)
def test_labels_say_what_is_enforced_and_what_is_warned_of(labels, enforce, warn, wrong):
    policy, found = policy_of(labels)
    assert (str(policy.enforce), str(policy.warn), len(found)) == (enforce, warn, wrong)


class Pods:
    def items(self, kind, namespace=""):
        return [{**PRIVILEGED, "metadata": {"name": name}} for name in ("b", "a", "c")] if kind == POD else []

    def get(self, kind, namespace, name):
        return None


def test_a_stricter_level_warns_of_the_pods_that_are_there():
    told = []
    new, old = space(**{ENFORCE: "baseline"}), space()
    changed = Attributes(UPDATE, NAMESPACE, "default", new, old, known=Pods(), warn=told.append)
    assert podsecurity.validate(changed) is None and told == [
        'existing pods in namespace "default" violate the new PodSecurity enforce level "baseline:latest"',
        "a (and 2 other pods): privileged",
    ]

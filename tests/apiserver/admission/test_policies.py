"""Admission policies in CEL, and webhooks: what they change, refuse and warn of, and what happens if nobody answers."""

import base64
import json
from dataclasses import replace

import pytest

from kubemini.api.kinds import CONFIG_MAP, KNOWN, SERVICE
from kubemini.apiserver.decide.policies.webhooks import Late
from kubemini.sim.units import SECOND
from tests.apiserver.parts import config, done, refusal, service
from tests.worlds.kube import World

REGISTRATION = "admissionregistration.k8s.io/v1"
MAPS = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["configmaps"]}
HOOK = "default/hook"


@pytest.fixture
def world():
    return World()


def make(world, kind, name, **more):
    obj = {"apiVersion": REGISTRATION, "kind": kind, "metadata": {"name": name}, **more}
    return done(world.ask(lambda c: c.create(obj)))


def policy(world, *validations, name="p", actions=("Deny",), **spec):
    said = {"matchConstraints": {"resourceRules": [MAPS]}, "validations": list(validations), **spec}
    make(world, "ValidatingAdmissionPolicy", name, spec=said)
    bound = {"policyName": name, "validationActions": list(actions)}
    make(world, "ValidatingAdmissionPolicyBinding", name, spec=bound)


def create(world, obj):
    return world.ask(lambda c: c.create(obj))


def drop(world, obj):
    kind = KNOWN[obj["apiVersion"], obj["kind"]]
    meta = obj["metadata"]
    return world.ask(lambda c: c.delete(kind, meta["name"], meta.get("namespace", "")))


def test_a_write_must_keep_the_rules_of_a_policy(world):
    policy(world, {"expression": "object.data.x != 'no'"})
    done(create(world, config("a", x="yes")))
    why = "ValidatingAdmissionPolicy 'p' with binding 'p' denied request: failed expression: object.data.x != 'no'"
    assert refusal(create(world, config("b", x="no"))) == (422, f'configmaps "b" is forbidden: {why}')


def test_a_change_is_held_against_the_old_object(world):
    policy(world, {"expression": "oldObject == null || object.data.x == oldObject.data.x", "message": "x stays"})
    done(create(world, config("a", x="1")))
    code, text = refusal(world.ask(lambda c: c.update(config("a", x="2"))))
    assert code == 422 and text.endswith("denied request: x stays")


def test_a_message_and_a_reason_are_the_policys_own(world):
    said = {"expression": "variables.n < 3", "messageExpression": "'too many: ' + string(variables.n)"}
    variables = [{"name": "n", "expression": "size(object.data)"}]
    policy(world, {**said, "reason": "Forbidden"}, variables=variables)
    code, text = refusal(create(world, config("a", x="1", y="2", z="3")))
    assert code == 403 and text.endswith("too many: 3")


def test_a_rule_that_cannot_be_worked_out_denies_unless_the_policy_ignores_it(world):
    policy(world, {"expression": "object.data.nothing == ''"}, failurePolicy="Ignore")
    done(create(world, config("a")))
    policy(world, {"expression": "object.data.nothing == ''"}, name="q")
    code, text = refusal(create(world, config("b")))
    assert code == 422 and "resulted in error: no such key: nothing" in text


def test_a_binding_may_only_warn(world):
    policy(world, {"expression": "false", "message": "mind this"}, actions=["Warn"])
    found = done(create(world, config("a")))
    assert list(found.warnings) == ["Validation failed for ValidatingAdmissionPolicy 'p' with binding 'p': mind this"]


def test_a_condition_says_when_the_policy_speaks(world):
    policy(world, {"expression": "false"}, matchConditions=[{"name": "c", "expression": "object.data.x == 'no'"}])
    done(create(world, config("a", x="yes")))
    assert refusal(create(world, config("b", x="no")))[0] == 422


def test_a_binding_brings_parameters(world):
    done(create(world, config("limits", most="2")))
    spec = {
        "matchConstraints": {"resourceRules": [MAPS]},
        "paramKind": {"apiVersion": "v1", "kind": "ConfigMap"},
        "validations": [{"expression": "size(object.data) <= int(params.data.most)"}],
    }
    make(world, "ValidatingAdmissionPolicy", "p", spec=spec)
    bound = {"policyName": "p", "validationActions": ["Deny"]}
    ref = {"name": "limits", "namespace": "default", "parameterNotFoundAction": "Deny"}
    make(world, "ValidatingAdmissionPolicyBinding", "p", spec={**bound, "paramRef": ref})
    done(create(world, config("a", x="1", y="2")))
    assert refusal(create(world, config("b", x="1", y="2", z="3")))[0] == 422
    done(drop(world, config("limits")))
    assert "no params found for policy binding" in refusal(create(world, config("c")))[1]


def test_no_policy_is_asked_about_policies(world):
    every = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["*"], "resources": ["*"]}
    policy(world, {"expression": "false"}, matchConstraints={"resourceRules": [every]})
    assert refusal(create(world, config("a")))[0] == 422
    done(drop(world, {"apiVersion": REGISTRATION, "kind": "ValidatingAdmissionPolicy", "metadata": {"name": "p"}}))
    done(create(world, config("a")))


@pytest.mark.parametrize(
    ("patch", "expression"),
    [
        ("ApplyConfiguration", "Object{metadata: Object.metadata{labels: {'by': request.operation}}}"),
        (
            "JSONPatch",
            "[JSONPatch{op: 'add', path: '/metadata/labels', value: {'by': request.operation}}]",
        ),
    ],
)
def test_a_policy_changes_what_is_written(world, patch, expression):
    field = {"ApplyConfiguration": "applyConfiguration", "JSONPatch": "jsonPatch"}[patch]
    spec = {
        "matchConstraints": {"resourceRules": [MAPS]},
        "reinvocationPolicy": "Never",
        "mutations": [{"patchType": patch, field: {"expression": expression}}],
    }
    make(world, "MutatingAdmissionPolicy", "m", spec=spec)
    make(world, "MutatingAdmissionPolicyBinding", "m", spec={"policyName": "m"})
    found = done(create(world, config("a")))
    assert found["metadata"]["labels"] == {"by": "CREATE"} and found["data"] == {"x": "1"}


# -- webhooks ------------------------------------------------------------------------------------------------------


def ready_pod_of(name, **conditions):
    meta = {"name": name, "namespace": "default", "labels": {"kubernetes.io/service-name": name}}
    end = {"addresses": ["10.244.1.7"], "conditions": conditions or {"ready": True}}
    port = {"name": "", "port": 8443, "protocol": "TCP"}
    slice = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "metadata": meta}
    return {**slice, "endpoints": [end], "ports": [port]}


def hooked(world, program, kind="Validating", **more):
    """A webhook that *program* answers: AdmissionReview → its response."""
    asked = []

    def answer(review):
        asked.append(review["request"])
        found = program(review["request"])
        late, said = (found.after, found.answer) if isinstance(found, Late) else (0, found)
        response = {**review, "response": {"uid": review["request"]["uid"], **said}}
        return Late(late, response) if late else response

    for server in world.servers:
        server.core.flags = replace(server.flags, webhooks={HOOK: answer})
    done(create(world, service("hook", ports=[{"port": 443}])))
    done(create(world, ready_pod_of("hook")))
    said = {"name": "h.x.io", "clientConfig": {"service": {"namespace": "default", "name": "hook"}}, "rules": [MAPS]}
    said |= {"sideEffects": "None", "admissionReviewVersions": ["v1"], **more}
    make(world, f"{kind}WebhookConfiguration", "h", webhooks=[said])
    return asked


def test_a_webhook_sees_the_write_and_may_refuse_it(world):
    asked = hooked(world, lambda request: {"allowed": False, "status": {"message": "not today", "code": 403}})
    code, text = refusal(create(world, config("a")))
    assert (code, text) == (403, 'admission webhook "h.x.io" denied the request: not today')
    assert asked[0]["object"]["metadata"]["name"] == "a" and asked[0]["operation"] == "CREATE"


def test_a_webhook_changes_what_is_written(world):
    steps = base64.b64encode(json.dumps([{"op": "add", "path": "/data/seen", "value": "yes"}]).encode()).decode()
    allowed = {"allowed": True, "patchType": "JSONPatch", "patch": steps, "warnings": ["changed"]}
    hooked(world, lambda request: allowed, kind="Mutating")
    made = done(create(world, config("a")))
    assert made["data"] == {"x": "1", "seen": "yes"} and list(made.warnings) == ["changed"]
    done(world.ask(lambda c: c.update(config("a", x="2"))))
    assert done(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))["data"] == {"x": "2", "seen": "yes"}


@pytest.mark.parametrize("seconds", [1, 3])
def test_a_webhook_that_is_too_late_stops_the_write(world, seconds):
    late = Late(seconds * SECOND, {"allowed": True})
    hooked(world, lambda request: late, timeoutSeconds=2)
    reply = create(world, config("a"))
    assert reply.ok is (seconds == 1)
    if not reply.ok:
        assert refusal(reply) == (
            500,
            'Internal error occurred: failed calling webhook "h.x.io": failed to call webhook: '
            'Post "https://hook.default.svc:443/?timeout=2s": context deadline exceeded',
        )


def test_a_webhook_nobody_answers_is_passed_over_if_its_policy_says_so(world):
    hooked(world, lambda request: {"allowed": True}, failurePolicy="Ignore")
    done(drop(world, service("hook")))
    world.run(1)
    done(create(world, config("a")))


def test_a_webhook_that_fails_closed_keeps_everybody_out_even_those_who_would_mend_it(world):
    """The Service of the webhook cannot come back, for the webhook must allow it first."""
    every = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["*"]}
    hooked(world, lambda request: {"allowed": True}, rules=[every])
    done(drop(world, service("hook")))
    world.run(1)
    code, text = refusal(create(world, service("hook")))
    assert code == 500 and text.endswith('service "hook" not found')


@pytest.mark.parametrize(
    ("conditions", "answers"),
    [
        ({"ready": True}, True),
        ({"ready": False, "serving": True, "terminating": True}, True),
        ({"ready": False, "serving": False}, False),
    ],
)
def test_a_webhook_answers_while_a_pod_behind_its_service_serves(world, conditions, answers):
    """As kube-proxy deals connections: to ready pods, or else to those on their way out that still serve."""
    hooked(world, lambda request: {"allowed": True})
    done(world.ask(lambda c: c.update(ready_pod_of("hook", **conditions))))
    world.run(1)
    reply = create(world, config("a"))
    assert reply.ok is answers
    if not answers:
        ip = done(world.ask(lambda c: c.get(SERVICE, "hook", "default")))["spec"]["clusterIP"]
        assert refusal(reply)[1].endswith(f"dial tcp {ip}:443: connect: connection refused")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"ports": [{"port": 80}]}, 'no service port 443 found for service "hook"'),
        ({"ports": [{"port": 443}], "clusterIP": "None"}, 'cannot route to service with ClusterIP "None"'),
    ],
)
def test_a_service_that_leads_nowhere_is_named(world, spec, why):
    hooked(world, lambda request: {"allowed": True})
    done(drop(world, service("hook")))
    done(create(world, service("hook", **spec)))
    world.run(1)
    assert refusal(create(world, config("a")))[1].endswith(f'?timeout=10s": {why}')


def test_an_answer_to_another_question_is_none(world):
    hooked(world, lambda request: {"allowed": True, "uid": "other"})
    code, text = refusal(create(world, config("a")))
    assert code == 500 and "received invalid webhook response: expected response.uid=" in text


def test_a_program_that_raises_is_a_webhook_that_fails(world):
    def program(request):
        raise ValueError("a slip")

    hooked(world, program)
    assert refusal(create(world, config("a")))[1].endswith("ValueError: a slip")

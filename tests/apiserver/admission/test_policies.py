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


# -- webhooks of what is there already ---------------------------------------------------------------------------------

EVERY_DEED = [{**MAPS, "operations": ["*"]}]
YES = {"allowed": True}


def patched(*steps, **more):
    """The response that changes the object so."""
    written = base64.b64encode(json.dumps(steps).encode()).decode()
    return {"allowed": True, "patchType": "JSONPatch", "patch": written, **more}


def shown(request):
    """What a review shows of the object, before and after."""
    return [(request[which] or {}).get("data") for which in ("oldObject", "object")]


def test_a_policy_of_deletions_judges_the_object_that_goes(world):
    rule = {"resourceRules": [{**MAPS, "operations": ["DELETE"]}]}
    policy(world, {"expression": "oldObject.data.x != 'keep'"}, matchConstraints=rule)
    for name, x in (("a", "keep"), ("b", "go")):
        done(create(world, config(name, x=x)))
    assert refusal(drop(world, config("a")))[0] == 422
    done(drop(world, config("b")))
    assert refusal(drop(world, config("b")))[0] == 404, "it is looked for before anybody judges"


@pytest.mark.parametrize("kind", ["Validating", "Mutating"])
def test_a_webhook_of_deletions_sees_the_object_that_goes(world, kind):
    asked = hooked(world, lambda request: {"allowed": request["operation"] != "DELETE"}, kind=kind, rules=EVERY_DEED)
    assert refusal(drop(world, config("a")))[0] == 404 and not asked, "nobody is asked of what is not there"
    done(create(world, config("a")))
    assert refusal(drop(world, config("a")))[1].startswith('admission webhook "h.x.io" denied the request')
    assert shown(asked[-1]) == [{"x": "1"}, None]
    assert done(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))["data"] == {"x": "1"}


def test_a_deletion_that_the_state_forbids_asks_nobody(world):
    asked = hooked(world, lambda request: {"allowed": True}, rules=EVERY_DEED)
    done(create(world, config("a")))
    reply = world.ask(lambda c: c.delete(CONFIG_MAP, "a", "default", preconditions={"uid": "another"}))
    assert refusal(reply)[0] == 409 and len(asked) == 1
    done(drop(world, config("a")))
    assert len(asked) == 2


def test_a_mutating_webhook_may_mend_what_the_rules_would_refuse(world):
    def program(request):
        return patched({"op": "remove", "path": "/data/not a key"}) if "not a key" in request["object"]["data"] else YES

    hooked(world, program, kind="Mutating")
    done(create(world, config("a")))
    done(world.ask(lambda c: c.update(config("a", **{"x": "2", "not a key": "1"}))))
    assert done(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))["data"] == {"x": "2"}


@pytest.mark.parametrize("kind", ["Validating", "Mutating"])
def test_webhooks_are_asked_once_more_when_somebody_else_was_faster(world, kind):
    slow = []

    def program(request):
        if request["operation"] == "UPDATE" and not slow:
            slow.append(request)
            return Late(2 * SECOND, YES)
        return YES

    asked = hooked(world, program, kind=kind)
    done(create(world, config("a")))
    writer = world.program("writer")
    writer.do(writer.client.patch(CONFIG_MAP, "a", "default", {"data": {"slow": "1"}}))
    world.run(1)
    done(world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"data": {"fast": "1"}})))
    world.run(3)
    done(writer.replies[0])
    assert [shown(one) for one in asked[1:]] == [
        [{"x": "1"}, {"x": "1", "slow": "1"}],
        [{"x": "1"}, {"x": "1", "fast": "1"}],
        [{"x": "1", "fast": "1"}, {"x": "1", "fast": "1", "slow": "1"}],
    ]


def test_webhooks_are_asked_once_about_a_change_that_nobody_disturbs(world):
    asked = hooked(world, lambda request: {**YES, "warnings": ["seen"]})
    done(create(world, config("a")))
    world.run(1)
    changed = done(world.ask(lambda c: c.update(config("a", x="2"))))
    assert len(asked) == 2 and list(changed.warnings) == ["seen"]
    path, query = "/api/v1/namespaces/default/configmaps/a", {"type": "apply", "fieldManager": "m"}
    applied = done(world.ask(lambda c: c.request("PATCH", path, config("a", y="2"), query)))
    assert len(asked) == 3 and list(applied.warnings) == ["seen"], "though what is applied is read anew each time"


def test_the_write_that_takes_the_last_finalizer_away_is_asked_about_too(world):
    asked = hooked(world, lambda request: {"allowed": request["operation"] == "CREATE"})
    held = config("a")
    held["metadata"]["finalizers"] = ["example.com/held"]
    done(create(world, held))
    done(drop(world, held))
    free = world.ask(lambda c: c.patch(CONFIG_MAP, "a", "default", {"metadata": {"finalizers": None}}))
    assert refusal(free)[0] == 400 and asked[-1]["operation"] == "UPDATE"

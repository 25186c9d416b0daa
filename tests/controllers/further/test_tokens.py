"""Secrets that hold the token of a service account: filled, good while they are there, gone with the account."""

import json
from base64 import b64decode

from kubemini.api import jwt
from kubemini.api.errors import ApiError
from kubemini.api.kinds import SECRET
from kubemini.api.objects import evolve, freeze
from kubemini.controllers.decide.actions import Delete, Update
from kubemini.controllers.decide.controller import Facts
from kubemini.controllers.decide.dialogue import Answer, Read
from kubemini.controllers.decide.further import tokens
from kubemini.controllers.decide.further.serviceaccount import ACCOUNT
from tests.controllers.workloads.talking import of_type, talk
from tests.oracles.sessions.world import Inside

KEY, CA = b"k", "PEM"
BOT = freeze({"kind": "ServiceAccount", "metadata": {"name": "bot", "namespace": "ns", "uid": "u"}})


def a_secret(uid=None, data=None, version="5"):
    notes = {tokens.NAME: "bot"} | ({tokens.UID: uid} if uid else {})
    meta = {"name": "tok", "namespace": "ns", "uid": "s", "resourceVersion": version, "annotations": notes}
    return freeze({"kind": "Secret", "metadata": meta, "type": tokens.TYPE, "data": data or {}})


def facts(*accounts, secrets=()):
    there = {ACCOUNT: list(accounts), SECRET: list(secrets)}
    return Facts(
        get=lambda kind, key: next((a for a in there[kind] if a["metadata"]["name"] == key[1]), None),
        of_namespace=lambda kind, space: there[kind],
        owned_by=lambda kind, uid: [],
    )


def decided(secret, *accounts, live=None, ca=CA):
    def says(step):
        if isinstance(step, Read) and step.kind == SECRET:
            return Answer(live or secret)
        return None

    return talk(tokens.decide(secret, facts(*accounts), True, 0, ca, KEY), [says])


def test_a_secret_is_filled_with_token_namespace_and_certificate_and_then_left_alone():
    steps, _ = decided(a_secret(), BOT)
    (written,) = of_type(steps, Update)
    text = {key: b64decode(value).decode() for key, value in written["data"].items()}
    assert (text["namespace"], text["ca.crt"]) == ("ns", "PEM") and jwt.is_signed(text["token"], KEY)
    assert jwt.claims_of(text["token"])["sub"] == "system:serviceaccount:ns:bot"
    assert written["metadata"]["annotations"][tokens.UID] == "u"
    assert decided(written, BOT)[0] == []


def test_a_new_certificate_is_written_and_the_token_stays():
    filled = of_type(decided(a_secret(), BOT)[0], Update)[0]
    (again,) = of_type(decided(filled, BOT, ca="NEW")[0], Update)
    assert again["data"]["token"] == filled["data"]["token"] and again["data"]["ca.crt"] != filled["data"]["ca.crt"]
    assert "ca.crt" not in of_type(decided(a_secret(), BOT, ca="")[0], Update)[0]["data"]


def test_a_secret_of_nobody_or_of_a_namesake_is_deleted_once_the_api_server_has_said_so():
    for steps in (decided(a_secret())[0], decided(a_secret(uid="another"), BOT)[0]):
        assert [type(step) for step in steps] == [Read, Delete]
    late = [lambda step: Answer(BOT) if isinstance(step, Read) and step.kind == ACCOUNT else None]
    steps, _ = talk(tokens.decide(a_secret(), facts(), True, 0, CA, KEY), late)
    assert of_type(steps, Delete) == []


def test_where_the_cache_is_late_nothing_is_written():
    assert of_type(decided(a_secret(), BOT, live=a_secret(version="6"))[0], Update) == []


def test_what_somebody_else_did_meanwhile_is_no_failure_and_all_else_is():
    for code, failed in ((409, False), (404, False), (500, True)):
        error = ApiError(code, "x", "y")
        refuses = [lambda step, error=error: Answer(error=error) if isinstance(step, Delete) else None]
        _, end = talk(tokens.decide(a_secret(), facts(), True, 0, CA, KEY), refuses)
        assert (end.error is not None) == failed


def test_an_account_that_is_gone_wakes_its_tokens_and_a_token_that_is_gone_is_forgotten_by_its_account():
    other = evolve(a_secret(), ("type",), "Opaque")
    assert tokens.of_account(BOT, facts(BOT, secrets=[a_secret(), other])) == [("ns", "tok")]
    assert tokens.is_token(None, a_secret()) and not tokens.is_token(None, other)
    named = evolve(BOT, ("secrets",), [{"name": "tok"}, {"name": "mine"}])
    says = [lambda step: Answer(named) if isinstance(step, Read) else None]
    steps, _ = talk(tokens.forgotten(("ns", "tok"), facts(named)), says)
    assert of_type(steps, Update)[0]["secrets"] == [{"name": "mine"}]
    assert talk(tokens.forgotten(("ns", "else"), facts(named)))[0] == []


def asked(world, method, path, body=None, token=None):
    step = {"method": method, "path": path, "body": body}
    step |= {"as": "none", "headers": {"Authorization": f"Bearer {token}"}} if token else {}
    answer = world.send(step, "test/1.0")
    return answer.status, json.loads(answer.body)


def test_whoever_shows_the_token_is_the_account_until_the_secret_is_gone():
    world = Inside(("api", "controllers"))
    world.sleep(5)
    notes = {tokens.NAME: "default"}
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": tokens.TYPE,
        "metadata": {"name": "tok", "annotations": notes},
    }
    path = "/api/v1/namespaces/default/secrets"
    assert asked(world, "POST", path, secret)[0] == 201
    world.sleep(1)
    token = b64decode(asked(world, "GET", f"{path}/tok")[1]["data"]["token"]).decode()
    review = {"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    code, told = asked(world, "POST", who, review, token)
    assert (code, told["status"]["userInfo"]["username"]) == (201, "system:serviceaccount:default:default")
    assert asked(world, "POST", who, review, token[:-2] + "xx")[0] == 401
    asked(world, "DELETE", f"{path}/tok")
    world.sleep(1)
    assert asked(world, "POST", who, review, token)[0] == 401

"""Fields that do not exist: refused, told or passed over, as fieldValidation asks (recorded: unknown-fields-*)."""

import pytest

from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT
from kubemini.api.objects import evolve_many, freeze
from kubemini.api.schema.decode import read_json
from tests.apiserver.parts import config, deployment, done, refusal, version
from tests.worlds.kube import World


@pytest.fixture
def world():
    return World()


def ask(world, verb, path, body, **query):
    return world.ask(lambda c: c.request(verb, path, body, query))


def typo(obj):
    return evolve_many(
        freeze(obj), (("spec", "replcas"), 3), (("spec", "template", "spec", "containers", 0, "imge"), "x")
    )


WARNINGS = ('unknown field "spec.template.spec.containers[0].imge"', 'unknown field "spec.replcas"')
POST = DEPLOYMENT.path("default")


def test_without_a_word_of_the_client_unknown_fields_are_dropped_and_told(world):
    made = done(ask(world, "POST", POST, typo(deployment("web"))))
    assert sorted(made.warnings) == sorted(WARNINGS)
    assert "replcas" not in made["spec"] and "imge" not in made["spec"]["template"]["spec"]["containers"][0]


def test_strict_refuses_them_all_in_one_sentence(world):
    code, message = refusal(ask(world, "POST", POST, typo(deployment("web")), fieldValidation="Strict"))
    begin = 'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: '
    assert code == 400 and message.startswith(begin) and all(text in message for text in WARNINGS)
    assert refusal(ask(world, "GET", DEPLOYMENT.path("default", "web"), None))[0] == 404


def test_ignore_drops_them_without_a_word(world):
    made = done(ask(world, "POST", POST, typo(deployment("web")), fieldValidation="Ignore"))
    assert not hasattr(made, "warnings") and "replcas" not in made["spec"]


def test_a_good_body_gets_no_warning(world):
    assert not hasattr(done(ask(world, "POST", POST, deployment("web"), fieldValidation="Strict")), "warnings")


@pytest.mark.parametrize("verb, type", [("PUT", ""), ("PATCH", "merge"), ("PATCH", "strategic")])
def test_a_write_that_changes_nothing_else_warns_and_keeps_the_version(world, verb, type):
    made = done(ask(world, "POST", CONFIG_MAP.path("default"), config("a")))
    body = {**config("a"), "nope": 1} if verb == "PUT" else {"nope": {"x": 1}}
    again = done(ask(world, verb, CONFIG_MAP.path("default", "a"), body, **({"type": type} if type else {})))
    assert again.warnings == ('unknown field "nope"',) and version(again) == version(made)
    strict = {"fieldValidation": "Strict"} | ({"type": type} if type else {})
    code, message = refusal(ask(world, verb, CONFIG_MAP.path("default", "a"), body, **strict))
    assert code in (400, 422) and 'strict decoding error: unknown field "nope"' in message


def test_a_field_that_stands_twice_is_told(world):
    body = read_json('{"metadata": {"name": "b"}, "data": {"k": "v", "k": "w"}}')
    made = done(ask(world, "POST", CONFIG_MAP.path("default"), body))
    assert made.warnings == ('duplicate field "data.k"',) and made["data"] == {"k": "w"}
    assert refusal(ask(world, "POST", CONFIG_MAP.path("default"), body, fieldValidation="Strict"))[0] == 400


def test_a_status_that_cannot_be_is_refused_as_the_real_server_refuses_it(world):
    done(ask(world, "POST", POST, deployment("web")))
    body = {"status": {"replicas": -1, "readyReplicas": 3}}
    code, message = refusal(ask(world, "PATCH", DEPLOYMENT.path("default", "web", "status"), body, type="merge"))
    assert code == 422 and message == (
        'Deployment.apps "web" is invalid: [status.replicas: Invalid value: -1: must be greater than or equal to 0, '
        "status.updatedReplicas: Invalid value: 0: cannot be greater than status.replicas, "
        "status.readyReplicas: Invalid value: 3: cannot be greater than status.replicas, "
        "status.availableReplicas: Invalid value: 0: cannot be greater than status.replicas]"
    )

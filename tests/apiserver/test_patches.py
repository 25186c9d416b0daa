"""Patches at the API server: strategic merge, JSON patch and server-side apply, as recorded sessions have them."""

import pytest

from kubemini.api.kinds import CONFIG_MAP, DEPLOYMENT, SERVICE
from kubemini.api.objects import get
from tests.apiserver.parts import asked, config, deployment, done, refusal, service
from tests.worlds.kube import World

ONE = "/api/v1/namespaces/default/configmaps/a"
WEB = "/apis/apps/v1/namespaces/default/deployments/web"


@pytest.fixture
def world():
    return World()


def patch(world, path, body, type="strategic", **query):
    return done(world.ask(lambda c: c.request("PATCH", path, body, {"type": type, **query})))


def apply(world, path, body, manager, **query):
    return patch(world, path, body, "apply", fieldManager=manager, **query)


def data(**pairs):
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": pairs}


def owners(obj):
    """manager → its fields, as managedFields has them."""
    return {entry["manager"]: entry["fieldsV1"] for entry in obj["metadata"].get("managedFields", ())}


def in_pods(**spec):
    return {"spec": {"template": {"spec": spec}}}


def containers(obj):
    return [(c["name"], c["image"]) for c in obj["spec"]["template"]["spec"]["containers"]]


# -- strategic merge ---------------------------------------------------------------------------------------------------


def test_a_container_is_told_by_its_name_and_a_new_one_comes_first(world):
    done(world.ask(lambda c: c.create(deployment())))
    one = patch(world, WEB, in_pods(containers=[{"name": "web", "image": "shop/web:2.0"}]))
    assert containers(one) == [("web", "shop/web:2.0")]
    two = patch(world, WEB, in_pods(containers=[{"name": "log", "image": "log:1"}]))
    assert containers(two) == [("log", "log:1"), ("web", "shop/web:2.0")]
    order = {"$setElementOrder/containers": [{"name": "web"}, {"name": "log"}]}
    assert containers(patch(world, WEB, in_pods(**order))) == [("web", "shop/web:2.0"), ("log", "log:1")]
    gone = patch(world, WEB, in_pods(containers=[{"name": "log", "$patch": "delete"}]))
    assert containers(gone) == [("web", "shop/web:2.0")]


def test_a_strategy_changes_whole_where_the_patch_says_which_fields_stay(world):
    done(world.ask(lambda c: c.create(deployment())))
    words = "may not be specified when strategy `type` is 'Recreate'"
    for type in ("merge", "strategic"):
        said = asked(world, "PATCH", WEB, {"type": type}, {"spec": {"strategy": {"type": "Recreate"}}})
        assert said == (422, f'Deployment.apps "web" is invalid: spec.strategy.rollingUpdate: Forbidden: {words}')
    strategy = {"type": "Recreate", "$retainKeys": ["type"]}
    assert patch(world, WEB, {"spec": {"strategy": strategy}})["spec"]["strategy"] == {"type": "Recreate"}


def test_ports_of_a_service_are_told_by_their_number(world):
    done(world.ask(lambda c: c.create(service(ports=[{"name": "a", "port": 1}, {"name": "b", "port": 2}]))))
    path = SERVICE.path("default", "web")
    ports = patch(world, path, {"spec": {"ports": [{"port": 2, "targetPort": 8080}]}})["spec"]["ports"]
    assert [(p["name"], p["port"], p["targetPort"]) for p in ports] == [("a", 1, 1), ("b", 2, 8080)]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (
            in_pods(containers=[{"image": "x"}]),
            (500, "map: map[image:x] does not contain declared merge key: name"),
        ),
        (
            {"spec": {"strategy": {"$retainKeys": ["type"], "rollingUpdate": {"maxSurge": 1}}}},
            (400, "invalid patch format of retainKeys"),
        ),
        (
            in_pods(**{"$setElementOrder/containers": [{"name": "a"}], "containers": [{"name": "b", "image": "x"}]}),
            (
                500,
                "The order in patch list:\n[map[image:x name:b]]\n doesn't match $setElementOrder list:\n"
                "[map[name:a]]\n",
            ),
        ),
        ({"spec": {"$patch": "guess"}}, (500, "unknown patch type: guess in map: map[$patch:guess]")),
    ],
)
def test_a_strategic_patch_that_makes_no_sense_changes_nothing(world, body, said):
    done(world.ask(lambda c: c.create(deployment())))
    assert asked(world, "PATCH", WEB, {"type": "strategic"}, body) == said


def test_a_json_patch_does_all_or_nothing(world):
    done(world.ask(lambda c: c.create(config())))
    steps = [{"op": "add", "path": "/data/m", "value": "x"}, {"op": "move", "from": "/data/m", "path": "/data/n"}]
    assert patch(world, ONE, steps, "json")["data"] == {"x": "1", "n": "x"}


# -- server-side apply -------------------------------------------------------------------------------------------------


def test_apply_creates_what_is_missing_and_says_who_owns_it(world):
    made = apply(world, ONE, data(k="v"), "m1")
    assert owners(made) == {"m1": {"f:data": {"f:k": {}}}}
    assert apply(world, ONE, data(k="v"), "m1") == made
    assert owners(apply(world, ONE, data(k="w", l="x"), "m1")) == {"m1": {"f:data": {"f:k": {}, "f:l": {}}}}


def test_two_who_want_different_values_are_in_conflict_until_one_forces(world):
    apply(world, ONE, data(k="1", l="1"), "m1")
    query = {"type": "apply", "fieldManager": "m2"}
    reply = world.ask(lambda c: c.request("PATCH", ONE, data(k="2"), query))
    assert refusal(reply) == (409, 'Apply failed with 1 conflict: conflict with "m1": .data.k')
    cause = {"reason": "FieldManagerConflict", "message": 'conflict with "m1"', "field": ".data.k"}
    assert reply.error.details["causes"] == [cause]
    forced = apply(world, ONE, data(k="2"), "m2", force="true")
    assert forced["data"] == {"k": "2", "l": "1"}
    assert owners(forced) == {"m1": {"f:data": {"f:l": {}}}, "m2": {"f:data": {"f:k": {}}}}


def test_several_conflicts_are_named_one_a_line(world):
    apply(world, ONE, data(k="1", l="1"), "m1")
    said = asked(world, "PATCH", ONE, {"type": "apply", "fieldManager": "m2"}, data(k="2", l="2"))
    assert said == (409, 'Apply failed with 2 conflicts: conflicts with "m1":\n- .data.k\n- .data.l')


def test_what_two_agree_on_stays_until_both_leave_it_out(world):
    apply(world, ONE, data(k="1"), "m1")
    apply(world, ONE, data(k="1"), "m2")
    assert apply(world, ONE, data(), "m1")["data"] == {"k": "1"}
    assert not apply(world, ONE, data(), "m2").get("data")


def test_a_plain_write_takes_what_it_changes_and_is_named_with_its_version(world):
    body = {**deployment(), "metadata": {"name": "web"}}
    apply(world, WEB, body, "m1")
    patch(world, WEB, {"spec": {"replicas": 3}}, "merge", fieldManager="scaler")
    said = asked(world, "PATCH", WEB, {"type": "apply", "fieldManager": "m1"}, body)
    assert said == (409, 'Apply failed with 1 conflict: conflict with "scaler" using apps/v1: .spec.replicas')
    less = {**body, "spec": {key: value for key, value in body["spec"].items() if key != "replicas"}}
    assert apply(world, WEB, less, "m1")["spec"]["replicas"] == 3


def test_what_was_there_before_the_first_apply_belongs_to_somebody_too(world):
    done(world.ask(lambda c: c.create(config(k="v"))))
    said = asked(world, "PATCH", ONE, {"type": "apply", "fieldManager": "m1"}, data(k="w"))
    assert said == (409, 'Apply failed with 1 conflict: conflict with "before-first-apply" using v1: .data.k')


def test_a_selector_is_one_field_and_replaced_whole(world):
    path = SERVICE.path("default", "web")
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}}
    apply(world, path, {**body, "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}, "m1")
    changed = apply(world, path, {**body, "spec": {"selector": {"tier": "w2"}, "ports": [{"port": 80}]}}, "m1")
    assert changed["spec"]["selector"] == {"tier": "w2"}


@pytest.mark.parametrize(
    ("body", "query", "said"),
    [
        (data(k="v"), {}, (422, "fieldManager: Required value: is required for apply patch")),
        ({"data": {"k": "v"}}, {"fieldManager": "m"}, (400, "invalid object type: /, Kind=")),
        ({**data(), "kind": "Secret"}, {"fieldManager": "m"}, (400, "invalid object type: /v1, Kind=Secret")),
        (
            {**data(), "metadata": {"name": "a", "managedFields": [{"manager": "x"}]}},
            {"fieldManager": "m"},
            (400, "metadata.managedFields must be nil"),
        ),
        (
            {**data(), "dta": {"x": "y"}},
            {"fieldManager": "m"},
            (
                500,
                "failed to create typed patch object (/a; /v1, Kind=ConfigMap): .dta: field not declared in schema",
            ),
        ),
        (
            {**data(), "metadata": {"name": "a", "uid": "u"}},
            {"fieldManager": "m"},
            (409, "uid mismatch: the provided object specified uid u, and no existing object was found"),
        ),
    ],
)
def test_an_apply_that_cannot_be_changes_nothing(world, body, query, said):
    code, words = asked(world, "PATCH", ONE, {"type": "apply", **query}, body)
    assert code == said[0] and said[1] in words


def test_the_place_of_an_unknown_field_is_told_by_the_keys_that_lead_to_it(world):
    container = {"name": "c", "imge": "x"}
    body = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        **in_pods(containers=[container]),
    }
    text = "failed to create typed patch object (/web; apps/v1, Kind=Deployment): "
    words = '.spec.template.spec.containers[name="c"].imge: field not declared in schema'
    assert asked(world, "PATCH", WEB, {"type": "apply", "fieldManager": "m"}, body) == (500, text + words)


def test_an_element_twice_and_a_wrong_type_are_no_typed_objects(world):
    def body(**spec):
        return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}

    query = {"type": "apply", "fieldManager": "m"}
    text = "failed to create typed patch object (/web; apps/v1, Kind=Deployment): "
    twice = body(template={"spec": {"containers": [{"name": "a"}, {"name": "a"}]}})
    words = '.spec.template.spec.containers: duplicate entries for key [name="a"]'
    assert asked(world, "PATCH", WEB, query, twice) == (500, text + words)
    words = ".spec.replicas: expected numeric (int or float), got string"
    assert asked(world, "PATCH", WEB, query, body(replicas="3")) == (500, text + words)


def test_a_dry_run_answers_and_stores_nothing(world):
    before = world.etcd.data.store.revision
    assert apply(world, ONE, data(k="v"), "m1", dryRun="All")["data"] == {"k": "v"}
    done(world.ask(lambda c: c.request("POST", ONE.rpartition("/")[0], config(), {"dryRun": "All"})))
    assert world.etcd.data.store.revision == before
    assert refusal(world.ask(lambda c: c.get(CONFIG_MAP, "a", "default")))[0] == 404
    assert get(world.sim.trace.of("object", "apiserver-1")[-1].detail, "kind") == "Namespace"


def test_a_selector_left_out_of_a_deployment_is_still_its_own(world):
    done(world.ask(lambda c: c.create(deployment())))
    changed = patch(world, WEB, {"metadata": {"labels": {"a": "b"}}})
    assert (
        changed["spec"]["selector"]
        == done(world.ask(lambda c: c.get(DEPLOYMENT, "web", "default")))["spec"]["selector"]
    )

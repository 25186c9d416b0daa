"""Random objects, by the published schema: one answer each, and whatever is taken nobody stumbles over."""

import random

import pytest

from kubemini.api import kinds
from kubemini.api.errors import ApiError
from kubemini.api.schema import custom
from kubemini.apiserver.decide import strategy, update
from kubemini.apiserver.decide.options import Options
from kubemini.apiserver.served import of_object
from kubemini.cluster import Cluster
from tests.apiserver.kinds.random_objects import BASES, nearly_good, objects


@pytest.mark.parametrize("kind", list(kinds.served().values()), ids=lambda kind: kind.kind)
def test_a_random_object_is_taken_or_refused_with_one_error_and_defaults_are_final(kind):
    for seed in range(90):
        rng = random.Random(seed)
        body = objects(rng, kind, "p", strange=rng.choice([0, 0.005, 0.05]))
        found = update.Write(kind, None, Options(), "", 0, None, []).decoded(body)
        if isinstance(found, ApiError):
            assert found.code == 400 and found.message
            continue
        obj = strategy.default(update.named(kind, found, "default"))
        assert strategy.default(obj) is obj
        wrong = strategy.validate(strategy.begun(strategy.for_create(obj), 0))
        assert wrong is None or (wrong.code == 422 and wrong.details["causes"])
        if wrong is None or not custom.of(kind.api_version, kind.kind):  # a CRD's types are judged with the rest
            assert isinstance(of_object(obj).summary(obj), dict)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.some(1)
def test_what_the_door_lets_in_breaks_nobody_behind_it(seed):
    rng = random.Random(seed)
    cluster = Cluster.single(workers=2, seed=seed)
    cluster.run(8)
    user, made = cluster.user, []
    for number in range(60):
        made.append(nearly_good(rng, kinds.by_name(rng.choice(list(BASES))), f"o{number}"))
        user.spawn(user.request("POST", kinds.collection_path(made[-1]), made[-1]))
    cluster.run(20)
    for obj in rng.sample(made, 30):
        change = {"spec": nearly_good(rng, kinds.kind_of(obj), obj["metadata"]["name"])["spec"]}
        user.spawn(user.request("PATCH", kinds.object_path(obj), change, {"type": "merge"}))
    trace = cluster.run(40)
    answers = [r.detail["code"] for r in trace.of("request") if r.detail["verb"] in ("POST", "PATCH")]
    assert answers.count(200) > 30 and 422 in answers and 500 not in answers
    assert trace.of("panic") == [] and not [r for r in trace.of("note") if "panic" in r.detail["text"]]

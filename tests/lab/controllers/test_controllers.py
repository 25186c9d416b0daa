"""Chapter 4: what the page says happens under other seeds too, and the checkers tell why not."""

import random

import pytest

from kubemini.lab import check
from kubemini.lab.controllers.cascade import family
from kubemini.lab.controllers.herd import start
from kubemini.lab.controllers.keepers import WANTED, away, blind, lossy
from kubemini.lab.questions import of_chapter
from kubemini.sim.units import SECOND
from kubemini.simulate import run

SEEDS = range(30, 36)


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    """A report, not an exception."""
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- what the cells say ----------------------------------------------------------------------------
def test_the_predicted_answer_is_what_happens():
    answer = of_chapter("controllers")["predictions"]["cut"]["answer"]
    assert answer == "It makes nothing more until its cache shows what it wrote"
    trace = run("controllers", until="34s")
    looks = [r for r in trace.of("sync") if r.at > 24.005 * SECOND]
    made = [r for r in looks if r.detail["step"] == "asks" and r.detail["kind"] == "Pod"]
    assert len(made) == 2, "those of its first look; and none later"
    errors = [r.detail["error"] for r in looks if r.detail["step"] == "ends"][1:]
    assert len(errors) == 11 and all("is not as new as written version" in error for error in errors)


def test_who_counts_events_misses_what_is_lost_and_who_counts_pods_only_the_last_of_it():
    edge = [lossy("edge", seed=seed)[-1][1] for seed in SEEDS]
    level = [lossy("level", seed=seed)[-1][1] for seed in SEEDS]
    assert sum(edge) / len(edge) < WANTED - 2
    assert sum(level) / len(level) > WANTED - 1
    assert {lossy("level", seed=seed, resync=3)[-1][1] for seed in SEEDS} == {WANTED}
    assert {lossy(which, lost=0, seed=30)[-1][1] for which in ("edge", "level")} == {WANTED}


def test_what_happens_to_nobodys_knowledge_is_found_by_who_looks_and_by_nobody_else():
    assert away("edge")[-1][1] == WANTED - 3 and away("level")[-1][1] == WANTED


def test_without_expectations_a_silent_watch_is_made_up_for_at_each_look():
    assert blind(expects=True) == 1 and blind(expects=False, seconds=3) == 6 and blind(expects=False, seconds=5) == 10


def test_as_many_lists_are_asked_for_at_once_or_spread_out():
    at_once, spread = start(60, 20), start(60, 20, over=6)
    assert at_once.most == 60 and spread.most <= 2 and at_once.objects == spread.objects == 1200


def test_what_is_no_keeper_is_named():
    with pytest.raises(ValueError, match="none of edge, level"):
        lossy("both")


# -- as many as wanted -----------------------------------------------------------------------------
def right(desired, actual):
    mine = [p for p in actual if p["owner"] == desired["name"] and not p["deleting"]]
    mine = sorted((p for p in mine if p["phase"] not in ("Failed", "Succeeded")), key=lambda p: p["ready"])
    missing = desired["replicas"] - len(mine)
    return ["create"] * missing + [("delete", p["name"]) for p in mine[: max(0, -missing)]]


def counts_the_ending(desired, actual):
    mine = [p for p in actual if p["owner"] == desired["name"] and p["phase"] == "Running"]
    mine.sort(key=lambda p: p["ready"])
    missing = desired["replicas"] - len(mine)
    return ["create"] * missing + [("delete", p["name"]) for p in mine[: max(0, -missing)]]


def takes_others(desired, actual):
    return right(desired, [{**p, "owner": desired["name"]} for p in actual])


def takes_the_ready(desired, actual):
    return right(desired, [{**p, "ready": False} for p in actual])


class Counts:
    """Counts events: it remembers how many there should be more."""

    def __init__(self):
        self.before = 0

    def __call__(self, desired, actual):
        more, self.before = desired["replicas"] - self.before, desired["replicas"]
        return ["create"] * more


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (counts_the_ending, "Asked once more, though nothing has changed"),
        (takes_others, "that count; after your steps there are"),
        (lambda desired, actual: [("delete", p["name"]) for p in actual], "whose owner is"),
        (takes_the_ready, "which is ready, and keeps one that is not"),
        (Counts(), "that count; after your steps there are"),
        (lambda desired, actual: [*right(desired, actual), "create", "create", "create"], "more than one too many"),
        (lambda desired, actual: [("delete", "nobody")], "which is not there"),
        (lambda desired, actual: "create", "Return a list of steps"),
        (lambda desired, actual: ["make"], "is no step"),
    ],
)
def test_a_wrong_decision_is_told_by_what_comes_of_it(answer, hint):
    report = check("controllers.replicas", answer)
    assert report.status == "hint" and hint in report.hint, report.hint


def test_the_right_decision_passes_in_every_world():
    assert check("controllers.replicas", right).passed


# -- a copy that survives --------------------------------------------------------------------------
class Mirror:
    def __init__(self):
        self.objects, self.revision = {}, None

    def next(self):
        return ("list",) if self.revision is None else ("watch", self.revision)

    def listed(self, items, revision):
        before, self.objects, self.revision = self.objects, items, revision
        return {name for name in {**before, **items} if before.get(name) != items.get(name)}

    def event(self, verb, name, revision):
        self.objects.pop(name, None)
        if verb != "DELETED":
            self.objects[name] = revision
        self.revision = revision
        return {name}

    def ended(self, code):
        if code == 410:
            self.revision = None


class Forgets(Mirror):
    def ended(self, code):
        self.revision = None


class Stubborn(Mirror):
    def ended(self, code):
        pass


class Keeps(Mirror):
    def listed(self, items, revision):
        self.objects.update(items)
        self.revision = revision
        return set(items)


class Silent(Mirror):
    def listed(self, items, revision):
        new = super().listed(items, revision)
        return new & set(items)


class Behind(Mirror):
    def event(self, verb, name, revision):
        first, named = self.revision, super().event(verb, name, revision)
        self.revision = first
        return named


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (Forgets, "It lists again, though the server has not said 410"),
        (Keeps, "the copy is"),
        (Silent, "nobody was told"),
        (Behind, "the last that it was told of is"),
        (object, "Give check() the class itself"),
    ],
)
def test_a_wrong_copy_is_told_by_what_it_shows(answer, hint):
    report = check("controllers.mirror", answer)
    assert report.status == "hint" and hint in report.hint, report.hint


def test_the_right_copy_passes_and_one_that_never_lists_again_does_not():
    assert check("controllers.mirror", Mirror).passed
    assert "that is forgotten" in check("controllers.mirror", Stubborn).hint


# -- not all at once -------------------------------------------------------------------------------
def queue(wait, forgets=True, each=True):
    class Queue:
        def __init__(self):
            self.dice, self.failures = random.Random(3), {}

        def failed(self, key):
            key = key if each else "all"
            before = self.failures.get(key, 0)
            self.failures[key] = before + 1
            return wait(before, self.dice)

        def done(self, key):
            if forgets:
                self.failures.pop(key, None)

    return Queue


def by_chance(before, dice):
    return min(60, 2**before) * dice.uniform(0.5, 1)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (queue(lambda before, dice: min(60, 2**before) * 0.75), "come back in the same tenth"),
        (queue(lambda before, dice: 2**before * dice.uniform(0.5, 1)), "it should be 30 to 60 s"),
        (queue(lambda before, dice: dice.uniform(0.5, 1)), "it should be 1 to 2 s"),
        (queue(by_chance, forgets=False), "done() must forget"),
        (queue(by_chance, each=False), "it should be"),
        (queue(lambda before, dice: "a second"), "give seconds"),
    ],
)
def test_a_wrong_wait_is_told_by_its_histogram(answer, hint):
    report = check("controllers.backoff", answer)
    assert report.status == "hint" and hint in report.hint, report.hint


def test_waits_that_double_and_are_drawn_pass():
    assert check("controllers.backoff", queue(by_chance)).passed


# -- the rest of the family ------------------------------------------------------------------------
def collect(objects, field="uid", whole=all):
    there = {obj["metadata"][field] for obj in objects}
    return [
        obj["metadata"]["uid"]
        for obj in objects
        if obj["metadata"]["ownerReferences"]
        and whole(reference[field] not in there for reference in obj["metadata"]["ownerReferences"])
    ]


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (lambda objects: collect(objects, field="name"), "stays, though none of its owners"),
        (lambda objects: collect(objects, whole=any), "though one of its owners is still there"),
        (lambda objects: [obj["metadata"]["uid"] for obj in objects], "has no owner at all"),
        (lambda objects: {"nobody"}, "is the UID of nothing"),
        (lambda objects: 3, "Return the UIDs"),
        (lambda objects: [], "stays, though none of its owners"),
    ],
)
def test_a_wrong_family_is_told_by_who_goes_or_stays(answer, hint):
    report = check("controllers.cascade", answer)
    assert report.status == "hint" and hint in report.hint, report.hint


def test_the_right_collector_passes_and_every_peculiarity_occurs():
    assert check("controllers.cascade", collect).passed
    told = {family(number)[2]: len(family(number)[1]) for number in range(40)}
    assert set(told) == {"one owner of two", "a namesake", "a chain", "no owner"}

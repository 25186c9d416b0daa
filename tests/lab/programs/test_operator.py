"""Appendix *Write an operator*: what the page asks for happens, and its checkers see the mistakes that people make."""

import pytest

from kubemini.api.objects import get
from kubemini.controllers.operator import Call, Create, Delete, Patch
from kubemini.lab import check
from kubemini.lab.operator.site import APPLY, World, pod_of, site
from kubemini.lab.operator.troubles import MINE, Script, fight, outage, rents, takeover
from kubemini.lab.questions import of_chapter

ANSWERS = {name: asked[0]["answer"] for name, asked in of_chapter("operator")["quizzes"].items()}


@pytest.fixture(autouse=True)
def in_the_book(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- the page -------------------------------------------------------------------------------------------------------
def test_a_namespace_with_a_finalizer_of_nobody_hangs_until_somebody_is_back():
    assert ANSWERS["guess-stuck"].startswith("The namespace and the Site")
    world = World(workers=1)
    operator = world.add(rents)
    world.kubectl("create namespace shop")
    world.kubectl(APPLY, site(namespace="shop"))
    world.run(5)
    operator.terminate()
    world.kubectl("delete namespace shop --wait=false")
    world.run(120)
    held = {c["type"]: c["message"] for c in world.get("namespace shop")["status"]["conditions"]}
    assert held["NamespaceFinalizersRemaining"] == (
        "Some content in the namespace has finalizers remaining: book.example/name in 1 resource instances"
    )
    assert world.provider.things
    operator.start()
    world.run(30)
    assert not world.provider.things and "NotFound" in world.kubectl("get namespace shop").err


def test_who_looks_makes_up_for_what_was_missed_and_who_acts_on_events_never_does():
    assert ANSWERS["guess-outage"].startswith("It makes the Deployment, with four")
    looked, listened = outage(), outage(Script)
    assert max(number for at, number in looked if 60 < at < 80) == 4 and looked[-1][1] == 3
    assert [number for at, number in listened if at > 2] == [0]


def test_two_who_are_sure_write_hundreds_of_times_and_one_writes_once():
    assert ANSWERS["guess-fight"] == "Hundreds"
    alone, two = fight(1, (2,)), fight(1, (2, 3))
    assert alone["writes of the operators"] == 1 and alone["pods made"] == 2
    assert 200 < two["writes of the operators"] < 1000
    assert 4 < two["pods made"] < 20  # the Deployment controller asks 20 times a second at most: --kube-api-qps


@pytest.mark.parametrize("fault", ["crash", "pause"])
def test_nobody_acts_for_fifteen_seconds(fault):
    assert ANSWERS["guess-takeover"] == "About 15 s"
    gaps = [takeover(fault, 20 + seed / 3, seed)[1] for seed in range(1, 5)]
    assert all(13 < gap < 20 for gap in gaps)


def test_who_is_told_to_end_is_followed_at_once():
    assert all(takeover("terminate", 20, seed)[1] < 4.5 for seed in range(1, 5))


# -- reconcile ------------------------------------------------------------------------------------------------------
def names(site):
    return [f"{site['metadata']['name']}-{n}" for n in range(site["spec"]["replicas"])]


def missing(site, observed):
    there = {pod["metadata"]["name"] for pod in observed["Pod"]}
    return [Create(pod_of(site, name)) for name in names(site) if name not in there]


def excess(site, observed):
    return [Delete(pod) for pod in observed["Pod"] if pod["metadata"]["name"] not in names(site)]


def going(pod):
    return "deletionTimestamp" in pod["metadata"]


COUNTER = iter(range(10**9))


def always_new(site, observed):
    alive = [pod for pod in observed["Pod"] if not going(pod)]
    short = site["spec"]["replicas"] - len(alive)
    return [Create(pod_of(site, f"shop-{next(COUNTER)}")) for _ in range(short)] + [Delete(p) for p in alive[:-short]]


def without_name(site, observed):
    return [Create({**pod_of(site, "a"), "metadata": {"generateName": "shop-"}})]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (missing, "pods run, and"),
        (lambda site, observed: missing(site, observed) + excess(site, observed), "on its way out, and you deleted"),
        (always_new, "replicas were ever asked for, and"),
        (without_name, "A pod without a name"),
        (lambda site, observed: [], "0 pods run"),
        (lambda site, observed: "many", "Return a list of Create and Delete"),
        (lambda site, observed: [Call("create", "a")], "Only Create and Delete are needed here"),
        (lambda site, observed: 1 / 0, "ZeroDivisionError"),
    ],
)
def test_a_reconcile_that_does_not_work_is_told_why(answer, words):
    report = check("operator.reconcile", answer)
    assert not report.passed and words in report.hint


def test_any_names_will_do_that_can_be_told_beforehand():
    def reconcile(site, observed):
        wanted = [f"pod-of-shop-{n}" for n in range(10, 10 + site["spec"]["replicas"])]
        there = {pod["metadata"]["name"]: pod for pod in observed["Pod"]}
        new = [Create(pod_of(site, name)) for name in wanted if name not in there]
        return [*(Delete(pod) for name, pod in there.items() if name not in wanted and not going(pod)), *new]

    assert check("operator.reconcile", reconcile).passed


# -- finalizer ------------------------------------------------------------------------------------------------------
def finalizers(site, *names):
    return Patch(site, {"metadata": {"finalizers": list(names)}})


def rent(site, observed, early=False, careless=False, forgets=False, greedy=False):
    name, held = site["metadata"]["name"], list(site["metadata"].get("finalizers") or [])
    others, rented = [one for one in held if one != MINE], name in observed["outside"] and not careless
    if not going(site):
        if MINE not in held:
            promised = finalizers(site, *([] if greedy else held), MINE)
            return [Call("create", name), promised] if early else [promised]
        return [] if rented or early else [Call("create", name)]
    if MINE not in held:
        return []
    back = [] if forgets else [Call("delete", name)] if rented or careless else []
    return [*back, finalizers(site, *others)]


def test_a_finalizer_that_works():
    assert check("operator.finalizer", rent).passed


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"early": True}, "was rented before its finalizer was stored"),
        ({"careless": True}, "The provider was called twice"),
        ({"forgets": True}, "was deleted, and its name is still rented"),
        ({"greedy": True}, "had a finalizer of somebody else"),
    ],
)
def test_a_finalizer_that_does_not_work_is_told_why(how, words):
    report = check("operator.finalizer", lambda site, observed: rent(site, observed, **how))
    assert not report.passed and words in report.hint


def always(site, observed):
    return [finalizers(site, MINE, f"a.example/{next(COUNTER)}")]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda site, observed: [], "nobody has rented its name"),
        (always, "each one wakes you again"),
        (lambda site, observed: {}, "Return a list of Patch and Call"),
        (lambda site, observed: observed["Deployment"], "KeyError"),
    ],
)
def test_what_is_no_finalizer_is_told_so(answer, words):
    report = check("operator.finalizer", answer)
    assert not report.passed and words in report.hint


# -- status ---------------------------------------------------------------------------------------------------------
def report_of(site, observed, word=None, since=None, generation=True, compare=True, message="counted"):
    there = observed["Deployment"][0] if observed["Deployment"] else {}
    ready = get(there, "status", "readyReplicas", default=0)
    word = word or ("True" if ready == site["spec"]["replicas"] else "False")
    old = get(site, "status", "conditions", 0, default={})
    kept = old["lastTransitionTime"] if old.get("status") == word else observed["now"]
    condition = {"type": "Ready", "status": word, "reason": "Counted", "message": message}
    condition["lastTransitionTime"] = since or kept
    status = {"ready": ready, "conditions": [condition]}
    if generation:
        status["observedGeneration"] = site["metadata"]["generation"]
    return [] if compare and status == site.get("status") else [Patch(site, {"status": status}, "status")]


def test_a_status_that_can_be_believed():
    assert check("operator.status", report_of).passed


def restless(site, observed):
    return report_of(site, observed, message=f"look {next(COUNTER)}")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (restless, "A hot loop: 61 writes"),
        (lambda s, o: report_of(s, o, compare=False), "word for word"),
        (lambda s, o: report_of(s, o, generation=False), "its status says observedGeneration"),
        (lambda s, o: report_of(s, o, word="True"), "You said Ready while 0 of 2"),
        (lambda s, o: report_of(s, o, word="False"), "the condition Ready is"),
        (lambda s, o: report_of(s, o, since=o["now"]), "lastTransitionTime moved"),
        (lambda s, o: [], "its status says observedGeneration None"),
        (lambda s, o: [Patch(s, {"spec": {}})], "A Patch of the status has the body"),
        (lambda s, o: "fine", "Return [] or [Patch"),
    ],
)
@pytest.mark.some(4)
def test_a_status_that_cannot_be_believed_is_told_why(answer, words):
    report = check("operator.status", answer)
    assert not report.passed and words in report.hint, report

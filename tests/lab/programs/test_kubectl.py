"""Page *kubectl at the door*: what it shows is so, and its checkers see the mistakes that people make."""

import pytest

from kubemini.lab import check
from kubemini.lab.kubectl.sent import KINDS, counted, kind, lines, recorded
from kubemini.lab.kubectl.silence import silence
from kubemini.lab.questions import of_chapter

ANSWERS = {name: asked[0]["answer"] for name, asked in of_chapter("kubectl")["quizzes"].items()}


@pytest.fixture(autouse=True)
def in_the_book(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- the page -------------------------------------------------------------------------------------------------------
def test_get_all_asks_for_ten_kinds():
    assert "ten" in ANSWERS["guess-count"] and counted("get all") == {"read": 10}


def test_an_apply_that_changes_nothing_writes_nothing():
    first, second = (sent for line, sent in recorded() if line == "apply -f web.yaml")
    assert [kind(request) for request in first].count("write") == 1
    assert "write" not in map(kind, second)


def test_every_request_is_of_one_of_the_kinds_of_the_figure():
    assert {kind(request) for sent in lines().values() for request in sent} == set(KINDS)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.some(1)
def test_the_silence_of_an_informer_is_short_after_a_crash_and_long_after_a_hang(seed):
    assert ANSWERS["guess-silence"] == "About 46 s"
    assert silence(3, "crash", seed) < 5
    assert 45 < silence(3, "pause", seed) < 50
    assert silence(1, "crash", seed) > 60


# -- url ------------------------------------------------------------------------------------------------------------
def url(resource, namespace="", name="", core="/api", cluster_wide=True, order=True, named=True):
    group, version = resource["group"], resource["version"]
    path = f"/apis/{group}/{version}" if group else f"{core}/{version}"
    if namespace and (resource["namespaced"] or not cluster_wide):
        path += f"/namespaces/{namespace}" if order else ""
    return path + f"/{resource['resource']}" + (f"/{name}" if name and named else "")


def test_a_path_that_works():
    report = check("kubectl.url", url)
    assert report.passed and "not one was answered with 404" in report.facts


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"core": "/apis"}, "its root is /api/v1"),
        ({"cluster_wide": False}, "leave it out of the path"),
        ({"named": False}, "and got something else"),
    ],
)
def test_a_path_that_does_not_work_is_told_why(how, words):
    report = check("kubectl.url", lambda *arguments: url(*arguments, **how))
    assert not report.passed and words in f"{report.hint} {report.next}", report


def test_a_path_without_its_namespace_finds_all_of_them_and_not_the_one():
    report = check("kubectl.url", lambda *arguments: url(*arguments, order=False))
    assert not report.passed and report.next


def test_what_is_no_path_is_told_so():
    assert "begins with a slash" in check("kubectl.url", lambda *arguments: "pods").hint


# -- follow ---------------------------------------------------------------------------------------------------------
def version(item):
    return item.get("object", item)["metadata"]["resourceVersion"]


def watch(item):
    return f"?watch=1&resourceVersion={version(item)}"


def gone(heard):
    return heard[-1].get("type") == "ERROR"


def follow(heard):
    return "" if not heard or gone(heard) else watch(heard[-1])


def test_a_client_that_goes_on_misses_nothing():
    report = check("kubectl.follow", follow)
    assert report.passed and "nothing was missed, nothing heard twice" in report.facts[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda heard: "?watch=1", "twice, in the same version"),
        (lambda heard: "", "the last answer was a list"),
        (lambda heard: "" if not heard or "type" in heard[-1] else watch(heard[-1]), "lists were needed"),
        (lambda heard: watch([item for item in heard if "items" in item][-1]) if heard else "", "twice, in the same"),
        (lambda heard: watch(next(i for i in reversed(heard) if not gone([i]))) if heard else "", "too old resource"),
        (lambda heard: "?watch=1&resourceVersion=new", "is answered with 500"),
        (lambda heard: 7, 'Return "" to list'),
    ],
)
def test_a_client_that_loses_its_place_is_told_how(answer, words):
    report = check("kubectl.follow", answer)
    assert not report.passed and words in report.hint, report

"""Chapter 2: what the page asks for is what the server does, and what its checkers say to answers that people give."""

import json
from pathlib import Path

import pytest

from kubemini.lab import check
from kubemini.lab.apiserver.contention import DEFAULT_BACKOFF, DEFAULT_RETRY, Retry, contention
from kubemini.lab.apiserver.guarded import CONFIGURATIONS, LOOSE, Guarded, admit_digests, configuration, pod
from kubemini.lab.apiserver.server import Server, said
from kubemini.lab.questions import of_chapter
from kubemini.simulate import run

ANSWERS = {name: asked["answer"] for name, asked in of_chapter("apiserver")["predictions"].items()}
PODS = "/api/v1/namespaces/default/pods"
HALF = '{"kind": "Po'
SEEDS = (None, 1, 2)


@pytest.fixture(autouse=True)
def in_the_book(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- predictions -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", SEEDS)
def test_scaling_is_accepted_and_no_pod_ever_comes(seed):
    trace = run("webhook", seed)
    scaled = [r.detail for r in trace.of("request", "kubectl") if r.detail["verb"] == "PATCH"]
    made = [r for r in trace.of("object") if r.detail["kind"] == "Pod" and r.detail["verb"] == "ADDED"]
    assert len(scaled) == 3 and {one["outcome"] for one in scaled} == {"ok"}
    assert max(r.at for r in made) < 20e6
    assert ANSWERS["guard"] == "kubectl scale is accepted, and no pod ever comes"


@pytest.mark.parametrize("seed", SEEDS)
def test_whoever_has_failed_for_longer_comes_later_when_the_lock_opens(seed):
    opened = (60, "delete", "validatingwebhookconfiguration", "guard")
    trace = run("webhook", seed, [opened], until=90)
    made = [r for r in trace.of("object") if r.detail["kind"] == "Pod" and r.detail["verb"] == "ADDED" and r.at > 60e6]
    assert [r.detail["name"][:3] for r in made] == ["web", "web", "gua"]
    assert 62e6 < made[0].at < made[2].at
    assert ANSWERS["open"].startswith("The shop's after some seconds, the guard's later")


# -- the order of the questions --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def server():
    return Server()


@pytest.mark.parametrize(
    ("by", "body", "code"),
    [
        ("a stranger", HALF, 401),
        ("", HALF, 403),
        ("dev", HALF, 403),
        ("admin", HALF, 400),
        ("admin", {"spec": {}}, 422),
    ],
)
def test_a_request_is_refused_by_the_first_question_that_it_fails(server, by, body, code):
    whole = {"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "b"}, **body} if isinstance(body, dict) else body
    assert server.ask("POST", PODS, whole, by=by)[0] == code


def test_who_sends_an_older_version_is_refused_and_who_sends_none_overwrites(server):
    maps = "/api/v1/namespaces/default/configmaps"
    server.ask("POST", maps, {"metadata": {"name": "prices"}, "data": {"tea": "3"}})
    _, old = server.ask("GET", f"{maps}/prices")
    assert server.ask("PUT", f"{maps}/prices", {**old, "data": {"tea": "4"}})[0] == 200
    code, answer = server.ask("PUT", f"{maps}/prices", {**old, "data": {"cake": "5"}})
    assert code == 409 and "the object has been modified" in said(answer)
    del old["metadata"]["resourceVersion"]
    assert server.ask("PUT", f"{maps}/prices", {**old, "data": {"cake": "5"}})[1]["data"] == {"cake": "5"}


def test_few_writers_get_through_with_five_tries_and_of_a_crowd_most_give_up():
    for how in (DEFAULT_RETRY, DEFAULT_BACKOFF):
        assert [contention(n, how, seed=n).done for n in (1, 2, 4)] == [1, 2, 4]
        assert contention(50, how).done < 20
    crowd = contention(50, Retry(1000))
    assert crowd.done == 50 and crowd.writes > 300


def test_the_page_tells_what_becomes_of_fifty_writers():
    ends = [contention(50, how) for how in (DEFAULT_RETRY, DEFAULT_BACKOFF, Retry(1000))]
    told = f"{ends[0].done} get through with `DefaultRetry`, {ends[1].done} with `DefaultBackoff`; all, with "
    page = (Path(__file__).parents[2] / "chapters/apiserver.ipynb").read_text(encoding="utf-8")
    assert f"{told}{ends[2].writes} writes" in page


# -- the rights of a bot ---------------------------------------------------------------------------------------------
def rule(group, resources, verbs, **more):
    return {"apiGroups": [group], "resources": resources.split(), "verbs": verbs.split(), **more}


GOOD = [
    rule("", "pods", "list"),
    rule("", "pods/log", "get"),
    rule("apps", "deployments", "get list"),
    rule("apps", "deployments deployments/scale", "patch", resourceNames=["web"]),
    rule("", "configmaps", "create"),
]


def test_the_least_rights_are_enough():
    report = check("apiserver.role", GOOD)
    assert report.passed and report.facts == ("7 of 7 allowed", "7 of 7 refused: 403")


@pytest.mark.parametrize(
    ("answer", "hint", "next"),
    [
        ("all", "Give check() a list of rules", ""),
        ([{}], "The API server does not take this Role.", ""),
        ([{**rule("", "pods", "list"), "verbs": 3}], "The API server does not take this Role.", ""),
        ([rule("", "pods", "list", more={1, 2})], "Rules are made of dicts, lists and texts", ""),
        ([], "The bot cannot list the pods, and it should.", "names no object"),
        (GOOD[:1], "The bot cannot read the log of web-1", "a resource of its own"),
        (
            [*GOOD[:3], rule("apps", "deployments", "patch"), GOOD[4]],
            "The bot cannot scale web",
            "a resource of its own",
        ),
        ([*GOOD, rule("", "secrets", "get")], "The bot can read the Secret password", "no stars"),
        (
            [*GOOD, rule("apps", "deployments", "patch")],
            "The bot can change the Deployment db",
            "resourceNames narrows",
        ),
        ([*GOOD, rule("apps", "deployments", "*", resourceNames=["web"])], "The bot can delete the Deployment web", ""),
        ([*GOOD, rule("", "pods/exec", "create")], "The bot can open a shell in web-1", "runs in there"),
        (
            [*GOOD, rule("rbac.authorization.k8s.io", "rolebindings", "create")],
            "give its rights to a friend",
            "bindings",
        ),
        (
            [*GOOD, rule("rbac.authorization.k8s.io", "roles", "patch escalate")],
            "The bot can write more rights into its own Role",
            "escalate",
        ),
    ],
)
def test_a_right_too_many_or_too_few_is_named(answer, hint, next):
    report = check("apiserver.role", answer)
    assert report.status == "hint" and hint in report.hint and next in report.next, report


# -- the guard -------------------------------------------------------------------------------------------------------
def leaving_out(*names):
    name = {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": list(names)}
    return {"namespaceSelector": {"matchExpressions": [name]}}


PODS_RULE = {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["pods"]}
HOOK = {"rules": [PODS_RULE], **leaving_out("kube-system", "guard")}


def response(review, **more):
    return {**review, "response": {"uid": review["request"]["uid"], "allowed": True, **more}}


def only_containers(review):
    spec = review["request"]["object"]["spec"]
    allowed = all("@sha256:" in one["image"] for one in spec["containers"])
    return response(review, allowed=allowed, status={"message": "no digest"})


def silent(review):
    answer = admit_digests(review)
    return response(review, allowed=answer["response"]["allowed"])


def endless(review):
    while review:
        pass


def test_a_guard_that_leaves_a_way_in_can_be_relied_on():
    report = check("apiserver.digest", (admit_digests, HOOK))
    assert report.passed and len(report.facts) == 3, report


@pytest.mark.parametrize(
    ("answer", "hint", "next"),
    [
        (admit_digests, "Give check() a pair", ""),
        ((3, HOOK), "The first of the pair is the function itself", ""),
        ((lambda review: True, HOOK), "The webhook answered True.", "Return an AdmissionReview"),
        ((lambda review: review["x"], HOOK), "raised KeyError: 'x'", ""),
        ((endless, HOOK), "endless(…) did not end after 200,000 lines", ""),
        ((response, HOOK), f"In shop a pod with the image {LOOSE} was let in.", "the image of each container"),
        ((only_containers, HOOK), "A pod whose init container has", "spec.initContainers"),
        ((silent, HOOK), "A pod was refused without a word.", "Say why"),
        ((admit_digests, {**HOOK, "rules": 5}), "The API server does not take this configuration.", ""),
        ((admit_digests, {**HOOK, "rules": {1, 2}}), "A configuration is made of dicts", ""),
        ((admit_digests, {**HOOK, **leaving_out("blog", "guard", "kube-system")}), "was not even asked", "Selector"),
        ((admit_digests, {"rules": [PODS_RULE]}), "A pod of kube-system was refused.", "Selector"),
        ((admit_digests, leaving_out("kube-system", "guard")), "The running pod", "ask for UPDATE"),
        ((admit_digests, {**HOOK, "failurePolicy": "Ignore"}), "While it was down", "a guard who says yes"),
        (
            (admit_digests, {**HOOK, **leaving_out("kube-system")}),
            "its own pod has to ask it first",
            "its own namespace",
        ),
    ],
)
def test_a_guard_that_lets_in_or_locks_out_is_told_whom(answer, hint, next):
    report = check("apiserver.digest", answer)
    assert report.status == "hint" and hint in report.hint and next in report.next, report


# -- fifty increments ------------------------------------------------------------------------------------------------
def once(api, change):
    return api.put(change(api.get()[1]))[0]


def patient(api, change):
    while (code := once(api, change)) == 409:
        pass
    return code


def five_tries(api, change):
    for _ in range(5):
        code = once(api, change)
        if code != 409:
            break
    return code


def blind(api, change):
    counter = change(api.get()[1])
    del counter["metadata"]["resourceVersion"]
    return api.put(counter)[0]


def stale(api, change):
    counter = change(api.get()[1])
    while (code := api.put(counter)[0]) == 409:
        counter["metadata"]["resourceVersion"] = api.get()[1]["metadata"]["resourceVersion"]
    return code


def stubborn(api, change):
    while (code := once(api, change)) != 200:
        pass
    return code


def swallowing(api, change):
    while True:
        try:
            api.put({1: {2, 3}})
        except Exception:
            continue


def test_fifty_writers_make_fifty():
    report = check("apiserver.retry", patient)
    assert report.passed and [fact.count("says 50") for fact in report.facts[:3]] == [1, 1, 1], report


@pytest.mark.parametrize(
    ("answer", "hint", "next"),
    [
        (7, "Give check() the function itself", ""),
        (once, "the counter says 1.", "ended with a 409"),
        (five_tries, "the counter says 49.", "as often as it takes"),
        (blind, "the counter says 1.", "resourceVersion that you read"),
        (stale, "the counter says 1.", "change what you read"),
        (stubborn, "Writer 1 has sent 200 requests and does not end.", "Only 409 is worth another try"),
        (swallowing, "swallowing(…) did not end after 200,000 lines", ""),
        (lambda api, change: api.put({1, 2}), "api.put() wants an object", ""),
        (lambda api, change: api.put(None)[0], "the counter says 0.", "A write was answered 400"),
        (lambda api, change: patient(api, change) and None, "returned nothing yet", ""),
        (lambda api, change: patient(api, change) and 200, "update_with_retry returned 200", "Return the code"),
    ],
)
@pytest.mark.some(5)
def test_a_lost_increment_is_told_how_it_was_lost(answer, hint, next):
    report = check("apiserver.retry", answer)
    assert report.status == "hint" and hint in report.hint and next in report.next, report


# -- the lock --------------------------------------------------------------------------------------------------------
STEPS = [{"op": "add", "path": "/webhooks/0/namespaceSelector", "value": leaving_out("guard")["namespaceSelector"]}]
PATCH = f"kubectl patch validatingwebhookconfiguration guard --type=json -p '{json.dumps(STEPS)}'"
DELETE = "kubectl delete validatingwebhookconfiguration guard"
APPLY = "kubectl apply -f -"
IGNORE = """kubectl patch validatingwebhookconfiguration guard -p '
{"webhooks": [{"name": "guard.shop.example", "failurePolicy": "Ignore"}]}'"""


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([PATCH], "one command"),
        (["kubectl get pods -A", PATCH, "get pods -n shop"], "one command"),
        (["rollout status deploy/web -n shop --timeout=1s", "top pod", "api-versions", PATCH], "one command"),
        ([DELETE, (APPLY, json.dumps(configuration(leaving_out("guard"))))], "two commands; one is enough"),
    ],
)
@pytest.mark.some(1)
def test_the_lock_opens_and_stays_open(lines, words):
    report = check("apiserver.deadlock", lines)
    assert report.passed and report.facts[-1] == words, report


@pytest.mark.parametrize(
    ("lines", "hint"),
    [
        (DELETE, "Give check() a list of lines"),
        ([3], "A command is a line, or a pair"),
        ([DELETE], "nobody guards the shop any more"),
        ([DELETE, (APPLY, json.dumps(configuration({})))], "90 s later 0 of 1 pods of guard run."),
        ([IGNORE], "meanwhile a pod with the image"),
        (["kubectl delete deployment web -n shop"], "90 s later 0 of 1 pods of guard run."),
        (["kubectl frobnicate"], "90 s later 0 of 1 pods of guard run."),
        ([PATCH, "label ns shop a=b", "label ns shop a-"], "with 3 commands; 2 are enough"),
        ([PATCH, "rollout restart deploy/web -n shop", "getaway"], "with 3 commands; 2 are enough"),
    ],
)
@pytest.mark.some(4)
def test_a_lock_that_is_not_open_or_gone_is_told_so(lines, hint):
    report = check("apiserver.deadlock", lines)
    assert report.status == "hint" and hint in report.hint, report


def test_a_made_up_endpoint_does_not_pass_for_the_guard():
    meta = {"name": "made-up", "namespace": "guard", "labels": {"kubernetes.io/service-name": "guard"}}
    end, port = {"addresses": ["10.244.9.9"]}, {"name": "", "port": 8443}
    slice = {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "metadata": meta, "addressType": "IPv4"}
    text = json.dumps({**slice, "endpoints": [end], "ports": [port]})
    report = check("apiserver.deadlock", [("kubectl create -f -", text)])
    assert report.status == "hint" and report.hint.endswith("0 of 1 pods of guard run."), report
    assert "no digest: shop/web:1.0" in report.facts[-1]


def test_who_guards_by_the_solution_of_the_book_hinders_nobody_in_the_shop():
    cluster = Guarded()
    assert cluster.ask("POST", CONFIGURATIONS, configuration(HOOK))[0] == 201
    assert cluster.create("shop", pod("a"))[0] == 201 and cluster.create("shop", pod("a", LOOSE))[0] == 403

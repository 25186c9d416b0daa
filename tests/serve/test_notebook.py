"""A door for the cells of a notebook: with sockets and kubectl, and without them, the same words work."""

import pytest

from kubemini.serve import notebook
from kubemini.serve.notebook import InProcess, open_door

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


@pytest.fixture(params=[pytest.param("real", marks=pytest.mark.needs("kubectl")), "within"])
def here(request, monkeypatch):
    if request.param == "within":
        monkeypatch.setattr(notebook.sys, "platform", "emscripten")
    door = open_door("stacked", workers=1)
    assert isinstance(door, InProcess) == (request.param == "within"), notebook.without()
    yield door
    door.close()


def test_a_watch_ends_with_its_server_and_those_of_the_balancer_with_theirs(here):
    direct, through = here.watch("apiserver-2"), [here.watch("lb") for _ in range(6)]
    for name in ("one", "two"):
        here.create(name)
        assert {watch.until(name) for watch in (direct, *through)} == {f"has seen {name}"}
    here.do("crash apiserver-2")
    here.create("three")
    assert direct.until("three") == "ended with status 0: not a word"
    assert {watch.until("three") for watch in through} == {"has seen three", "ended with status 0: not a word"}
    assert here.kubectl("get configmap three -o name", door="lb") == "configmap/three"
    refused = here.kubectl("get configmap three -o name", door="apiserver-2")
    assert refused.endswith("was refused - did you specify the right host or port?")
    here.do("restart apiserver-2")
    for watch in (direct, *through):
        watch.stop()


def test_it_says_what_it_is_and_no_port_and_no_path(here):
    assert repr(here).endswith("Doors: lb, apiserver-1, apiserver-2, apiserver-3.")
    assert "127.0.0.1:" not in here.kubectl("cluster-info").replace("127.0.0.1:PORT", "")
    with pytest.raises(ValueError, match="there is no action 'crush'"):
        here.do("crush apiserver-2")


def test_a_get_is_answered_in_the_form_that_is_asked_for(here):
    assert here.ask("/api/v1/nodes")["kind"] == "NodeList"
    assert here.ask("/api/v1/nodes", accept=TABLE)["columnDefinitions"][0]["name"] == "Name"


def test_the_requests_of_a_line_are_told_and_what_was_not_recorded_is_said_to_be(here):
    assert here.sent("get pods")[:2] == ["GET /api?timeout=32s", "GET /apis?timeout=32s"]  # the first time
    assert here.sent("get pods") == ["GET /api/v1/namespaces/default/pods?limit=500"]
    if isinstance(here, InProcess):
        assert here.sent("get pigs") == ["not recorded here, and a page in a browser has no sockets"]


@pytest.mark.parametrize(
    ("missing", "why"),
    [("tornado", "tornado are missing: pip install 'kubemini[serve]'"), ("kubectl", "no kubectl was found")],
)
def test_what_is_missing_is_named(monkeypatch, missing, why):
    found = notebook.importlib.util.find_spec
    monkeypatch.setattr(notebook.importlib.util, "find_spec", lambda name: None if name == missing else found(name))
    if missing == "kubectl":
        monkeypatch.setattr(notebook, "find_kubectl", lambda: "")
    assert why in notebook.without()

"""A stacked cluster has a door an API server and one for the balancer, and a reader breaks it from the keyboard."""

import http.client
import json

import pytest

from tests.serve.doors import CONFIG_MAPS, LONG, Served, config_map, events


@pytest.fixture(scope="module")
def stacked(tmp_path_factory):
    with Served(tmp_path_factory.mktemp("stacked"), "--topology", "stacked", "--workers", "1") as served:
        yield served


def refused(served, door):
    """Whether nobody listens there."""
    try:
        served.ask("/livez", door=door)
    except ConnectionRefusedError:
        return True
    except (ConnectionError, http.client.HTTPException):
        return False  # it was let in, and its server was gone before it had answered
    return False


def test_a_context_leads_to_each_door_and_the_first_is_the_balancers(stacked):
    assert list(stacked.doors) == ["lb", "apiserver-1", "apiserver-2", "apiserver-3"]
    assert stacked.config["current-context"] == "lb"
    assert "contexts: lb, apiserver-1, apiserver-2, apiserver-3" in stacked.line


def test_what_is_written_at_one_door_is_heard_at_another(stacked):
    watch = stacked.watch(CONFIG_MAPS, "apiserver-3")
    known = stacked.ask(CONFIG_MAPS).json["items"]
    events(watch, len(known))
    assert stacked.ask(CONFIG_MAPS, "POST", config_map("shared"), door="apiserver-1").code == 201
    assert events(watch, 1) == [("ADDED", "shared")]
    watch.close()


def test_a_crash_ends_watches_there_and_no_others_and_its_door_is_shut_until_it_is_back(stacked):
    watches = {door: stacked.watch(CONFIG_MAPS, door) for door in ("apiserver-1", "apiserver-2")}
    known = len(stacked.ask(CONFIG_MAPS).json["items"])
    for watch in watches.values():
        events(watch, known)
    assert stacked.type("crash apiserver-2") == "kubemini: crash apiserver-2\n"
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        watches["apiserver-2"].read()
    assert refused(stacked, "apiserver-2")
    assert stacked.ask(CONFIG_MAPS, "POST", config_map("after"), door="apiserver-1").code == 201
    assert events(watches["apiserver-1"], 1) == [("ADDED", "after")]
    assert stacked.type("restart apiserver-2") == "kubemini: restart apiserver-2\n"
    watch, names = back(stacked, "apiserver-2"), set()
    while "after" not in names:
        names.add(json.loads(watch.readline())["object"]["metadata"]["name"])


def back(served, door):
    """A watch at *door*, as soon as somebody is there again; all the world's patience is in `LONG`."""
    for _ in range(LONG * 100):
        try:
            return served.watch(CONFIG_MAPS, door)
        except (ConnectionError, AssertionError, http.client.HTTPException):
            served.ask("/livez", door="apiserver-1")
    raise AssertionError(f"{door} did not come back")


def test_a_line_that_cannot_be_done_is_answered_in_a_sentence(stacked):
    assert "there is no action 'crush'" in stacked.type("crush apiserver-2")
    assert "kubemini: " in stacked.type("crash nobody")
    assert "go TIME lets time pass where it stands" in stacked.type("go 10s")
    assert stacked.ask("/livez").code == 200

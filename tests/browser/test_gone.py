"""Three ways to be gone, and the ways back: a button and a key for every program and host, and what each means."""

import pytest

from kubemini.scenarios import load
from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")

THREE_WAYS = ["crash", "pause", "stop", "power_off", "cut"]
UNSEEN = ("pods@",)  # the network of the pods, which is the kernel's and stands on no map


def hosts(scenario):
    return [(h.name, [c for c in h.components if not c.startswith(UNSEEN)]) for h in load(scenario).topology.hosts]


def offered(widget):
    return [b.get_attribute("data-action") for b in widget.root.locator(".km-acts [data-action]").all()]


@pytest.mark.parametrize(("page", "scenario"), [("balancers", "two-balancers"), ("external", "external")])
def test_every_program_on_the_map_can_be_crashed_paused_stopped_and_silenced(open_page, http, widget, page, scenario):
    cluster = widget(open_page(f"{http}/{page}.html"))
    cluster.seek(10)
    for host, programs in hosts(scenario):
        for program in programs:
            cluster.select(program)
            assert [a for a in offered(cluster) if a in THREE_WAYS] == THREE_WAYS, program
        if cluster.root.locator(f'[data-name="{host}"]').count():
            cluster.root.locator(f'[data-name="{host}"]').press("Enter")  # a click in its middle would hit a program
            assert [a for a in offered(cluster) if a in THREE_WAYS] == ["power_off", "cut"], host


@pytest.mark.parametrize("page", ["desk", "stepper"])
def test_so_can_every_member_of_an_etcd(open_page, http, widget, page):
    desk = widget(open_page(f"{http}/{page}.html"))
    for member in ("etcd-1", "etcd-2", "etcd-3"):
        desk.select(member)
        assert [a for a in offered(desk) if a in THREE_WAYS] == THREE_WAYS


def test_the_buttons_say_what_others_see_of_each_way(open_page, http, widget):
    cluster = widget(open_page(f"{http}/balancers.html"))
    cluster.seek(10)
    cluster.select("apiserver-1")

    def said(action):
        return cluster.root.locator(f'.km-acts [data-action="{action}"]').first.get_attribute("title")

    assert "its connections are reset" in said("crash")
    assert "still accepts what is sent, and nobody answers" in said("pause")
    assert "silence: nothing is accepted, nothing refused" in said("cut")
    assert "silence: nothing is accepted, nothing refused" in said("power_off")


def test_each_way_has_its_key_and_its_sentence(open_page, http, widget):
    cluster = widget(open_page(f"{http}/balancers.html"))
    cluster.seek(10)
    cluster.select("keepalived-1")

    def press(key):
        cluster.root.locator('[data-name="keepalived-1"]').press(key)
        cluster.settle()
        return cluster.root.locator(".km-what").inner_text()

    assert "its host accepts what is sent, it answers nobody" in press("p")
    press("p")
    assert "cut off from every other host" in press("x") or "cannot reach any other host" in press("x")
    press("h")
    assert "its host lost power" in press("o")
    press("o")
    done = [command[1:] for command in cluster.commands()]
    assert done == [
        ["pause", "keepalived-1"],
        ["resume", "keepalived-1"],
        ["cut", "lb-1"],
        ["heal"],
        ["power_off", "lb-1"],
        ["power_on", "lb-1"],
    ]


def test_a_keepalived_that_stands_still_keeps_the_address_and_so_both_have_it(open_page, http, widget):
    cluster = widget(open_page(f"{http}/balancers.html"))
    cluster.seek(10)
    assert "address" in cluster.seen("haproxy-1") and "address" not in cluster.seen("haproxy-2")
    cluster.do("keepalived-1", "pause")
    cluster.seek(16)
    assert "lb-1 and lb-2 both have the address: writes accepted" in cluster.sentence
    assert "address" in cluster.seen("haproxy-1") and "address" in cluster.seen("haproxy-2")
    assert violations(cluster.page, ".km") == []

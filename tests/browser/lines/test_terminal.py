"""A kubectl line on the cluster's map: it is typed at an API server, and what it prints stands below, as time runs."""

import pytest

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


def typed(desk, line):
    box = desk.root.get_by_role("textbox", name="kubectl")
    box.fill(line)
    box.press("Enter")
    desk.settle()


def test_a_line_is_typed_and_what_it_prints_stands_below(open_page, http, widget):
    desk = widget(open_page(f"{http}/first.html"))
    pane = desk.root.locator(".km-typed")
    assert pane.is_hidden()
    desk.seek(10)
    desk.select("apiserver-1")
    typed(desk, "kubectl get pods -o wide")
    assert desk.commands() == [[10, "kubectl", "get pods -o wide"]]
    desk.seek(11)
    head, first, *_ = pane.inner_text().splitlines()
    assert head == "$ kubectl get pods -o wide" and first.split()[:2] == ["NAME", "READY"]
    desk.seek(9)
    assert pane.is_hidden()  # it is not typed yet


def test_a_line_that_fails_says_why_and_one_that_watches_goes_on(open_page, http, widget):
    desk = widget(open_page(f"{http}/first.html"))
    desk.seek(2.8)
    desk.select("apiserver-1")
    typed(desk, "get pods -w")
    desk.seek(2.9)
    typed(desk, "get pod nope")
    desk.seek(15)
    text = desk.root.locator(".km-typed").inner_text()
    assert 'Error from server (NotFound): pods "nope" not found' in text
    assert text.count("ContainerCreating") >= 3 and "Running" in text  # each change, as it came

"""The chapter on elections in a browser: dials and votes from the recording, curves and a histogram that build live."""

import re

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


def test_a_dial_runs_down_while_nobody_leads_and_is_full_while_somebody_does(open_page, http, widget):
    stepper = widget(open_page(f"{http}/stepper.html"))
    dial = stepper.root.locator('.km-hit[data-name="etcd-2"]')
    stepper.seek(4)
    assert "hears the leader; timeout 1.5 s" in dial.get_attribute("aria-label")
    stepper.seek(7)
    assert "stands in 0.5 s" in dial.get_attribute("aria-label")


def test_a_split_vote_is_said_and_the_term_ends_with_nobody(open_page, http, widget):
    stepper = widget(open_page(f"{http}/stepper.html"))
    stepper.seek(7.9)
    picture = stepper.root.locator(".km-svg").first
    votes = [int(n) for n in re.findall(r"(\d) of 5 votes", picture.text_content())]
    assert votes and max(votes) <= 5 and "of 3 votes" not in picture.text_content()
    assert "split vote" in picture.text_content() and picture.locator(".km-vote").count() == 1
    terms = stepper.root.locator(".km-terms").inner_text()
    assert re.search(r"2\s+etcd-2 2 · etcd-3 1 · etcd-5 1\s+✕ nobody", terms)
    stepper.seek(10)
    assert "★ etcd-2" in stepper.root.locator(".km-terms").inner_text()
    assert "2713 ms" in stepper.root.locator(".km-hist").text_content()


@pytest.mark.pyodide
def test_elections_are_counted_live_and_other_parameters_begin_anew(open_page, http, widget):
    page = open_page(f"{http}/stepper.html")
    stepper = widget(page)
    assert stepper.root.locator(".km-sum").inner_text().startswith("3 elections")
    stepper.root.get_by_role("button", name="Run 1,000 elections").click()
    page.wait_for_function("parseInt(document.querySelector('.km-sum').textContent) > 50")
    stepper.root.get_by_role("button", name=re.compile(r"Stop \(")).click()
    stepper.root.get_by_label("PreVote").check()
    page.wait_for_function("(kubemini.models[0].get('run').header.params || {}).etcd_pre_vote === true")
    assert "elections" not in stepper.root.locator(".km-sum").inner_text()
    stepper.root.get_by_role("button", name="Copy as Python").click()
    page.wait_for_function("document.querySelector('.km-status').textContent.length > 10")


@pytest.mark.pyodide
def test_a_curve_grows_while_elections_are_counted(open_page, http, widget):
    page = open_page(f"{http}/curves.html")
    curves = widget(page).root
    curves.get_by_role("button", name=re.compile("Run 1,000")).click()
    page.wait_for_function(
        "/of (1[0-9]|[2-9][0-9])[0-9] elections/.test(document.querySelector('.km-head').textContent)"
    )


def test_the_curve_of_a_range_of_ones_own_builds_in_the_page(open_page, http, widget):
    page = open_page(f"{http}/curves.html")
    curves = widget(page).root
    assert "half of 60 elections" in curves.locator(".km-head").inner_text()
    curves.get_by_role("button", name=re.compile("Run 1,000")).click()
    page.wait_for_function("/of 1,000 elections/.test(document.querySelector('.km-head').textContent)")
    curves.get_by_label("wait at least").press("ArrowLeft")
    page.wait_for_function("document.querySelector('.km-head').textContent.startsWith('149–199 ms')")
    curves.get_by_role("button", name="Table").click()
    assert "149–199" in curves.locator(".km-table").inner_text()


def test_both_pictures_are_accessible(open_page, http, widget):
    page = open_page(f"{http}/stepper.html")
    for moment in (7, 7.9, 10):
        widget(page).seek(moment)
        assert violations(page, "html") == []
    page = open_page(f"{http}/curves.html")
    widget(page).root.get_by_role("button", name="Table").click()
    assert violations(page, "html") == []


def test_the_curves_fit_a_phone(open_page, http, widget):
    page = open_page(f"{http}/curves.html", viewport={"width": 390, "height": 800})
    widget(page).root.get_by_role("button", name="Table").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

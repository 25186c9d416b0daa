"""The policy matrix in a browser: every cell says its rule, by pointer and by keys; policies and CNI are switches."""

import pytest

from tests.browser.conftest import violations

pytestmark = pytest.mark.needs("chromium", "playwright", "npm")


@pytest.fixture
def matrix(open_page, http, widget):
    return widget(open_page(f"{http}/policies.html")).root


def text(root, part):
    return root.locator(f".km-{part}").inner_text()


def test_a_cell_tells_the_rule_of_both_sides(open_page, root, widget):
    drawn = widget(open_page(f"{root}/policies.html")).root
    assert text(drawn, "head") == "9 of 30 connections may begin" and text(drawn, "second") == "2 policies in force"
    drawn.get_by_role("button", name="probe to web: denied coming in").hover()
    assert text(drawn, "rule") == (
        "probe → web:8080 is denied. Out of probe: not isolated; into web: isolated by shop/deny-all."
    )


def test_switches_change_the_table_and_without_a_cni_nothing_is_enforced(matrix):
    for name in ("web", "api", "db"):
        matrix.get_by_role("button", name=name, exact=True).click()
    assert text(matrix, "head") == "12 of 30 connections may begin"
    matrix.get_by_role("button", name="web to api: allowed").click()
    assert "shop/web egress[0]" in text(matrix, "rule") and "shop/api ingress[0]" in text(matrix, "rule")
    matrix.get_by_role("button", name="a CNI that enforces").click()
    assert text(matrix, "head") == "30 of 30 connections may begin"
    assert "enforces none" in text(matrix, "second") and "nobody enforces policies here" in text(matrix, "rule")


def test_arrows_go_from_cell_to_cell_and_over_the_diagonal(matrix):
    first = matrix.locator(".km-cell").first
    first.focus()
    assert text(matrix, "rule").startswith("web → api")
    first.press("ArrowDown")
    assert text(matrix, "rule").startswith("db → api")
    matrix.page.keyboard.press("ArrowRight")
    assert text(matrix, "rule").startswith("db → probe")
    assert matrix.locator(".km-cell[tabindex='0']").count() == 1


def test_the_manifests_that_are_on_can_be_read(matrix):
    matrix.get_by_role("button", name="YAML").click()
    assert "name: deny-all" in text(matrix, "manifests") and "name: db" not in text(matrix, "manifests")


def test_it_is_accessible_and_fits_a_phone(open_page, http, widget):
    page = open_page(f"{http}/policies.html", viewport={"width": 390, "height": 800})
    widget(page).root.get_by_role("button", name="YAML").click()
    assert violations(page, "html") == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390

"""The built book, page by page: nothing is fetched from elsewhere, nothing fails, everybody can read it."""

import gzip
import re
from collections.abc import Iterator

import pytest

from kubemini.book.pages import Server
from tests.browser.conftest import ROOT, violations

pytestmark = pytest.mark.needs("chromium", "playwright", "axe-core", "built-book")
HTML = ROOT / "_build" / "html"
PAGES = sorted(p.relative_to(HTML).as_posix() for p in HTML.glob("chapters/*.html"))


@pytest.fixture(scope="module")
def book_http() -> Iterator[str]:
    with Server(HTML) as server:
        yield server.address


@pytest.fixture(params=["http", "file"])
def book_root(request: pytest.FixtureRequest, book_http: str) -> str:
    return book_http if request.param == "http" else HTML.as_uri()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_opens_and_every_widget_draws(open_page, book_root, page):
    opened = open_page(f"{book_root}/{page}")
    hosts = opened.locator("[data-kubemini]").count()
    assert opened.locator("[data-kubemini][data-km-mounted] .km svg").count() >= hosts
    scripts = opened.evaluate("[...document.scripts].map(s => s.src).filter(s => /kubemini|widgets/.test(s))")
    assert bool(scripts) == bool(hosts or opened.locator(".jupyter-widgets, .widget-subarea").count())


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_accessible(open_page, book_http, page, scheme):
    opened = open_page(f"{book_http}/{page}", color_scheme=scheme)
    assert violations(opened, "html") == []


def test_a_page_weighs_less_than_300_kb_before_anything_goes_live():
    weights = {}
    for page in PAGES:
        text = (HTML / page).read_bytes()
        own = {found.decode() for found in re.findall(rb'(?:src|href)="[./]*(_static/kubemini/[^"?]+)', text)}
        weights[page] = sum(len(gzip.compress(part)) for part in (text, *((HTML / one).read_bytes() for one in own)))
        assert page.startswith("chapters/introduction") or own
    assert {page: weight for page, weight in weights.items() if weight > 300_000} == {}

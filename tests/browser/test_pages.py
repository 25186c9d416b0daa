"""The built book, page by page: nothing is fetched from elsewhere, nothing fails, everybody can read it."""

import gzip
import re
from collections.abc import Iterator

import pytest

from kubemini.book.pages import Server
from tests.browser.conftest import CHAPTERS, HTML, everything_draws, violations, window

pytestmark = pytest.mark.needs("chromium", "playwright", "axe-core", "built-book")


@pytest.fixture(scope="module")
def book() -> Iterator[str]:
    with Server(HTML) as server:
        yield server.address


@pytest.fixture(scope="module", params=CHAPTERS)
def opened(request: pytest.FixtureRequest, chromium, book):
    """A page as it is served, once for all who only look at it; from disk it is opened in test_layout.py."""
    with window(chromium) as open_:
        yield open_(f"{book}/chapters/{request.param}.html")


def test_a_page_opens_and_every_widget_draws(opened):
    everything_draws(opened)


def test_a_page_is_accessible_and_dark_for_who_wants_it_so(opened):
    assert violations(opened, "html") == []
    opened.emulate_media(color_scheme="dark")
    opened.wait_for_function("document.documentElement.dataset.theme === 'dark'")


def test_a_page_weighs_less_than_300_kb_before_anything_goes_live():
    weights = {}
    for page in CHAPTERS:
        text = (HTML / "chapters" / f"{page}.html").read_bytes()
        own = {found.decode() for found in re.findall(rb'(?:src|href)="[./]*(_static/kubemini/[^"?]+)', text)}
        weights[page] = sum(len(gzip.compress(part)) for part in (text, *((HTML / one).read_bytes() for one in own)))
        assert page.startswith("introduction") or own
    assert {page: weight for page, weight in weights.items() if weight > 300_000} == {}

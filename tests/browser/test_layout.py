"""What is seen at once: on every page of the built book, opened from disk once for four sizes of window."""

from typing import NamedTuple

import pytest

from tests.browser.conftest import CHAPTERS, HTML, everything_draws, window

pytestmark = pytest.mark.needs("chromium", "playwright", "built-book")


def text(name):
    return (HTML / "chapters" / f"{name}.html").read_text(encoding="utf-8")


WITH_WIDGETS = pytest.mark.parametrize("opened", [n for n in CHAPTERS if "data-kubemini=" in text(n)], indirect=True)
WINDOWS = [(1280, 800), (1440, 900), (1920, 1080)]
PHONE = (390, 844)
PICTURES = (
    ".km-svg",
    ".km-walk",
    ".km-walk-way",
    ".km-grid-of-pods",
    ".km-req-chain",
    ".km-lane-box",
    ".km-loop",
    ".km-sched-grid",
    ".km-sched-cards",
)  # lists and tables, too
SEEN = (".km-say", ".km-svg", ".km-acts", ".km-strips", ".km-track", ".km-marks", ".km-ctl")
# (top, bottom) of each part, and of the piece of the window in which a part that scrolls by itself is seen
PLACES = """(widget, parts) => parts.flatMap((part) => {
    const found = widget.querySelector(part);
    const box = found?.getBoundingClientRect();
    if (!box?.height) return [];
    const side = found.closest(".km-side")?.getBoundingClientRect();
    return [[part, box.top, box.bottom, side ? side.top : 0, side ? side.bottom : innerHeight]];
})"""
RESTING = "() => new Promise((ready) => requestAnimationFrame(() => requestAnimationFrame(ready)))"
AFTER = (".km-gate", ".km-side", ".km-bar", ".km-walk-beside")  # what stands below the picture on a phone
THIN = (
    ".km-election-curves, .km-connection-balance, .km-policy-matrix, .km-packet-walk, .km-dns-walk, .km-url-rules, "
    ".km-request-tracer, .km-swim-lane, .km-failure-stopwatch, .km-scheduler-table"
)  # there is no wide layout of these


class Look(NamedTuple):
    """A widget in a window, scrolled to where a link to it leads."""

    where: str
    size: tuple[int, int]
    bar: float  # the lower end of the page's own bar
    across: int  # how wide the page is
    thin: bool  # where it could be wide
    places: list


def size(page, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.evaluate(RESTING)


def look(page, number, width, height, answered):
    drawn = page.locator(".km").nth(number)
    drawn.evaluate("e => e.scrollIntoView({block: 'start'})")
    bar = page.locator(".bd-header-article").bounding_box()
    return Look(
        f"widget {number}, {'answered' if answered else 'fresh'}, {width} wide",
        (width, height),
        bar["y"] + bar["height"],
        page.evaluate("document.documentElement.scrollWidth"),
        drawn.evaluate("(e, thin) => e.classList.contains('km-thin') && !e.matches(thin)", THIN),
        drawn.evaluate(PLACES, list(dict.fromkeys((*SEEN, *PICTURES, *AFTER)))),
    )


def answer(page):
    """Answer every question; the numbers of the widgets that asked one."""
    drawn = page.locator(".km").all()
    asking = [number for number, one in enumerate(drawn) if one.locator(".km-gate form").count()]
    for number in asking:
        drawn[number].locator(".km-gate input[type=radio]").first.check()
        drawn[number].get_by_role("button", name="Lock in").click()
    return asking


@pytest.fixture(scope="module", params=CHAPTERS)
def opened(request: pytest.FixtureRequest, chromium):
    """A page, once for all who only look at it; on a phone first, whose window never had another size."""
    address = (HTML / "chapters" / f"{request.param}.html").as_uri()
    with window(chromium) as open_:
        yield open_(address, viewport={"width": PHONE[0], "height": PHONE[1]})


@pytest.fixture(scope="module")
def looks(opened):
    """Every widget of the page in every window, before and after its question is answered."""
    found = []
    for answered in (False, True):
        numbers = answer(opened) if answered else range(opened.locator(".km").count())
        for width, height in (PHONE, *WINDOWS) if numbers else ():
            size(opened, width, height)
            found += [look(opened, number, width, height, answered) for number in numbers]
    return found


def test_a_page_opens_from_disk_and_every_widget_draws(opened):
    everything_draws(opened)


@WITH_WIDGETS
def test_sentence_picture_deeds_strips_and_time_are_seen_at_once(looks):
    hidden = []
    for seen in [seen for seen in looks if seen.size in WINDOWS]:
        for part, top, bottom, above, below in seen.places:
            if part in SEEN and (top < seen.bar or bottom > seen.size[1] or top < above or bottom > below):
                hidden.append(f"{seen.where}: {part} {top:.0f} to {bottom:.0f}, seen from {above:.0f} to {below:.0f}")
        assert not seen.thin, "the wide layout is not reached"
    assert looks and hidden == []


@WITH_WIDGETS
def test_on_a_phone_nothing_scrolls_sideways_and_the_picture_comes_first(looks):
    for seen in [seen for seen in looks if seen.size == PHONE]:
        assert seen.across <= PHONE[0], seen.where
        tops = {part: top for part, top, *_ in seen.places}
        (picture,) = [tops[part] for part in PICTURES if part in tops]
        assert tops[".km-say"] < picture < min(tops[part] for part in AFTER if part in tops), seen.where
        assert picture < PHONE[1] / 2, seen.where


@WITH_WIDGETS
def test_a_line_of_prose_has_seventy_characters_or_so(opened):
    size(opened, 1920, 1080)
    longest = opened.evaluate(
        """() => Math.max(...[...document.querySelectorAll(".bd-article section > p:not(.km p)")].map((p) => {
            const style = getComputedStyle(p), pen = document.createElement("canvas").getContext("2d");
            pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
            const sample = "The quick brown fox jumps over the lazy dog and finds its way home. ";
            return p.clientWidth / (pen.measureText(sample).width / sample.length);
        }))"""
    )
    assert 62 <= longest <= 76


LETTERS_A_LINE = """() => [...document.querySelectorAll("article td code")].flatMap((code) => {
    const range = document.createRange();
    range.selectNodeContents(code);
    const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size;
    return code.textContent.length / lines < 4 && lines > 1 ? [code.textContent] : [];
})"""


@pytest.mark.parametrize("opened", ["evidence"], indirect=True)
def test_on_a_phone_a_path_in_a_table_is_not_broken_letter_by_letter(opened):
    size(opened, *PHONE)
    assert opened.evaluate(LETTERS_A_LINE) == []


@pytest.mark.parametrize("opened", ["door", "election", "kubectl", "quorum"], indirect=True)
def test_and_a_table_that_fits_is_not_made_to_scroll_for_it(opened):
    size(opened, *PHONE)
    wide = "() => [...document.querySelectorAll('article .pst-scrollable-table-container')]"
    found = opened.evaluate(f"{wide}.filter((one) => one.scrollWidth > one.clientWidth + 1).length")
    assert found == 0 and opened.locator("article table:not(.cell_output *)").count() > 0

"""What is seen at once: on every page of the built book, at four sizes of window."""

import pytest

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.needs("chromium", "playwright", "built-book")
HTML = ROOT / "_build" / "html"
PAGES = sorted(path for path in HTML.glob("chapters/*.html") if "data-kubemini=" in path.read_text(encoding="utf-8"))
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


def widgets(page, *sizes):
    """Every widget of the page in windows of *sizes*, scrolled to where a link to it leads, before and after its
    question is answered."""
    for number in range(page.locator(".km").count()):
        drawn = page.locator(".km").nth(number)
        for answered in (False, True):
            if answered and not drawn.locator(".km-gate form").count():
                continue
            if answered:
                drawn.locator(".km-gate input[type=radio]").first.check()
                drawn.get_by_role("button", name="Lock in").click()
            for width, height in sizes:
                page.set_viewport_size({"width": width, "height": height})
                page.evaluate(RESTING)
                drawn.evaluate("e => e.scrollIntoView({block: 'start'})")
                yield f"widget {number}, {'answered' if answered else 'fresh'}, {width} wide", height, drawn


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_sentence_picture_deeds_strips_and_time_are_seen_at_once(open_page, path):
    page = open_page(path.as_uri(), viewport={"width": WINDOWS[0][0], "height": WINDOWS[0][1]})
    hidden = []
    for where, height, drawn in widgets(page, *WINDOWS):
        bar = page.locator(".bd-header-article").bounding_box()
        for part, top, bottom, above, below in drawn.evaluate(PLACES, SEEN):
            if top < bar["y"] + bar["height"] or bottom > height or top < above or bottom > below:
                hidden.append(f"{where}: {part} from {top:.0f} to {bottom:.0f}, seen from {above:.0f} to {below:.0f}")
        thin = ".km-election-curves, .km-connection-balance, .km-policy-matrix, .km-packet-walk, .km-dns-walk"
        thin += ", .km-url-rules, .km-request-tracer, .km-swim-lane, .km-failure-stopwatch, .km-scheduler-table"
        if not drawn.evaluate("(e, thin) => e.matches(thin)", thin):
            assert not drawn.evaluate("e => e.classList.contains('km-thin')"), "the wide layout is not reached"
    assert hidden == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_on_a_phone_nothing_scrolls_sideways_and_the_picture_comes_first(open_page, path):
    width, height = PHONE
    page = open_page(path.as_uri(), viewport={"width": width, "height": height})
    for where, _, drawn in widgets(page, PHONE):
        assert page.evaluate("document.documentElement.scrollWidth") <= width, where
        after = (".km-gate", ".km-side", ".km-bar", ".km-walk-beside")
        tops = {part: top for part, top, *_ in drawn.evaluate(PLACES, [".km-say", *PICTURES, *after])}
        (picture,) = [tops[part] for part in PICTURES if part in tops]
        assert tops[".km-say"] < picture < min(tops[part] for part in after if part in tops), where
        assert picture < height / 2, where


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_line_of_prose_has_seventy_characters_or_so(open_page, path):
    page = open_page(path.as_uri(), viewport={"width": 1920, "height": 1080})
    longest = page.evaluate(
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


def test_on_a_phone_a_path_in_a_table_is_not_broken_letter_by_letter(open_page):
    page = open_page((HTML / "chapters" / "evidence.html").as_uri(), viewport={"width": PHONE[0], "height": PHONE[1]})
    assert page.evaluate(LETTERS_A_LINE) == []


@pytest.mark.parametrize("name", ["door", "election", "kubectl", "quorum"])
def test_and_a_table_that_fits_is_not_made_to_scroll_for_it(open_page, name):
    page = open_page((HTML / "chapters" / f"{name}.html").as_uri(), viewport={"width": PHONE[0], "height": PHONE[1]})
    wide = "() => [...document.querySelectorAll('article .pst-scrollable-table-container')]"
    found = page.evaluate(f"{wide}.filter((one) => one.scrollWidth > one.clientWidth + 1).length")
    assert found == 0 and page.locator("article table:not(.cell_output *)").count() > 0

"""A browser, and pages to open in it: over http and from disk, with every request elsewhere refused.

The pages of `site` are made from the same parts as the book's, one recording each, so that what a widget does is tested
without waiting for a chapter (`tests.browser.site.pages`); their simulator is this process's Python, unless the test is
marked `pyodide` (`native`). The built book itself is opened in test_pages.py and test_layout.py.
"""

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubemini.book.pages import Server
from tests.browser.site.native import stand_in
from tests.browser.site.pages import Site

ROOT = Path(__file__).resolve().parents[2]
HTML = ROOT / "_build" / "html"
CHAPTERS = sorted(path.stem for path in HTML.glob("chapters/*.html"))
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 180_000  # ms, for whatever will come for certain: the machine may be busy
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
BROWSER += ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"]
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "ws://localhost", "file:", "data:", "blob:")
THEIRS = "/static/notebook/notebook_core."  # Notebook 7 stumbles over one of its own settings


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Site:
    """Pages of one widget each, the same for all workers of a run."""
    folder = tmp_path_factory.getbasetemp()
    return Site((folder.parent if hasattr(request.config, "workerinput") else folder) / "site", ROOT / "node_modules")


@pytest.fixture(scope="session")
def http(site: Site) -> Iterator[str]:
    with Server(site.folder) as server:
        yield server.address


@pytest.fixture(params=["http", "file"])
def root(request: pytest.FixtureRequest, site: Site, http: str) -> str:
    """The site's address, once as served and once from disk."""
    return http if request.param == "http" else site.folder.as_uri()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=BROWSER)
        yield browser
        browser.close()


@contextlib.contextmanager
def window(chromium) -> Iterator[Callable]:
    """`open_(address, **context)`, where what is *lost* never arrives; in the end nothing must have gone wrong."""
    wrong: list[str] = []
    contexts = []

    def open_(address: str, lost: str | None = None, prepare: Callable | None = None, **options):
        unsettled: list[str] = []
        context = chromium.new_context(**{"viewport": {"width": 1100, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        if lost:
            page.route(lambda url: lost in url, lambda route: route.abort())
        page.on("request", lambda r: r.url.startswith(LOCAL) or wrong.append(f"asks another host: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status} {r.url}"))
        page.on("pageerror", lambda e: THEIRS in (e.stack or "") or wrong.append(f"page error: {e}"))
        page.on("requestfailed", lambda r: lost or unsettled.append(f"{r.failure} {r.url}"))
        if prepare:
            prepare(page)
        page.goto(address)
        if unsettled:  # a busy machine, on which tests beside make and remove interfaces, has lost a file: once more
            print("\n".join(unsettled))
            wrong.clear()
            page.reload()
        return page

    yield open_
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture
def open_page(chromium, request: pytest.FixtureRequest):
    """`open_page(address, **context)`, as a `window` does it; a page of the site is made when it is first opened."""
    site = request.getfixturevalue("site") if "site" in request.fixturenames else None
    native = site and not request.node.get_closest_marker("pyodide")

    def prepare(page) -> None:
        page.add_init_script(f"window.kubeminiHang = {PATIENCE}")  # a slow machine is no simulation that runs away
        if native:
            stand_in(page)

    with window(chromium) as open_:

        def open_made(address: str, **options):
            if site:
                site.needs(address)
            return open_(address, prepare=prepare, **options)

        yield open_made


def everything_draws(page) -> None:
    """Every widget of a page of the book draws; where there is none, no script for it is loaded."""
    hosts = page.locator("[data-kubemini]").count()
    assert page.locator("[data-kubemini][data-km-mounted] .km svg").count() >= hosts
    scripts = page.evaluate("[...document.scripts].map(s => s.src).filter(s => /kubemini|widgets/.test(s))")
    assert bool(scripts) == bool(hosts or page.locator(".jupyter-widgets, .widget-subarea").count())


def unpacked(columns: dict) -> list[list]:
    """The records of a recording as rows (at, who, what, detail); instants stay distances."""
    names, fields = columns["names"], columns["fields"]
    rows, next_of, at = [], Counter(), 0
    for step, who, what in zip(columns["at"], columns["who"], columns["what"], strict=True):
        at, word = at + step, names[what]
        detail = {name: column[next_of[word]] for name, column in fields[word].items()}
        rows.append([at, names[who], word, detail])
        next_of[word] += 1
    return rows


class Widget:
    """One widget of a page, as a reader handles it."""

    def __init__(self, page, number: int = 0):
        self.page, self.root = page, page.locator(".km").nth(number)
        self.root.wait_for()

    def seek(self, seconds: float) -> None:
        self.root.locator(".km-range").fill(str(round(seconds * 1e6)))

    def predict(self) -> None:
        """Answer the question, where one is asked."""
        if self.root.locator(".km-gate form").count():
            self.root.locator(".km-gate input[type=radio]").first.check()
            self.root.get_by_role("button", name="Lock in").click()

    @property
    def time(self) -> float:
        return float(self.root.get_attribute("data-t"))

    @property
    def sentence(self) -> str:
        return self.root.locator(".km-now-line").inner_text()

    @property
    def second(self) -> str:
        return self.root.locator(".km-second").inner_text()

    @property
    def happened(self) -> str:
        return self.root.locator(".km-log").inner_text()

    @property
    def status(self) -> str:
        return self.root.locator(".km-status").inner_text()

    @property
    def kernel(self) -> str:
        return self.root.get_attribute("data-kernel")

    def select(self, name: str) -> None:
        self.root.locator(f'[data-name="{name}"]').click()

    def press(self, action: str) -> None:
        """A button of the inspector, by what it does."""
        self.root.locator(f'[data-action="{action}"]').first.click()

    def deed(self, name: str) -> None:
        """A button of the widget, by its words; wait for the new run."""
        self.root.get_by_role("button", name=name, exact=True).click()
        self.settle()

    def line(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Draw a line over the picture with the mouse; points are shares of its width and height. Nothing is let go."""
        picture = self.root.locator(".km-svg")
        picture.evaluate("e => e.scrollIntoView({block: 'center'})")
        box = picture.bounding_box()
        (x, y), *rest = [(box["x"] + box["width"] * a, box["y"] + box["height"] * b) for a, b in (start, end)]
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for to in rest:
            self.page.mouse.move(*to, steps=5)

    @property
    def way(self) -> str:
        """What the bar below the picture says of a line."""
        return self.root.locator(".km-cutbar > span").inner_text()

    def commands(self) -> list[list]:
        """What the reader did."""
        return self.page.evaluate("kubemini.models[0].get('run').header.commands") or []

    def records(self, what: str) -> list[list]:
        """[at, who, detail] of each record of the run with this word."""
        rows = unpacked(self.page.evaluate("kubemini.models[0].get('run').records"))
        return [[at, who, detail] for at, who, word, detail in rows if word == what]

    def seen(self, name: str) -> str:
        """What a screen reader says of a component."""
        return self.root.locator(f'[data-name="{name}"]').get_attribute("aria-label")

    def settle(self, kernel: str = "pyodide") -> None:
        """Wait until the simulator has answered."""
        self.page.wait_for_function(
            "([e, k]) => e.dataset.kernel === k && e.dataset.busy === undefined",
            arg=[self.root.element_handle(), kernel],
            polling=50,
        )

    def do(self, name: str, action: str, kernel: str = "pyodide") -> None:
        """Select *name*, press *action*, wait for the new run."""
        self.select(name)
        self.press(action)
        self.settle(kernel)


@pytest.fixture
def widget():
    return Widget


# A page turns dark after it has been told to, and its colours take a moment: half-way there is no contrast to judge.
SETTLED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    const changing = () => document.getAnimations().filter((a) => a instanceof CSSTransition);
    do {
        changing().forEach((a) => a.finish());
        await frame();
        await frame();
    } while (changing().length);
}"""
SEEN = "() => [...document.querySelectorAll('body *')].map((e) => e.checkVisibility())"
JUDGED = "([scope, some]) => axe.run(scope, {resultTypes: ['violations'], preload: false, ...some})"
COLOURS = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}


def violations(page, scope: str) -> list[str]:
    """What axe-core finds within *scope* in light, and in dark, where the same is seen in other colours."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=str(AXE))
    found, seen = [], []
    for scheme, rules in (("dark", COLOURS), ("light", {})):
        page.emulate_media(color_scheme=scheme)
        page.evaluate(SETTLED)
        seen.append(page.evaluate(SEEN))
        judged = page.evaluate(JUDGED, [scope, rules])["violations"]
        found += [f"{scheme}, {v['id']}: {v['help']}: {n['html'][:160]}" for v in judged for n in v["nodes"]]
    return found if seen[0] == seen[1] else [*found, "in dark something else is seen than in light"]

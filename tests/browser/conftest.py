"""A browser, and pages to open in it: over http and from disk, with every request elsewhere refused.

The pages of `site` are made here from the same parts as the book's (`kubemini.book`), one recording each, so that
what a widget does is tested without waiting for a chapter. The built book itself is opened in test_pages.py.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubemini.book import sphinx, vendor
from kubemini.book.pages import Server

ROOT = Path(__file__).resolve().parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 180_000  # ms, for whatever will come for certain: the machine may be busy
BROWSER = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
LOCAL = ("http://127.0.0.1", "http://localhost", "ws://127.0.0.1", "ws://localhost", "file:", "data:", "blob:")
THEIRS = "/static/notebook/notebook_core."  # Notebook 7 stumbles over one of its own settings
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<link rel="stylesheet" href="kubemini/widget.css">
<style>@media (prefers-color-scheme: dark) {{ body {{ background: #14181e; color: #ddd }} }}</style>
<script>{inline}</script>{scripts}</head><body><main><h1>{title}</h1>
{widget}</main></body></html>"""
MINE = {"name": "mine", "title": "Mine", "topology": {"kind": "etcd", "members": 3}, "until": "9s"}
PREDICT = {
    "question": "Two of three members crash. What happens to writes?",
    "choices": ["they go on", "they stand still"],
    "answer": 1,
    "explain": "A write needs two of three members.",
}


def pages():
    """The recordings, by the name of their page."""
    from kubemini.lab.ingress.shop import ASKED, ROUTES, SHOP
    from kubemini.lab.policy.tiers import TIERS
    from kubemini.scenarios import load
    from kubemini.study.elections import Setting, elections
    from kubemini.widgets.jupyter import (
        show,
        show_balance,
        show_elections,
        show_lookups,
        show_policies,
        show_request,
        show_rules,
        show_walk,
    )
    from kubemini.widgets.lanes import show_lanes
    from kubemini.widgets.placement import show_scheduler
    from kubemini.widgets.stopwatch import show_stopwatch

    return {
        "desk": lambda: show("etcd-3", caption="Three members."),
        "predict": lambda: show("etcd-3", predict=PREDICT),
        "members": lambda: show("members"),
        "full": lambda: show("nospace"),
        "five": lambda: show("etcd-5", widget="cluster-map"),
        "mine": lambda: show(load(MINE)),
        "ring": lambda: show("etcd-5"),
        "map": lambda: show("quorum"),
        "asked": lambda: show("quorum", predict=PREDICT),
        "first": lambda: show("first"),
        "hangs": lambda: show("door", widget="connections"),
        "loop": lambda: show("controllers", widget="reconcile-loop", caption="One controller."),
        "pair": lambda: show("two-balancers", widget="connections"),
        "rolls": lambda: show("rollouts", widget="rollout-strip", id="rolls"),
        "balancers": lambda: show("two-balancers"),
        "external": lambda: show("external"),
        "stepper": lambda: show("split-vote", widget="raft-stepper", elections=[900, 1100, 1200]),
        "walk": lambda: show_walk(caption="Two nodes, four pods."),
        "lookups": lambda: show_lookups(caption="One lookup."),
        "balance": lambda: show_balance(caption="Ten pods."),
        "policies": lambda: show_policies(TIERS, caption="Three tiers.", on=["deny-all", "names"]),
        "urls": lambda: show_rules(f"{SHOP}---{ROUTES}", ASKED, caption="One shop, two APIs."),
        "stopwatch": lambda: show_stopwatch(caption="When is a pod replaced?"),
        "request": lambda: show_request(caption="Predict first."),
        "lanes": lambda: show_lanes("scale deployment web --replicas 3", caption="In slow motion."),
        "table": lambda: show_scheduler(caption="Which node, and why?"),
        "curves": lambda: show_elections({ends: elections(Setting(ends), 60) for ends in ((150, 155), (150, 300))}),
    }


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pages, one widget each."""
    folder = tmp_path_factory.mktemp("site")
    build = vendor.vendor(folder, ROOT / "node_modules")
    for name, recording in pages().items():
        widget = recording()
        files = (widget.picture, "host")
        scripts = "".join(f'<script defer src="kubemini/{file}.js"></script>' for file in files)
        text = PAGE.format(title=name, inline=sphinx.inline(build), scripts=scripts, widget=widget.static_html())
        (folder / f"{name}.html").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def http(site: Path) -> Iterator[str]:
    with Server(site) as server:
        yield server.address


@pytest.fixture(params=["http", "file"])
def root(request: pytest.FixtureRequest, site: Path, http: str) -> str:
    """The site's address, once as served and once from disk."""
    return http if request.param == "http" else site.as_uri()


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=BROWSER)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """`open_page(address, **context)`, where what is *lost* never arrives; in the end nothing must have gone wrong."""
    wrong: list[str] = []
    unsettled: list[str] = []
    contexts = []

    def open_(address: str, lost: str | None = None, **options):
        context = chromium.new_context(**{"viewport": {"width": 1100, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
        if lost:
            page.route(lambda url: lost in url, lambda route: route.abort())
        page.on("request", lambda r: r.url.startswith(LOCAL) or wrong.append(f"asks another host: {r.url}"))
        page.on("response", lambda r: r.status >= 400 and wrong.append(f"{r.status} {r.url}"))
        page.on("pageerror", lambda e: THEIRS in (e.stack or "") or wrong.append(f"page error: {e}"))
        page.on("requestfailed", lambda r: lost or unsettled.append(f"{r.failure} {r.url}"))
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
        )

    def do(self, name: str, action: str, kernel: str = "pyodide") -> None:
        """Select *name*, press *action*, wait for the new run."""
        self.select(name)
        self.press(action)
        self.settle(kernel)


@pytest.fixture
def widget():
    return Widget


# The theme turns dark after the page has loaded, and its colours take a moment: half-way there is no contrast to judge.
SETTLED = """async () => {
    const frame = () => new Promise(requestAnimationFrame);
    do { await frame(); await frame(); } while (document.getAnimations().some((a) => a instanceof CSSTransition));
}"""


def violations(page, scope: str) -> list[str]:
    """What axe-core finds within *scope*, once no colour is on its way to another."""
    page.evaluate(SETTLED)
    page.add_script_tag(path=str(AXE))
    found = page.evaluate("scope => axe.run(scope, {resultTypes: ['violations']})", scope)["violations"]
    return [f"{v['id']}: {v['help']}: {n['html'][:160]}" for v in found for n in v["nodes"]]

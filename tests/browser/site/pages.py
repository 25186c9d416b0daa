"""Pages of one widget each, made of the same parts as the book's (`kubemini.book`) but with recordings of their own.

A page is made when it is first asked for, once for all processes that test side by side.
"""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from kubemini.book import sphinx, vendor

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


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """The only process here that makes *path*; the others wait, and find it made."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Site:
    """The pages in *folder*, which other processes use as well."""

    def __init__(self, folder: Path, npm: Path):
        self.folder, self.widgets = folder, pages()
        with alone(folder):
            self.build = vendor.vendor(folder, npm)

    def page(self, name: str) -> str:
        """The text of a page, which stands in the folder from now on."""
        path = self.folder / f"{name}.html"
        with alone(path):
            if not path.exists():
                part = path.with_suffix(".part")
                part.write_text(self._text(name), encoding="utf-8")
                part.rename(path)
        return path.read_text(encoding="utf-8")

    def needs(self, address: str) -> None:
        """Make the page at *address*."""
        self.page(Path(urlsplit(address).path).stem)

    def _text(self, name: str) -> str:
        widget = self.widgets[name]()
        scripts = "".join(f'<script defer src="kubemini/{file}.js"></script>' for file in (widget.picture, "host"))
        return PAGE.format(title=name, inline=sphinx.inline(self.build), scripts=scripts, widget=widget.static_html())

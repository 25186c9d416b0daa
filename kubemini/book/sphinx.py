"""The book's Sphinx extension: everything a page needs stands beside it, and a page without a widget loads none of it.

It cures what Jupyter Book 1 does to an offline book: CDN addresses, a page error of sphinx-thebe, stale execution
caches, static files that are not copied, and what axe-core objects to. `vendor` writes what it serves.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging

from kubemini.book import icons
from kubemini.book.directives import DIRECTIVES
from kubemini.book.vendor import PACKAGE, digest, vendor
from kubemini.widgets.base import FOR_PAGES
from kubemini.widgets.modules import STATIC, WIDGETS

logger = logging.getLogger(__name__)
VIEW = "application/vnd.jupyter.widget-view+json"
# The theme's bar across the top holds nothing but the search that the sidebar has too.
NO_BAR = "<style>:root { --pst-header-height: 0px } .bd-header { display: none !important }</style>"
ICON = (  # every browser asks for one
    '<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E'
    "%3Crect width=%2216%22 height=%2216%22 rx=%225%22 fill=%22%230b66a8%22/%3E%3Cpath fill=%22%23fff%22 d=%22M8 2l1.8"
    ' 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z%22/%3E%3C/svg%3E">'
)


def home(app: Sphinx) -> Path:
    """The folder of _config.yml."""
    return Path(app.confdir or app.srcdir).resolve()


def configure(app: Sphinx, config: Any) -> None:
    """Settings that make the book work offline and never show a stale result."""
    paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # kernels run in chapters/
    os.environ[FOR_PAGES] = "1"  # and what they show carries its recording
    out = home(app) / "_build" / "kubemini_static"
    config.kubemini_build = vendor(out, home(app) / config.kubemini_npm)
    if not config.kubemini_build["live"]:
        logger.info("kubemini: live mode is off, recordings play: there is no node_modules/pyodide (run: npm ci)")
    config.html_static_path.append(str(out))
    if config.nb_execution_mode == "cache":  # the cache knows notebooks only: another simulator, another cache
        code = digest("*.py") + digest("*.yaml")
        config.nb_execution_cache_path = str(home(app) / "_build" / ".jupyter_cache" / code)
    config.nb_mime_priority_overrides = [*config.nb_mime_priority_overrides, ("html", "text/html", 5)]
    scripts = ("require.js", "embed-amd.js", "anywidget-amd.js") if (out / "widgets").exists() else ()
    config.nb_ipywidgets_js = {f"widgets/{name}": {} for name in scripts}


def execute_side_by_side(app: Sphinx, env: BuildEnvironment, pages: list[str]) -> None:
    """Run notebooks that the cache does not know in as many processes as there are cores; MyST-NB has one.

    What fails does not get into the cache: MyST-NB runs it again, and says what failed.
    """
    notebooks = [path for path in (str(env.doc2path(page)) for page in pages) if path.endswith(".ipynb")]
    if app.config.nb_execution_mode == "cache" and notebooks:
        cache = get_cache(app.config.nb_execution_cache_path)
        for path in notebooks:
            cache.add_nb_to_project(path)
        executor = load_executor("local-parallel", cache)
        executor.run_and_cache(filter_uris=notebooks, timeout=app.config.nb_execution_timeout)


def without_thebe(app: Sphinx) -> None:
    """sphinx-thebe, always loaded by Jupyter Book 1, puts a CDN address and a page error on every page."""
    unwanted = ("init_thebe_core", "update_thebe_context")
    for event, listeners in app.events.listeners.items():
        app.events.listeners[event] = [
            x
            for x in listeners
            if getattr(x.handler, "__module__", "") != "sphinx_thebe" or x.handler.__name__ not in unwanted
        ]


REPAIRS = (  # what the theme and MyST-NB write that axe-core objects to
    (r'<summary aria-label="Toggle hidden content">', "<summary>"),  # its visible text says more
    (r'(<button class="btn search-button[^>]*?) aria-label="Search"', r"\1"),  # so does this one's: the key
    (r'(<i class="theme-switch [^>]*?)\s+title="[^"]*"', r"\1"),  # read out beside the button's own name
    (r'<div id="pst-primary-sidebar"(?! role)', '<div id="pst-primary-sidebar" role="region" aria-label="Contents"'),
    (r'(<div class="cell_output docutils container")(?=>\s*<img)', r'\1 tabindex="0"'),  # a figure may scroll
    (r'<th class="head"><p></p></th>', "<td></td>"),  # an empty corner heads nothing
)


def repair(app: Sphinx, error: Exception | None) -> None:
    """Make the written pages accessible."""
    if error is None and app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            before = after = page.read_text(encoding="utf-8")
            for wrong, right in REPAIRS:
                after = re.sub(wrong, right, after)
            if after != before:
                page.write_text(after, encoding="utf-8")


def copy_static(app: Sphinx, error: Exception | None = None) -> None:
    """Sphinx copies static files only when a page changed; before the pages, so that their checksums are true."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static"
        shutil.copytree(home(app) / "_build" / "kubemini_static", target, dirs_exist_ok=True)
        (Path(app.outdir) / ".nojekyll").touch()  # GitHub Pages drops folders that begin with _


def fewer_icons(app: Sphinx, error: Exception | None) -> None:
    """The theme's icon script weighs more than a chapter; keep the icons that are shown."""
    if error is None and app.builder.format == "html":
        icons.thin_out(Path(app.outdir))


def page_context(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Give a page what its widgets need, and take from it what it does not need."""
    body = context.get("body") or ""
    context["metatags"] = context.get("metatags", "") + ICON + NO_BAR
    app.add_css_file("kubemini/page.css")
    if 'class="km-' in body:  # a question or a checker's answer needs it too
        app.add_css_file("kubemini/widget.css")
    used = [widget for widget in WIDGETS if f'data-kubemini="{widget}"' in body]
    if used:
        app.add_js_file(None, body=inline(app.config.kubemini_build))
        for name in (*used, "host"):
            app.add_js_file(f"kubemini/{name}.js", loading_method="defer")
    scripts = getattr(app.env, "nb_metadata", {}).get(pagename, {}).get("js_files", {})
    for key in [key for key in scripts if key.startswith("ipywidgets") and VIEW not in body]:
        del scripts[key]  # 4 MB of html-manager, for a page that has no plain ipywidget


def inline(build: dict[str, Any]) -> str:
    """The script that stands in the page itself: what the build is, and what is said if another does not arrive."""
    guard = (STATIC / "guard.js").read_text(encoding="utf-8")
    return f"window.kubeminiBuild = {json.dumps(build)};\n{guard}"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_config_value("kubemini_npm", "node_modules", "env")
    app.add_config_value("kubemini_build", {}, "html")
    app.connect("config-inited", configure, priority=900)
    app.connect("builder-inited", without_thebe)
    app.connect("builder-inited", copy_static)
    app.connect("env-before-read-docs", execute_side_by_side)
    app.connect("html-page-context", page_context, priority=400)
    app.connect("build-finished", copy_static)
    app.connect("build-finished", fewer_icons)
    app.connect("build-finished", repair)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

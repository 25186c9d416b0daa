"""The book's Sphinx extension: everything a page needs stands beside it, and a page without a widget loads none of it.

`vendor` writes `_build/kubemini_static`: the widgets as classic scripts, the page's host, the simulator as an archive,
Pyodide from npm, and the host of plain ipywidgets. The rest cures what Jupyter Book 1 does to an offline book: CDN
addresses, a page error of sphinx-thebe, stale execution caches, static files that are not copied.
Without node_modules/pyodide the book is built with live mode off: recordings play, nothing can be broken.
"""

import base64
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import simpy
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

import kubemini
from kubemini.view import appendix, icons
from kubemini.view.widgets import FOR_PAGES

logger = logging.getLogger(__name__)
PACKAGE = Path(kubemini.__file__).parent
STATIC = PACKAGE / "view" / "static"
WIDGETS = ("cluster-map", "etcd-desk", "raft-stepper", "election-curves")
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LEFT_OUT = ("lab", "check", "serve", "bench", "__main__.py")  # nothing that a widget asks for
VIEW_CORE = ("__init__.py", "columns.py", "requests.py", "scene.py", "state.py", "story.py", "words.py")
VIEW = "application/vnd.jupyter.widget-view+json"
# The theme's bar across the top holds nothing but the search that the sidebar has too.
NO_BAR = "<style>:root { --pst-header-height: 0px } .bd-header { display: none !important }</style>"
ICON = (  # every browser asks for one
    '<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns=%22http://www.w3.org/2000/svg%22 viewBox=%220 0 16 16%22%3E'
    "%3Crect width=%2216%22 height=%2216%22 rx=%225%22 fill=%22%230b66a8%22/%3E%3Cpath fill=%22%23fff%22 d=%22M8 2l1.8"
    ' 3.9 4.2.5-3.1 2.9.8 4.2L8 11.4l-3.7 2.1.8-4.2L2 6.4l4.2-.5z%22/%3E%3C/svg%3E">'
)
EPOCH = (2026, 1, 1, 0, 0, 0)  # of every file in the archive, so that equal sources give equal bytes


# -- what the pages load ---------------------------------------------------------------------------------------------
def digest(pattern: str = "*") -> str:
    """A short fingerprint of the package's own files; changes exactly when one of them does."""
    summed = hashlib.sha256()
    for path in sorted(PACKAGE.rglob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            summed.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return summed.hexdigest()[:12]


def classic(widget: str) -> str:
    """A widget's module as a classic script: modules do not load from file://."""
    source, export = (STATIC / f"{widget}.js").read_text(encoding="utf-8"), "export default { render };"
    assert source.count("export ") == 1 and export in source, f"{widget}.js must end in {export!r}"
    body = source.replace(export, f'(window.kubeminiWidgets ||= {{}})["{widget}"] = {{ render }};')
    common = (STATIC / "common.js").read_text(encoding="utf-8")
    return "(() => {\n" + common + body + "})();\n"


def archive() -> bytes:
    """simpy and kubemini as the browser unpacks them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as zipped:

        def add(name: str, data: bytes) -> None:
            zipped.writestr(zipfile.ZipInfo(name, EPOCH), data, zipfile.ZIP_DEFLATED)

        for path in sorted(Path(simpy.__file__).parent.rglob("*.py")):
            add(f"simpy/{path.relative_to(Path(simpy.__file__).parent).as_posix()}", path.read_bytes())
        for path in sorted(PACKAGE.rglob("*.py")):
            inside = path.relative_to(PACKAGE)
            if inside.parts[0] not in LEFT_OUT and (inside.parts[0] != "view" or path.name in VIEW_CORE):
                add(f"kubemini/{inside.as_posix()}", path.read_bytes())
        for path in sorted((PACKAGE / "api" / "schema").glob("*.txt")):
            add(f"kubemini/api/schema/{path.name}", path.read_bytes())
        for name, data in scenarios().items():
            add(f"kubemini/scenarios/{name}.json", data)
    return out.getvalue()


def scenarios() -> dict[str, bytes]:
    """The scenarios and their schema as JSON: there is no YAML in the browser."""
    import yaml

    folder = PACKAGE / "scenarios"
    found = {"schema": (folder / "schema.json").read_bytes()}
    for path in sorted(folder.glob("*.yaml")):
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "manifests" in data:
            data["manifests"] = json.dumps([d for d in yaml.safe_load_all(data["manifests"]) if d is not None])
        found[path.stem] = json.dumps(data).encode()
    return found


def packed(data: bytes) -> str:
    """gzip in base64, the same bytes every time."""
    return base64.b64encode(gzip.compress(data, 9, mtime=0)).decode()


def vendor(out: Path, npm: Path) -> dict[str, Any]:
    """Write everything into *out*; returns what the pages are told: {live, version, pyodide, size}."""
    stamp, runtime = out / "build.json", npm / "pyodide"
    version = json.loads((runtime / "package.json").read_text())["version"] if runtime.exists() else ""
    inputs = {"digest": digest(), "pyodide": version, "npm": sorted(p.name for p in npm.glob("*"))}
    if stamp.exists() and (before := json.loads(stamp.read_text()))["inputs"] == inputs:
        return before["build"]
    shutil.rmtree(out, ignore_errors=True)
    folder = out / "kubemini"
    folder.mkdir(parents=True)
    for widget in WIDGETS:
        (folder / f"{widget}.js").write_text(classic(widget), encoding="utf-8")
    for name in ("page.css", "widget.css", "host.js", "worker.js"):
        shutil.copy(STATIC / name, folder / name)
    (folder / "kubemini.zip").write_bytes(archive())
    build: dict[str, Any] = {"live": False, "version": inputs["digest"]}
    if version:
        build.update(live=True, pyodide=f"pyodide-{version}", size=vendor_pyodide(folder, runtime, version))
    vendor_ipywidgets(out / "widgets", npm)
    stamp.write_text(json.dumps({"inputs": inputs, "build": build}))
    return build


def vendor_pyodide(folder: Path, runtime: Path, version: str) -> str:
    """Copy Pyodide, and bundle it for pages opened from disk; returns the size of the download in words."""
    target = folder / f"pyodide-{version}"
    target.mkdir()
    lock = json.dumps({"info": json.loads((runtime / "pyodide-lock.json").read_text())["info"], "packages": {}})
    (target / "lock.json").write_text(lock)
    for name in RUNTIME:
        shutil.copy(runtime / name, target / name)
    files = {name: packed((runtime / name).read_bytes()) for name in RUNTIME}
    files |= {"lock.json": packed(lock.encode()), "kubemini.zip": packed((folder / "kubemini.zip").read_bytes())}
    worker = base64.b64encode((STATIC / "worker.js").read_bytes()).decode()
    bundle = "window.kubeminiBundle=" + json.dumps({"worker": worker, "files": files}) + ";\n"
    (folder / "pyodide-bundle.js").write_text(bundle)
    return f"{sum(map(len, files.values())) * 3 / 4 / 1e6:.0f} MB"


def vendor_ipywidgets(folder: Path, npm: Path) -> None:
    """require.js, the html-manager with its fonts inside, and anywidget under the name that is asked for."""
    manager = npm / "@jupyter-widgets" / "html-manager" / "dist"
    if not (manager.exists() and (npm / "requirejs").exists()):
        return
    folder.mkdir(parents=True)
    shutil.copy(npm / "requirejs" / "require.js", folder)

    def inline(match: re.Match[str]) -> str:
        font = base64.b64encode((manager / match[2]).read_bytes()).decode() if match[2].endswith("woff2") else ""
        return f'{match[1]}="data:font/woff2;base64,{font}"' if font else f'{match[1]}="data:,"'

    text, fonts = re.subn(
        r'(e\.exports)=[a-z]\.p\+"([0-9a-f]{20}\.(?:woff2?|ttf|eot|svg))"',
        inline,
        (manager / "embed-amd.js").read_text(),
    )
    assert fonts, "html-manager has changed: no fonts found in embed-amd.js"
    (folder / "embed-amd.js").write_text(text)
    module = Path(sys.prefix) / "share" / "jupyter" / "nbextensions" / "anywidget" / "index.js"
    name = r'define("anywidget", ["@jupyter-widgets/base"]'
    text, defines = re.subn(r'^define\(\["@jupyter-widgets/base"\]', name, module.read_text(), flags=re.MULTILINE)
    assert defines == 1, "anywidget has changed: its index.js does not define one module"
    (folder / "anywidget-amd.js").write_text("(function () {\n" + text + "\n})();\n")


# -- Sphinx ----------------------------------------------------------------------------------------------------------
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
    used = [widget for widget in WIDGETS if f'data-kubemini="{widget}"' in body]
    if used:
        app.add_css_file("kubemini/widget.css")
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


class Simplified(SphinxDirective):
    """``{simplified}``: what the code says it leaves out, by module."""

    def run(self) -> list[nodes.Node]:
        groups: dict[str, nodes.bullet_list] = {}
        for module, where, words in appendix.simplified():
            text, _ = self.state.inline_text(f"{where}: {words}" if where else words, self.lineno)
            groups.setdefault(module, nodes.bullet_list()).append(nodes.list_item("", nodes.paragraph("", "", *text)))
        for path in appendix.modules():
            self.env.note_dependency(str(path))
        out: list[nodes.Node] = []
        for module, items in groups.items():
            out += [nodes.paragraph("", "", nodes.literal(module, module)), items]
        return out


class Parameters(SphinxDirective):
    """``{parameters}``: every period, timeout and limit, with its source."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(PACKAGE / "params.py"))
        head = ["parameter", "value", "its real name", "source"]
        return [table((30, 16, 30, 34), head, appendix.parameters(), ["km-parameters"])]


class Mutants(SphinxDirective):
    """``{mutants}``: faults put into Raft on purpose, and which tests noticed each."""

    def run(self) -> list[nodes.Node]:
        ways = ("sentences", "conversations", "schedules")
        rows = (
            [m["fault"], *("✓" if way in m["noticed_by"] else "–" for way in ways)]
            for m in read(self.env, "raft/mutants.json")
        )
        return [table((55, 15, 15, 15), ["a machine that …", *ways], rows)]


class Twin(SphinxDirective):
    """``{twin}``: what a client saw of a real etcd in trouble, and what it sees of ours."""

    def run(self) -> list[nodes.Node]:
        twin = read(self.env, "etcd/twin.json")
        rows = ([sight["what"], sight["real"], sight["ours"]] for sight in twin["sights"])
        return [table((60, 20, 20), ["what a client sees", f"etcd {twin['etcd']}", "ours"], rows)]


def read(env: Any, name: str) -> Any:
    """A table that the tests keep under *name*; the page is built anew when it changes."""
    path = home(env.app) / "tests" / "oracles" / name
    env.note_dependency(str(path))
    return json.loads(path.read_text(encoding="utf-8"))


def table(
    widths: Iterable[int], head: Iterable[str], rows: Iterable[Iterable[str]], classes: Iterable[str] = ()
) -> nodes.table:
    """A table of plain words."""
    columns = [nodes.colspec(colwidth=width) for width in widths]
    body = nodes.tbody("", *(row(cells) for cells in rows))
    return nodes.table(
        "", nodes.tgroup("", *columns, nodes.thead("", row(head)), body, cols=len(columns)), classes=list(classes)
    )


def row(cells: Iterable[str]) -> nodes.row:
    """A row of a table."""
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", cell)) for cell in cells))


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_config_value("kubemini_npm", "node_modules", "env")
    app.add_config_value("kubemini_build", {}, "html")
    app.connect("config-inited", configure, priority=900)
    app.connect("builder-inited", without_thebe)
    app.connect("builder-inited", copy_static)
    app.connect("html-page-context", page_context, priority=400)
    app.connect("build-finished", copy_static)
    app.connect("build-finished", fewer_icons)
    app.connect("build-finished", repair)
    app.add_directive("simplified", Simplified)
    app.add_directive("parameters", Parameters)
    app.add_directive("mutants", Mutants)
    app.add_directive("twin", Twin)
    return {"parallel_read_safe": True, "parallel_write_safe": True}

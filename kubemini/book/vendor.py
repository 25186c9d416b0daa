"""What the pages load, written beside them: widgets, the page's host, the simulator, Pyodide from npm.

Invariant: equal sources give equal bytes, and nothing is asked of another host.
Without node_modules/pyodide the book is built with live mode off: recordings play, nothing can be broken.
"""

import base64
import gzip
import hashlib
import io
import json
import re
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import simpy

import kubemini
from kubemini.widgets.modules import STATIC, WIDGETS, bundle, module, scope, style

PACKAGE = Path(kubemini.__file__).parent
RUNTIME = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip")
LEFT_OUT = (
    "book",
    "check",
    "judge",
    "lab",
    "serve",
    "bench",
    "widgets",
    "__main__.py",
)  # nothing that a widget asks for
EPOCH = (2026, 1, 1, 0, 0, 0)  # of every file in the archive, so that equal sources give equal bytes


def digest(pattern: str = "*") -> str:
    """A short fingerprint of the package's own files; changes exactly when one of them does."""
    summed = hashlib.sha256()
    for path in sorted(PACKAGE.rglob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts:
            summed.update(path.relative_to(PACKAGE).as_posix().encode() + b"\0" + path.read_bytes())
    return summed.hexdigest()[:12]


def classic(widget: str) -> str:
    """A widget as a classic script that registers itself: modules do not load from file://."""
    named = f'(window.kubeminiWidgets ||= {{}})["{widget}"] = {scope(widget)};\n'
    return "(() => {\n" + bundle(module(widget)) + named + "})();\n"


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
            if inside.parts[0] not in LEFT_OUT:
                add(f"kubemini/{inside.as_posix()}", path.read_bytes())
        for path in sorted((PACKAGE / "api" / "schema").glob("*.[tj]*")):  # texts and JSON
            add(f"kubemini/api/schema/{path.name}", path.read_bytes())
        for path in sorted([*(PACKAGE / "view").rglob("*.json"), *(PACKAGE / "apiserver").rglob("*.[tj]*")]):
            add(f"kubemini/{path.relative_to(PACKAGE).as_posix()}", path.read_bytes())
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
    (folder / "widget.css").write_text(style(), encoding="utf-8")
    for name in ("css/page.css", "host.js", "worker.js"):
        shutil.copy(STATIC / name, folder)
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

"""The book in order: every chapter has its place, notebooks are in normal form, quotes name what is there."""

import ast
import html
import json
import re
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from kubemini.book import notebooks

ROOT = Path(__file__).resolve().parents[2]
CHAPTERS = sorted((ROOT / "chapters").glob("*.ipynb"))
PROSE = sorted([*ROOT.glob("*.md"), *(ROOT / "chapters").glob("*.md")])
BUILT = sorted((ROOT / "_build" / "html").rglob("*.html"))
STAMP = re.compile(r"^recording [0-9a-f]{12}, [\d,]+ (records|elections)$", re.MULTILINE)
SHORT = 15  # lines of a code cell: what a reader takes in at a glance
AT_NOBODY = re.compile(r"--peer-urls=http://|https://[\w.-]+\.example/")  # at our own etcdctl; a name of RFC 2606
CONSTANT = re.compile(r':start-at: "[A-Z_]+\b')
CONNECTS = re.compile(
    r"^(import|from) (urllib(?!\.parse)|http(?! import HTTPStatus$)|socket|ssl|requests|aiohttp|httpx|ftplib|smtplib"
    r"|micropip|pyodide)\b"
)
SERVES = {"kubemini/book/press.py", *(f"kubemini/serve/{name}.py" for name in ("listening", "notebook", "program"))}


def words():
    """(where, text) of everything a person wrote in the book and beside it."""
    for path in PROSE:
        yield path.name, path.read_text(encoding="utf-8")
    for path in CHAPTERS:
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] == "markdown":
                yield f"{path.name}, cell {number}", "".join(cell["source"])


def code():
    """(where, source, cell) of every code cell."""
    for path in CHAPTERS:
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] == "code":
                yield f"{path.name}, cell {number}", "".join(cell["source"]), cell


def test_every_chapter_has_its_place_in_the_book():
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    placed = {toc["root"], *(entry["file"] for entry in toc["chapters"])}
    there = {f"chapters/{path.stem}" for path in (ROOT / "chapters").iterdir() if path.suffix in {".ipynb", ".md"}}
    assert placed == there


@pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem)
def test_a_notebook_is_in_normal_form(path):
    assert notebooks.normalise(path) == path.read_text(encoding="utf-8"), "run make chapters"


def test_normal_form_is_reached_in_one_step_and_forgets_what_differs_from_run_to_run():
    stream = {"output_type": "stream", "name": "stdout"}
    widget = {"output_type": "display_data", "metadata": {}, "data": {notebooks.WIDGET_VIEW: {}, "image/png": "x"}}
    widget["data"]["text/plain"] = "w"
    cell = {"cell_type": "code", "id": "f00", "source": "x", "execution_count": 7, "metadata": {"execution": {}}}
    cell["outputs"] = [stream | {"text": "a\n"}, stream | {"text": "b\n"}, widget]
    raw = notebooks.nbformat.from_dict({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    once = notebooks.normal(raw, "quorum")
    assert notebooks.text(notebooks.normal(once, "quorum")) == notebooks.text(once)
    assert once.cells[0].id == "quorum-00" and once.cells[0].metadata == {} and once.cells[0].execution_count == 1
    assert [o.get("text") or o.data for o in once.cells[0].outputs] == ["a\nb\n", {"text/plain": "w"}]


def test_a_cell_for_readers_alone_counts_as_run():
    cell = {"cell_type": "code", "id": "f00", "source": "x", "execution_count": None, "outputs": []}
    cells = [cell | {"metadata": {"tags": [notebooks.FOR_READERS]}}, cell | {"metadata": {}}]
    raw = notebooks.nbformat.from_dict({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})
    assert [cell.execution_count for cell in notebooks.normal(raw, "quorum").cells] == [1, None]


def test_no_cell_with_a_slider_is_run_when_the_book_is_pressed():
    """nbclient can wait for ever for a cell with an Output widget (notebooks.py says why)."""
    sliders = [(where, cell["metadata"].get("tags", [])) for where, source, cell in code() if "ipywidgets" in source]
    assert len(sliders) >= 10
    assert [where for where, tags in sliders if not {notebooks.FOR_READERS, "remove-output"} <= set(tags)] == []


def test_a_cell_is_short():
    assert {where: n for where, source, _ in code() if (n := source.count("\n") + 1) > SHORT} == {}


def test_every_cell_has_been_run():
    assert [where for where, _, cell in code() if cell["execution_count"] is None] == [], "run make chapters"


def test_recordings_do_not_live_in_notebooks():
    """A stored output tells the run as text and names its recording; the book's build computes the recording."""
    stored = [(where, output.get("data", {})) for where, _, cell in code() for output in cell["outputs"]]
    assert [where for where, data in stored if "data-kubemini" in "".join(data.get("text/html", ""))] == []
    stamped = [where for where, data in stored if STAMP.search("".join(data.get("text/plain", "")))]
    assert len(stamped) >= len(CHAPTERS)


def test_no_stored_output_is_an_error():
    failed = [
        where
        for where, _, cell in code()
        if any(output["output_type"] == "error" for output in cell["outputs"])
        and "raises-exception" not in cell["metadata"].get("tags", [])
    ]
    assert failed == []


def test_code_is_quoted_by_name():
    for where, text in words():
        for path, options in re.findall(r"\{literalinclude\}\s*(\S+)\n((?:\s*:.*\n)*)", text):
            named = ":pyobject:" in options or CONSTANT.search(options)  # what :pyobject: cannot find, a constant
            assert named or not path.endswith(".py"), f"{where}: quote {path} with :pyobject:"
            assert ":lines:" not in options, f"{where}: line numbers drift; quote {path} by name"


def test_every_file_that_prose_points_at_is_there():
    pointed = {
        (where, path)
        for where, text in words()
        for path in re.findall(r"`((?:kubemini|tests|chapters)/[\w./-]+)`", text)
        if "NAME" not in path
    }
    assert sorted((where, path) for where, path in pointed if not (ROOT / path).exists()) == []


def test_every_picture_and_page_that_prose_links_to_is_there():
    missing = [
        f"{path.name}: {target}"
        for path in PROSE
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert missing == []


def test_every_dotted_name_that_prose_points_at_is_there():
    names = {(where, name) for where, text in words() for name in re.findall(r"`(kubemini(?:\.\w+)+)`", text)}
    assert sorted((where, name) for where, name in names if not resolves(name)) == []


def resolves(name):
    """Whether a dotted name is a module, or something in one."""
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        module = ".".join(parts[:cut])
        if _is_module(module):
            value = import_module(module) if cut < len(parts) else None
            for part in parts[cut:]:
                if not hasattr(value, part):
                    return False
                value = getattr(value, part)
            return True
    return False


def _is_module(name):
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_nothing_opens_a_connection_when_it_runs():
    opened = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "kubemini").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom) and CONNECTS.match(ast.unparse(node))
    ]
    typed = [(where, AT_NOBODY.sub("", source)) for where, source, _ in code()]
    cells = [where for where, source in typed if "://" in source or CONNECTS.search(source)]
    assert {where.split(":")[0] for where in opened} <= SERVES and cells == []


def test_the_pins_say_versions_and_no_place_to_get_them_from():
    for name in ("requirements.txt", "constraints.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text and " @ " not in text and "--" not in text.replace("`", ""), name
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
    assert [name for name, package in lock["packages"].items() if name and "integrity" not in package] == []


def test_every_requirement_is_pinned():
    wanted = re.findall(r"^[A-Za-z][\w.-]*", (ROOT / "requirements.txt").read_text(encoding="utf-8"), re.MULTILINE)
    pinned = re.findall(r"^([\w.-]+)==", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE)
    built_with = {"setuptools", "wheel"}
    assert {_canonical(n) for n in wanted} - {_canonical(n) for n in pinned} <= built_with
    package = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert all(v[0].isdigit() for v in (package["dependencies"] | package["devDependencies"]).values())


def _canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_the_title_page_says_which_versions_are_meant():
    front = next(path for path in (ROOT / "chapters").iterdir() if path.stem == "introduction")
    text = front.read_text(encoding="utf-8")
    pyodide = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))["dependencies"]["pyodide"]
    for said in ("Kubernetes 1.37", "etcd 3.7", "Python 3.11", f"Pyodide {pyodide.split('.')[0]}"):
        assert said in text, f"{front.name} does not say {said}"
    params = (ROOT / "kubemini" / "params.py").read_text(encoding="utf-8")
    assert "Kubernetes 1.37, etcd 3.7" in params


@pytest.mark.needs("built-book")
def test_a_built_page_names_no_other_host_to_load_from():
    loads = re.compile(
        r"""<(?:script|img|iframe|source|video|audio|embed)\b[^>]*?\ssrc\s*=\s*["']?\s*(?:https?:)?//"""
        r"""|<link\b(?=[^>]*\srel=["']?(?:stylesheet|preload|modulepreload|icon))[^>]*\shref=["']?(?:https?:)?//"""
    )
    assert [p.name for p in BUILT if loads.search(p.read_text(encoding="utf-8", errors="replace"))] == []


@pytest.mark.needs("built-book")
def test_the_name_of_a_file_is_no_address():
    file = re.compile(r'href="https?://[\w-]+\.(?:py|sh|md|js)"')
    assert {page.name: found for page in BUILT if (found := file.findall(page.read_text("utf-8", "replace")))} == {}


@pytest.mark.needs("built-book")
def test_the_appendix_lists_every_simplification_of_the_code():
    page = html.unescape(
        re.sub(r"<[^>]+>", "", (ROOT / "_build/html/chapters/simplified.html").read_text(encoding="utf-8"))
    )
    shown = " ".join(page.split())
    tagged = [
        path.relative_to(ROOT / "kubemini").as_posix()
        for path in sorted((ROOT / "kubemini").rglob("*.py"))
        if any(line.strip().startswith("Simplified: ") for line in path.read_text(encoding="utf-8").splitlines())
    ]
    assert tagged and [name for name in tagged if name not in shown] == []

"""The same widget in JupyterLab and Notebook 7: the kernel answers what the reader does, and its keys are its own."""

import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.browser.conftest import ROOT

pytestmark = pytest.mark.needs("chromium", "playwright", "jupyterlab")
QUIET = [
    "--ServerApp.token=",
    "--ServerApp.password=",
    "--ServerApp.open_browser=False",
    "--ServerApp.port=0",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.allow_root=True",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabServerApp.extension_manager=readonly",
]


HOSTS = {"jupyterlab": "lab/tree", "notebook": "notebooks"}  # the program, and where it shows a notebook


@pytest.fixture(scope="module", params=HOSTS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab or a Notebook 7 on this machine; the address of a notebook in it."""
    folder = tmp_path_factory.mktemp(request.param)
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell(source) for source in ('from kubemini import show\nshow("etcd-3")', '"below"')
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, folder / "desk.ipynb")
    home = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "HOME")}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    log = folder / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", request.param, *QUIET],
            cwd=folder,
            env={**os.environ, **home, "PYTHONPATH": path},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield f"{address(log, server)}{HOSTS[request.param]}/desk.ipynb"
    finally:
        server.terminate()
        server.wait(120)


def address(log: Path, server: subprocess.Popen) -> str:
    """Where the server listens, once it says so."""
    for _ in range(1800):
        if found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text()):
            return found[0]
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def opened(open_page, address):
    """The notebook at *address*, its first cell run."""
    from playwright.sync_api import TimeoutError

    page = open_page(address, viewport={"width": 1500, "height": 1000})
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
    for _ in range(18):  # until its kernel is there it forgets what it is told, or opens a dialog
        for answer in page.locator(".jp-Dialog .jp-mod-accept").all():
            answer.click()
        page.locator(".jp-NotebookPanel .jp-Cell .cm-content").first.click()
        page.keyboard.press("Control+Enter")
        with contextlib.suppress(TimeoutError):
            page.locator(".km").first.wait_for(timeout=10_000)  # tried again
            break
    return page


def test_keys_stay_in_the_widget_the_kernel_answers_and_no_other_host_is_asked(open_page, lab, widget):
    page = opened(open_page, lab)
    desk = widget(page)
    keys_stay(page, desk)
    the_kernel_answers(page, desk)


def keys_stay(page, desk):
    """Also those that the widget does not know; Escape closes what is open, then leaves."""
    cells, inside = page.locator(".jp-Cell"), "document.activeElement.closest('.km') !== null"
    for start in (lambda: desk.select("etcd-2"), lambda: desk.root.get_by_role("button", name="Table").click()):
        start()
        for key in ("x", "Escape", "a", "b", "d", "d", "z", "m", "y", "1", "q", "j", "ArrowDown", "Shift+M"):
            page.keyboard.press(key)
            assert cells.count() == 2 and page.evaluate(inside), key
    page.keyboard.press("Escape")
    assert not page.evaluate(inside)
    page.keyboard.press("b")  # the notebook's own key, for its own cell
    cells.nth(2).wait_for()


def the_kernel_answers(page, desk):
    assert desk.kernel == "jupyter"
    desk.seek(5)
    desk.do("etcd-2", "crash", kernel="jupyter")
    desk.do("etcd-3", "crash", kernel="jupyter")
    desk.seek(9)
    assert "1 of 3 members up, quorum is 2: no write succeeds" in desk.sentence
    assert desk.second == "Writes: no answer. Serializable reads: all answered"
    desk.root.get_by_role("button", name="Undo").click()
    assert "2 of 3 members up" in desk.sentence
    desk.line((0.02, 0.45), (0.98, 0.45))
    page.mouse.up()
    desk.settle(kernel="jupyter")
    assert "cut the cable between etcd-1 and etcd-2, etcd-3" in desk.happened

"""The same widget in JupyterLab: the kernel answers what the reader does."""

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


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab on this machine with one notebook; its address."""
    folder = tmp_path_factory.mktemp("lab")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell('from kubemini import show\nshow("etcd-3")')],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    nbformat.write(notebook, folder / "desk.ipynb")
    home = {name: str(folder / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "HOME")}
    path = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    log = folder / "log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *QUIET],
            cwd=folder,
            env={**os.environ, **home, "PYTHONPATH": path},
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield address(log, server)
    finally:
        server.terminate()
        server.wait(20)


def address(log: Path, server: subprocess.Popen) -> str:
    """Where the server listens, once it says so."""
    for _ in range(600):
        if found := re.search(r"http://127\.0\.0\.1:\d+/lab", log.read_text()):
            return found[0]
        assert server.poll() is None, log.read_text()
        time.sleep(0.1)
    raise AssertionError(log.read_text())


def test_the_kernel_answers_a_crash_and_no_other_host_is_asked(open_page, lab, widget):
    page = open_page(f"{lab}/tree/desk.ipynb", viewport={"width": 1500, "height": 1000})
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=90_000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=90_000)
    page.locator(".jp-NotebookPanel .jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".km").first.wait_for(timeout=90_000)
    desk = widget(page)
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

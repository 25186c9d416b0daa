"""The press: builds the book, notes how long that took, and serves it on this machine.

    python -m kubemini.book.press            build; warnings and failing cells are errors
    python -m kubemini.book.press --serve    serve what was built, on the loopback address only

Invariant: every page is written anew from the same inputs; only the execution of notebooks is remembered, by the
notebooks and the simulator together (`kubemini.book.sphinx`), so a build that passed once passes again.
"""

import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from kubemini.book.pages import Server

OUT = Path("_build")
PAGES = OUT / "html"
PORT = 8000


def build() -> int:
    """Build the book in the current folder; the exit status of Jupyter Book."""
    before, now = notes(), inputs()
    cold = not (OUT / ".jupyter_cache").exists()
    start = time.monotonic()
    jupyter_book = str(Path(sys.executable).with_name("jupyter-book"))
    status = subprocess.run([jupyter_book, "build", ".", "--all", "-W", "--keep-going"], check=False).returncode
    if status == 0:
        kind = "cold" if cold else "cached" if before.get("inputs") == now else "changed"
        note(before | {"inputs": now, kind: round(time.monotonic() - start, 1)})
    return status


def inputs() -> str:
    """A fingerprint of what the book is made of."""
    files = [Path("_config.yml"), Path("_toc.yml"), *Path("chapters").rglob("*"), *Path("kubemini").rglob("*")]
    summed = hashlib.sha256()
    for file in sorted(f for f in files if f.is_file() and "__pycache__" not in f.parts):
        summed.update(file.as_posix().encode() + b"\0" + file.read_bytes())
    return summed.hexdigest()


def notes() -> dict[str, Any]:
    """What earlier builds took: {cold, cached, changed: seconds}, and the inputs of the last one."""
    file = OUT / "build-times.json"
    return json.loads(file.read_text()) if file.exists() else {}


def note(times: dict[str, Any]) -> None:
    """Remember *times* for the next build."""
    (OUT / "build-times.json").write_text(json.dumps(times) + "\n")


def serve() -> int:
    """Serve the built book until interrupted, on `PORT`, or on any free one if that is taken."""
    if not (PAGES / "index.html").exists():
        print("there is no book yet: run `make book`", file=sys.stderr)
        return 2
    with Server(PAGES, PORT) as running:
        print(f"The book: {running.address}/  (Ctrl-C stops)", flush=True)
        try:
            running.thread.join()
        except KeyboardInterrupt:
            print()
    return 0


if __name__ == "__main__":
    sys.exit(serve() if "--serve" in sys.argv[1:] else build())

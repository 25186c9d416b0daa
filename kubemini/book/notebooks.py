"""The chapters' normal form, so that a diff shows what a person changed and nothing else.

    python -m kubemini.book.notebooks chapters/*.ipynb            normalise
    python -m kubemini.book.notebooks --run chapters/*.ipynb      execute from top to bottom, store outputs, normalise
    python -m kubemini.book.notebooks --check chapters/*.ipynb    change nothing, exit 1 where a file would change

Normal: cells are numbered within their chapter, execution counts run from 1 (nbval compares no cell that has none); no
timing, no editor's state, no widget ids (a stored id names a model that exists nowhere), no pictures (the book's build
draws them; their pixels depend on the machine); one output a stream.

A cell with a slider of ipywidgets has the tag ``skip-execution``: its Output widget makes nbclient send to the kernel
while it waits for the kernel's reply, and now and then it then waits for ever (jupyter/nbclient issue 312). The page
shows nothing of such a cell; nbval runs it.
"""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

import nbformat
from nbformat import NotebookNode

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOT_STORED = (WIDGET_VIEW, "image/png")
CELL_METADATA = ("mystnb", "tags")
FOR_READERS = "skip-execution"  # the tag of a cell that nbclient passes over: only a reader, and nbval, run it
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def normal(notebook: NotebookNode, stem: str) -> NotebookNode:
    """A copy of *notebook* in normal form; *stem* is the chapter's name."""
    cells: list[dict] = []
    count = 0
    for number, cell in enumerate(notebook.cells):
        kept = {key: cell.metadata[key] for key in CELL_METADATA if cell.metadata.get(key)}
        plain = {"cell_type": cell.cell_type, "id": f"{stem}-{number:02d}", "metadata": kept, "source": cell.source}
        if cell.cell_type == "code":
            count += 1
            run = cell.execution_count is not None or FOR_READERS in kept.get("tags", ())
            ran = count if run else None
            plain |= {"execution_count": ran, "outputs": outputs(cell.outputs, ran)}
        cells.append(plain)
    return nbformat.from_dict({"cells": cells, "metadata": METADATA, "nbformat": 4, "nbformat_minor": 5})


def outputs(found: Iterable[NotebookNode], count: int | None) -> list[dict]:
    """The outputs of a cell without what differs from run to run; it ran as number *count*."""
    kept: list[dict] = []
    for output in (dict(o) for o in found):
        if output["output_type"] == "stream" and kept and kept[-1].get("name") == output["name"]:
            kept[-1] = kept[-1] | {"text": kept[-1]["text"] + output["text"]}
            continue
        if "execution_count" in output:
            output["execution_count"] = count
        if "data" in output:
            output["data"] = {mime: data for mime, data in output["data"].items() if mime not in NOT_STORED}
        kept.append(output)
    return kept


def text(notebook: NotebookNode) -> str:
    """A notebook as it is written to disk."""
    return nbformat.writes(notebook).rstrip("\n") + "\n"


def normalise(path: Path, run: bool = False) -> str:
    """The text of the notebook at *path* in normal form, executed first if *run*."""
    notebook = nbformat.read(path, as_version=4)
    if run:
        execute(notebook, path)
    return text(normal(notebook, path.stem))


def execute(notebook: NotebookNode, path: Path) -> None:
    """Run every cell, in the folder of the notebook, with a fresh kernel."""
    from nbclient import NotebookClient

    place = {"metadata": {"path": str(path.parent)}}
    NotebookClient(notebook, timeout=900, kernel_name="python3", resources=place).execute()


def main(arguments: list[str] | None = None) -> int:
    """The command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kubemini.book.notebooks", description="Normalise notebooks.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--run", action="store_true", help="execute every cell first")
    parser.add_argument("--check", action="store_true", help="only say which files are not normal")
    options = parser.parse_args(arguments)
    changed = 0
    for path in options.files:
        before, after = path.read_text(encoding="utf-8"), normalise(path, options.run)
        if before != after:
            changed += 1
            print(f"{path}: {'is not in normal form: run make chapters' if options.check else 'rewritten'}")
            if not options.check:
                path.write_text(after, encoding="utf-8")
    return 1 if options.check and changed else 0


if __name__ == "__main__":
    sys.exit(main())

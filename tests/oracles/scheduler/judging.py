"""The compare.py that lies beside the scheduler's recordings."""

import importlib.util
from functools import cache
from pathlib import Path

FACTS = "FACTS-scheduler.md"  # lies beside it, and beside no other


def judge_of(path):
    """The compare.py in a folder above *path*, if it is the scheduler's; or None."""
    found = [folder for folder in Path(path).resolve().parents if (folder / FACTS).exists()]
    return _module(found[0] / "compare.py") if found else None


@cache
def _module(path):
    spec = importlib.util.spec_from_file_location("scheduler_compare", path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded

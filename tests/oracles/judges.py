"""The judges that come with recordings: a compare.py (or run.py) lies beside them, and we keep a copy of each."""

import importlib.util
import sys


def beside(folder, own):
    """The judge in *folder* that is called as our *own* copy of it (a path), or that copy, as a module.

    One that imports ``comparing`` finds the one in the folder above it; ours lies in tests/oracles.
    """
    there = folder / own.name
    path = there if there.exists() else own
    spec = importlib.util.spec_from_file_location("judge", path)
    judge = importlib.util.module_from_spec(spec)
    before = list(sys.path)
    try:
        spec.loader.exec_module(judge)
    finally:
        sys.path[:] = before
    return judge

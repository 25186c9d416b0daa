"""Vectors: tables of Kubernetes' own tests, a question and its answer a row.

Each file beside this one has `JUDGES`: the name of a table → what differs in one of its rows (a list of texts, empty if
nothing does). A new table is one file here, and nothing else knows its name.
"""

import importlib
import pkgutil
from functools import cache, partial

TITLES = ("name", "description", "input", "selector", "value")


@cache
def judges():
    """Name of a table → its judge."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        found |= getattr(importlib.import_module(f"{__name__}.{module.name}"), "JUDGES", {})
    return found


def cases(path, data):
    """(name, run) of every row of a table that somebody judges."""
    judge = judges().get(path.stem)
    if judge is None or not isinstance(data, dict):
        return
    for number, row in enumerate(data.get("vectors") or ()):
        title = next((row[key] for key in TITLES if row.get(key) not in (None, "")), "")
        yield f"{path.name} {number} {row.get('kind') or row.get('validator') or ''} {title}", partial(judge, row)


def differs(wanted, got, what="answer"):
    """One text if *got* is not what was *wanted*, of the same type."""
    same = wanted == got and isinstance(wanted, bool) == isinstance(got, bool)
    return [] if same else [f"{what}: wanted {wanted!r}, got {got!r}"]


def refuses(error, act, *args):
    """Whether *act* raises *error*."""
    try:
        act(*args)
    except error:
        return True
    return False

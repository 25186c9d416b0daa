"""The house keeps its shape: layers, purity, no hidden state, and a map that is true."""

import ast
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import get_args

import pytest

from tests.house import set_order
from tests.house.sources import imported

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "kubemini"
SOURCES = sorted(PACKAGE.rglob("*.py"))
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
MEASURES_REAL_TIME = {
    "kubemini/__main__.py",
    "kubemini/bench/measures.py",
    "kubemini/book/press.py",
    "kubemini/serve/program.py",  # a door of today, for clients who live now
}


@cache
def tree(name):
    return ast.parse((ROOT / name).read_text(encoding="utf-8"))


@cache
def places():
    """(file:line, node) of what stands on a line of the package, by type: it is walked once, for all questions."""
    found = defaultdict(list)
    for name in NAMES:
        for node in ast.walk(tree(name)):
            if hasattr(node, "lineno"):
                found[type(node)].append((f"{name}:{node.lineno}", node))
    return found


def nodes(kind):
    """(file:line, node) of every node of *kind* in the package."""
    return (place for one in get_args(kind) or (kind,) for place in places()[one])


def test_imports_point_down_and_deciders_are_pure():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[done.stdout.find("Broken contracts") :]


def test_what_is_imported_lies_in_this_tree_and_not_in_another_one_that_is_installed():
    all_of_them = [(where, node.module or "") for where, node in nodes(ast.ImportFrom)]
    asked = [(where, module) for where, module in all_of_them if module.startswith("kubemini")]
    at = [(where, ROOT.joinpath(*module.split("."))) for where, module in asked]
    missing = [where for where, path in at if not path.is_dir() and not path.with_suffix(".py").is_file()]
    assert len(asked) > 1000 and missing == []


def test_type_hints_are_imports_too_and_every_room_has_its_place():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = [contract for contract in rules["contracts"] if contract["type"] == "layers"]
    assert rules["exclude_type_checking_imports"] is False
    assert layers and all(contract["exhaustive"] for contract in layers)


def test_no_function_changes_a_global():
    assert [where for where, _ in nodes(ast.Global)] == []


def test_nobody_reads_the_wall_clock():
    clocks = re.compile(r"time(\..*)?|datetime\.(datetime\.)?(now|utcnow|today)")
    reads = [
        where
        for where, node in nodes(ast.Import | ast.ImportFrom)
        if any(clocks.fullmatch(name) for name in imported(node))
    ]
    calls = [
        where
        for where, node in nodes(ast.Attribute)
        if node.attr in {"utcnow", "today"} or (node.attr == "now" and getattr(node.value, "id", "") == "datetime")
    ]
    assert {where.split(":")[0] for where in reads + calls} <= MEASURES_REAL_TIME, reads + calls


def test_luck_is_seeded():
    allowed = {"random.Random"}  # a generator of one's own, with a seed
    bad = [
        where
        for where, node in nodes(ast.Import | ast.ImportFrom)
        if any(n.split(".")[0] in {"random", "secrets", "uuid"} and n not in allowed for n in imported(node))
    ]
    unseeded = [where for where, node in nodes(ast.Call) if called(node) == "Random" and not node.args]
    assert bad + unseeded == []


def called(node):
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


def test_nothing_depends_on_hash_or_on_the_order_of_a_set():
    hashes = [where for where, node in nodes(ast.Call) if isinstance(node.func, ast.Name) and called(node) == "hash"]
    assert hashes + list(set_order.Package({name: tree(name) for name in NAMES}).offences()) == []


ORDERS = """
from typing import Any
class Hosts:
    dark: set[str]
    def __init__(self): self.late = set()
    def names(self) -> set[str]: ...
    def numbers(self) -> set[int]: ...
def decide(given: frozenset[str], pods: dict, more: list, h):
    local = {p.ip for p in more}
    {}
"""
DECIDES = [
    "for x in local: print(x)",
    "[x for x in given]",
    "list(h.dark)",
    "sorted(local, key=len)",
    "min(given, key=len)",
    "', '.join(h.late)",
    "tuple(pods.keys() - more)",
    "local.pop()",
    "print(*h.names())",
    "return f'{local}'",
    "return next(iter(given & local))",
    "dict.fromkeys(x for x in local)",
]
DECIDES_NOT = [
    "return sorted(local)",
    "return {x for x in given}",
    "return any(x in given for x in local)",
    "return min(local), len(h.dark), 'a' in h.late",
    "for x in sorted(pods.keys() & given): print(x)",
    "return [x for x in pods]",
    "return [x for x in h.numbers()]",
    "return local | set(x for x in given)",
]


@pytest.mark.parametrize("line", DECIDES + DECIDES_NOT)
def test_an_order_that_a_set_decides_is_seen(line):
    tree = ast.parse(ORDERS.replace("{}", line))
    assert bool(list(set_order.Package({"a.py": tree}).offences())) == (line in DECIDES)


@pytest.mark.parametrize("name", NAMES)
def test_a_module_says_what_it_is_in_fifteen_lines_unless_it_has_a_theory_to_explain(name):
    """Sixty, if it is subtle and tells how it works: a theory of operation."""
    docstring = ast.get_docstring(tree(name))
    assert docstring, f"{name} does not say what it is"
    explains = name == "kubemini/__init__.py" or re.search(r"\bTheory of operation(\.|\n=)", docstring)
    assert docstring.count("\n") < (60 if explains else 15)


def test_the_map_of_the_house_is_true():
    map_ = ast.get_docstring(tree("kubemini/__init__.py"))
    named = set(re.findall(r"([a-z_]+(?:/|\.py))", map_))
    there = {f"{p.name}/" for p in PACKAGE.iterdir() if (p / "__init__.py").exists()}
    there |= {p.name for p in PACKAGE.glob("*.py") if p.name != "__init__.py"}
    assert named == there


def test_a_public_name_is_what_it_says_whatever_was_imported_before():
    import kubemini
    import kubemini.judge.availability
    import kubemini.simulate
    from kubemini import lab

    assert kubemini.check is lab.check and kubemini.run("etcd-3", until=1).header["scenario"] == "etcd-3"
    assert all(getattr(kubemini, name) is not None for name in kubemini.__all__)
    with pytest.raises(AttributeError, match="it has: Cluster"):
        kubemini.cheque  # noqa: B018


def test_importing_kubemini_pulls_in_simpy_alone():
    names = "{name.split('.')[0] for name in sys.modules} - set(sys.stdlib_module_names)"
    code = f"import sys, kubemini.simulate; print(*sorted({names}))"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT, env=_bare())
    assert set(done.stdout.split()) <= {"__main__", "kubemini", "simpy"}, done.stdout + done.stderr


def _bare():
    import simpy

    return {"PYTHONPATH": f"{ROOT}:{Path(simpy.__file__).parent.parent}"}

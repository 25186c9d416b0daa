"""Recordings of networking, told by ours: which part of the simulator answers which file, and who judges.

A folder of recordings (``kube-proxy/``, ``policy/``, …) is judged by the compare.py in the folder above
it, case by case; its part here gives ``answers(path, data) -> {case: () -> got}``. An older table, a
file of its own, is judged by the part itself: ``tables(path, data) -> {case: () -> [difference]}``.
"""

import importlib
from functools import partial
from pathlib import Path

from tests.oracles import judges

OWN_JUDGE = Path(__file__).parent / "compare.py"
FOLDERS = {"kube-proxy": "proxy", "policy": "policy", "dns": "dns", "cni": "cni", "ingress": "routing"}
TABLES = {
    "kubeproxy_flows": "proxy",
    "service_topology": "proxy",
    "netpol_cyclonus": "policy",
    "cluster_network_policy": "policy",
    "admin_network_policy": "policy",
    "dns": "dns",
    "ingress": "routing",
    "gateway_conformance": "routing",
    "kernel_measured": "kernel",
}


def cases(path, data):
    """(name, how to run it) of every case in a file of recordings of networking."""
    path = path.resolve()
    if path.parent.name in FOLDERS:
        yield from _judged(path, data)
    elif path.stem in TABLES and (part := _part(TABLES[path.stem])):
        for name, run in part.tables(path, data).items():
            yield f"{path.stem}/{name}", run


def _judged(path, data):
    part, judge = _part(FOLDERS[path.parent.name]), judges.beside(path.parent.parent, OWN_JUDGE)
    if part is None or f"{path.parent.name}/{path.name}" not in judge.KINDS:
        return
    recorded, answers = judge.read(str(path)), part.answers(path, data)
    for name, case in recorded.items():
        if name in answers:
            yield f"{path.parent.name}/{path.stem}/{name}", partial(_differences, judge, case, answers[name])


def _differences(judge, case, answer):
    return [f"{path}: wanted {wanted}, got {got}" for path, wanted, got in judge.compare(case, answer())]


def _part(name):
    """The module of that name here, if it has been written."""
    here = Path(__file__).parent
    there = any((here / file).exists() for file in (f"{name}.py", f"{name}/__init__.py"))
    return importlib.import_module(f"tests.oracles.network.{name}") if there else None

"""Nodes and pods in a few words, and what the scheduler says of them."""

import json
from pathlib import Path

from kubemini.api.objects import freeze
from kubemini.scheduler import plugins
from kubemini.scheduler.decide.framework import decide
from kubemini.scheduler.decide.listers import Listers
from kubemini.scheduler.decide.nodeinfo import NodeInfo
from kubemini.scheduler.decide.plugin import Cycle
from kubemini.scheduler.plugins import topologyspread

PROFILE = plugins.profile()
DATA = Path(__file__).parent.parent / "oracles/kubernetes"


def vectors(name, kind=None):
    rows = json.loads((DATA / f"{name}.json").read_text())["vectors"]
    return [row for row in rows if kind is None or row["kind"] == kind]


def a_node(name, cpu="4", memory="8Gi", pods="110", labels=None, taints=(), **spec):
    allocatable = {"cpu": cpu, "memory": memory, "pods": pods}
    return freeze(
        {
            "metadata": {"name": name, "labels": {topologyspread.HOSTNAME: name, **(labels or {})}},
            "spec": {"taints": list(taints), **spec},
            "status": {"allocatable": allocatable},
        }
    )


def a_pod(name="p", cpu=None, memory=None, labels=None, **spec):
    wanted = {key: value for key, value in (("cpu", cpu), ("memory", memory)) if value}
    return freeze(
        {
            "metadata": {"name": name, "namespace": "default", "uid": name, "labels": labels or {}},
            "spec": {"containers": [{"name": "c", "resources": {"requests": wanted}}], **spec},
        }
    )


def known(*objects):
    """Objects that plugins can look up."""
    found = {}
    for obj in objects:
        meta = obj["metadata"]
        found.setdefault(obj["kind"], {})[meta.get("namespace", ""), meta["name"]] = freeze(obj)
    return Listers(lambda kind: found.get(kind, {}))


def a_service(**selector):
    meta = {"name": "s", "namespace": "default"}
    return {"kind": "Service", "metadata": meta, "spec": {"selector": selector}}


def ask(pod, *nodes, objects=(), start=0):
    infos = [node if isinstance(node, NodeInfo) else NodeInfo(node) for node in nodes]
    return decide(Cycle(pod, infos, known(*objects)), PROFILE, start)

"""The cells that `kubectl get` prints."""

import json
from pathlib import Path

import pytest

from kubemini.api.timestamps import timestamp
from kubemini.apiserver.columns import pods
from kubemini.sim.units import SECOND

VECTORS = Path(__file__).parents[2] / "oracles/kubernetes/pod_status_column.json"
ROWS = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
NOW = 1000 * SECOND


def ended(status):
    """A container's status, with the instant of its last end."""
    ago = status.get("lastTerminatedSecondsAgo")
    return status | (
        {} if ago is None else {"lastState": {"terminated": {"finishedAt": timestamp(NOW - ago * SECOND)}}}
    )


def pod(row):
    """The pod that a row of the real server's own test speaks of."""
    restartable = row["restartableInit"]
    init = [{"name": f"init-{number}"} for number in range(row["specInitContainers"])]
    for number in range(row["specInitContainers"]):
        name = row["initContainerStatuses"][number].get("name") if number < len(row["initContainerStatuses"]) else None
        init[number] = {"name": name or f"init-{number}"}
        if init[number]["name"] in restartable or number in restartable:
            init[number]["restartPolicy"] = "Always"
    spec = {"containers": [{"name": str(number)} for number in range(row["specContainers"])], "initContainers": init}
    status = {
        "phase": row["phase"],
        "reason": row["reason"],
        "conditions": row["conditions"],
        "initContainerStatuses": [ended(status) for status in row["initContainerStatuses"]],
        "containerStatuses": [ended(status) for status in row["containerStatuses"]],
    }
    meta = {"name": "test"} | ({"deletionTimestamp": "2026-01-01T00:00:00Z"} if row["deleting"] else {})
    return {"kind": "Pod", "apiVersion": "v1", "metadata": meta, "spec": spec, "status": status}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_pod_shows_what_kubectl_shows(row):
    one = pod(row)
    cells = {"ready": pods.ready(one, NOW), "status": pods.status(one, NOW), "restarts": pods.restarts(one, NOW)}
    assert cells == row["expect"]

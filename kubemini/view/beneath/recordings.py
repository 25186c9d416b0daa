"""What was recorded on real clusters, by second: a small file that ships with the book, read when first asked for.

Invariant: nobody writes recordings.json by hand. `python -m tests.oracles.ha.strips` (part of `make record`) derives it
from the recordings in tests/oracles/ha/recorded, and a test derives it again. A count of requests is one character
(0-9a-z), so that a recording is a few lines.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
FATES = ("ok", "slow", "failed")  # of a request: answered within a second, answered later, not answered or refused
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
FALLBACK = {"single": "stacked"}  # the smallest cluster that was recorded has three of each

Changes = list[list[Any]]  # [seconds after the fault, what is so from then on], in order


class Recording(NamedTuple):
    """One trial on a real cluster; instants are seconds after the fault."""

    topology: str
    trial: str
    hit: list[str]  # the hosts of what was hit
    begins: int
    undone: float  # when the fault was taken back
    ends: int
    date: str
    versions: str
    load: list[float]  # of the machine, at the start and at the end
    nodes: dict[str, list[str]]  # etcd, servers, balancers: the hosts
    fates: dict[str, dict[str, list[int]]]  # "API writes" → fate → requests begun in each second from `begins` on
    errors: dict[str, list[list[Any]]]  # "API writes" → [text, when the first was begun, when the last, how many]
    leads: dict[str, Changes]  # etcd, kube-scheduler, kube-controller-manager → the host that leads, "" for none
    uses: dict[str, Changes]  # host of an API server → [seconds, whether the balancer uses it, why]


@cache
def recordings() -> dict[tuple[str, str], Recording]:
    """All that were recorded, by topology and trial."""
    path = HERE / "recordings.json"
    kept = json.loads(path.read_text(encoding="utf-8"))
    return {(r["topology"], r["trial"]): unfolded(r) for r in kept}


def find(topology: str, trial: str) -> Recording | None:
    """The recording of *trial* in such a cluster, or in the one that is most like it."""
    found = recordings().get((topology, trial))
    return found or recordings().get((FALLBACK.get(topology, ""), trial))


def unfolded(kept: dict[str, Any]) -> Recording:
    """A recording as it stands in the file, with its counts as numbers."""
    fates = {
        name: {fate: [DIGITS.index(digit) for digit in row[fate]] for fate in FATES}
        for name, row in kept["fates"].items()
    }
    return Recording(**(kept | {"fates": fates}))


def folded(recording: Recording) -> dict[str, Any]:
    """*recording* as it stands in the file; more than 35 requests in a second count as 35."""
    most = len(DIGITS) - 1
    fates = {
        name: {fate: "".join(DIGITS[min(most, many)] for many in row[fate]) for fate in FATES}
        for name, row in recording.fates.items()
    }
    return recording._asdict() | {"fates": fates}

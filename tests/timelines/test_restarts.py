"""From the end of a container to its next start, again and again: a back-off that doubles up to five minutes."""

import pytest

from kubemini.cluster import Cluster
from kubemini.params import Params, changed
from kubemini.sim.units import SECOND
from tests.timelines.stage import SEEDS

WAITS = (10, 20, 40, 80, 160, 300)  # seconds; the first restart comes at once
RESYNC, START = 60, 4  # a worker that waits looks again after a minute at the latest; what a turn and a start take
RECORDED = ((9, 16), (21, 30), (46, 57), (81, 85), (160, 160), (300, 314))  # of a real kubelet, in whole seconds
POD = """
apiVersion: v1
kind: Pod
metadata: {name: loop}
spec: {containers: [{name: c, image: busybox, command: [sh, -c, exit 1]}]}
"""


def bounds(wait):
    """From when to when it is started again: a look is up to half as late again by chance."""
    return wait, wait + min(wait, RESYNC) / 2 + START


@pytest.mark.parametrize("seed", SEEDS)
def test_a_container_that_always_fails(seed):
    cluster = Cluster.single(workers=1, seed=seed, params=changed(Params(), {"kubelet_details": True}))
    cluster.apply(POD)
    cluster.run(sum(bounds(wait)[1] for wait in WAITS) + 60)
    told = [(r.at / SECOND, r.detail["state"]) for r in cluster.trace.of("pod") if r.detail["name"] == "loop"]
    starts, ends = ([at for at, state in told if state == wanted] for wanted in ("starting", "exited"))
    first, *gaps = [start - end for start, end in zip(starts[1:], ends, strict=False)]
    assert first < START and len(gaps) >= len(WAITS)
    for wait, gap in zip(WAITS, gaps, strict=False):
        assert bounds(wait)[0] <= gap <= bounds(wait)[1]


def test_a_real_kubelet_is_within_the_same_bounds():
    for wait, (low, high) in zip(WAITS, RECORDED, strict=False):
        first, last = bounds(wait)
        assert first - 1 <= low <= high <= last + 1

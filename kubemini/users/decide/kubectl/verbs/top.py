"""``kubectl top``.

Models k/kubectl pkg/cmd/top TopNodeOptions.RunTopNode TopPodOptions.RunTopPod.
Simplified: a metrics-server (metricsserver/) is not asked, nor does discovery tell of its API.
"""

from kubemini.users.decide.kubectl import targets
from kubemini.users.decide.kubectl.asking import Steps, fail
from kubemini.users.decide.kubectl.flags import BOOL, Flag, Given
from kubemini.users.decide.kubectl.line import Line

FLAGS = (
    *targets.SELECTOR,
    *targets.FIELDS,
    *targets.EVERYWHERE,
    Flag("no-headers", kind=BOOL),
    Flag("containers", kind=BOOL),
    Flag("sort-by"),
    Flag("sum", kind=BOOL),
    Flag("show-capacity", kind=BOOL),
)


def top(line: Line, given: Given) -> Steps:
    """``top node`` and ``top pod``: nobody measures here."""
    if given["sort-by"] not in ("", "cpu", "memory"):
        raise fail("--sort-by accepts only cpu or memory")
    yield from line.known.load()
    raise fail("Metrics API not available")

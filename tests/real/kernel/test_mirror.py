"""What a run that was killed has left behind is cleared away by the next, and nobody else's namespaces are."""

import subprocess

import pytest

from kubemini.network.walks.ground import Plan, build
from tests.real.kernel.mirror import Mirror
from tests.real.kernel.worlds import NODES
from tests.real.namespaces import ip, sweep, told

pytestmark = pytest.mark.needs("namespaces", "iptables")


def spaces():
    return {line.split()[0] for line in told("netns", "list")}


def test_the_namespaces_of_a_process_that_is_gone_are_swept_up_and_those_of_a_living_one_stay():
    ended = subprocess.Popen(["true"])
    ended.wait()
    with Mirror(build(Plan(NODES[:1], ()))) as mirror:
        theirs = mirror.prefix.partition(".")[2] + ".n1"
        left = f"km{ended.pid}.{theirs}"
        ip(f"netns add {left}")
        sweep()
        assert mirror.space("n1") in spaces() and left not in spaces()
    assert mirror.space("n1") not in spaces()

"""A leader of Debian's etcd is killed or stopped, ten times: the others take as long as ours do."""

import signal
import time

import pytest
from realetcd import RealCluster

from kubemini.study.failovers import critical, distance, failovers

pytestmark = pytest.mark.needs("etcd")
TRIALS = 10


@pytest.mark.parametrize(("name", "fault"), [("SIGKILL", "crash"), ("SIGSTOP", "pause")])
def test_a_live_sample_of_failovers_is_distributed_like_ours(name, fault, tmp_path):
    with RealCluster(tmp_path) as real:
        measured = [one_failover(real, name) for _ in range(TRIALS)]
    ours = failovers(3, fault)
    print(f"{name}: real {sorted(measured)}, ours median {ours[len(ours) // 2]:.2f} s")
    assert distance(ours, measured) < critical(len(ours), len(measured))


def one_failover(real, name):
    """Seconds from the fault to the moment at which a survivor names another leader."""
    leader = real.wait_for_leader()
    others = [member for member in real.members if member is not leader]
    _, state = leader.ask("status", {})
    old = state["leader"]
    time.sleep(0.3)
    since = time.monotonic()
    leader.signal(getattr(signal, name))
    while not any(answer.get("leader", old) not in (old, 0) for ok, answer in ask(others) if ok):
        time.sleep(0.005)
    took = round(time.monotonic() - since, 3)
    leader.start() if name == "SIGKILL" else leader.signal(signal.SIGCONT)
    return took


def ask(members):
    return [member.ask("status", {}, timeout=1) for member in members]

"""The same random requests to Debian's etcd and to ours: every answer, every error text, every watch event."""

import signal

import pytest
from realetcd import RealCluster
from twin import SimulatedCluster, bare, requests

pytestmark = pytest.mark.needs("etcd")


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_answer_of_a_random_session_is_the_real_one(seed, tmp_path):
    ours = SimulatedCluster(3, seed)
    with RealCluster(tmp_path) as real:
        leads = real.wait_for_leader()
        mine = ours.settle().name
        for number, (method, request) in enumerate(requests(seed, 400)):
            assert tell(ours.ask(mine, method, request)) == tell(leads.ask(method, request)), (number, method, request)
        assert_same_history(real, leads, ours, mine)


def tell(answer):
    """Leases in any order; the revision of an answer that only reads leases says nothing."""
    ok, value = answer
    value = bare(value)
    if ok and "leases" in value:
        value["leases"] = sorted(lease["ID"] for lease in value["leases"])
    return ok, value


def assert_same_history(real, leads, ours, mine):
    """A watch from the oldest revision that still stands tells the same on both sides."""
    _, state = leads.ask("range", {"key": "k/0"})
    revision = state["header"]["revision"]
    leads.ask("put", {"key": "k/end", "value": "."})
    ours.ask(mine, "put", {"key": "k/end", "value": "."})
    since = max(revision - 100, 1)
    while True:
        ok, told = leads.ask("range", {"key": "k/0", "revision": since})
        if ok or "compacted" not in told["message"]:
            break
        since += 1
    watch = {"key": "k/", "range_end": "k0", "start_revision": since, "prev_kv": True}
    assert bare(ours.watch(mine, watch)) == bare(leads.watch(watch, until=revision + 1))


def test_answers_stay_the_same_while_members_die_pause_and_come_back(tmp_path):
    """Between the requests, in both clusters: a follower is killed, it returns; the leader is killed, it returns; …"""
    ours = SimulatedCluster(3, seed=5)
    with RealCluster(tmp_path) as real:
        session = iter(list(enumerate(requests(9, 300))))
        for deed in ("follower dies", "follower pauses", "leader dies", "leader pauses", "leader stops"):
            hurt_real, hurt_ours = choose(real, ours, deed)
            up = [m for m in real.members if m is not hurt_real]
            strike(hurt_real, hurt_ours, deed)
            compare_some(session, real, up, ours)
            heal(hurt_real, hurt_ours)
            compare_some(session, real, real.members, ours)


def choose(real, ours, deed):
    leads, mine = real.wait_for_leader(), ours.settle()
    if deed.startswith("leader"):
        return leads, mine
    return next(m for m in real.members if m is not leads), next(m for m in ours.members if m is not mine)


def strike(real_member, our_member, deed):
    if deed.endswith("pauses"):
        real_member.signal(signal.SIGSTOP)
        our_member.pause()
    else:
        real_member.signal(signal.SIGTERM if deed.endswith("stops") else signal.SIGKILL)
        our_member.terminate() if deed.endswith("stops") else our_member.crash()


def heal(real_member, our_member):
    if real_member.process.poll() is None:
        real_member.signal(signal.SIGCONT)
        our_member.resume()
    else:
        real_member.start()
        our_member.start()


def compare_some(session, real, up, ours):
    """Thirty requests to whoever leads now."""
    leads, mine = real.wait_for_leader(up), ours.settle().name
    for _ in range(30):
        number, (method, request) = next(session)
        assert tell(ours.ask(mine, method, request)) == tell(leads.ask(method, request)), (number, method, request)

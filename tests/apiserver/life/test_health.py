"""/livez, /readyz and /healthz: what they list, what fails when, and what is answered while a server starts."""

import pytest

from kubemini.api.kinds import LEASE, NODE
from kubemini.apiserver.decide import checks
from kubemini.sim.units import SECOND
from kubemini.wire.calls import REFUSED
from tests.apiserver.parts import config, done, refusal
from tests.worlds.kube import World

FAILS = "[-]{} failed: reason withheld"


def ready(world, server="apiserver-1"):
    """(seconds, ready, why) of each record."""
    return [(r.at / SECOND, r.detail["ready"], r.detail["why"]) for r in world.sim.trace.of("ready", server)]


def get(world, path="/readyz", query=None, user=None, server="apiserver-1"):
    """(seconds, the reply) of one look."""
    name = f"looks at {server}"
    program = world.programs.get(name) or world.program(name, [server])
    program.client.user = user or "test"
    before, began = len(program.replies), world.sim.now
    program.do(program.client.request("GET", path, query=query))
    while len(program.replies) == before:
        world.run(0.01)
    return (world.sim.now - began) / SECOND, program.replies[-1]


def failing(world, path="/readyz"):
    """(seconds, the checks that fail)."""
    took, reply = get(world, path)
    if reply.ok:
        return took, []
    assert reply.error.code == 500 and reply.error.message.endswith(f"{path[1:]} check failed")
    return took, [line[3:].split(" failed")[0] for line in reply.error.message.splitlines() if line.startswith("[-]")]


# -- the pages -------------------------------------------------------------------------------------------------------
def test_a_page_lists_every_check_in_order_and_says_ok_in_short():
    """As a kube-apiserver 1.37.2 does: 36 checks of /readyz, 34 of the others, the same ones in the same order."""
    assert [len(checks.ORDER[path]) for path in checks.PATHS] == [34, 36, 34]
    assert checks.ORDER["/livez"] == checks.ORDER["/healthz"]
    assert checks.ORDER["/readyz"][:5] == ("ping", "log", "etcd", "etcd-readiness", "informer-sync")
    assert checks.ORDER["/readyz"][-1] == "shutdown" and "shutdown" not in checks.ORDER["/livez"]
    assert checks.page("/readyz", ()) == (True, "ok")
    well, text = checks.page("/readyz", (), verbose=True)
    assert well and text.startswith("[+]ping ok\n[+]log ok\n[+]etcd ok\n")
    assert text.endswith("[+]shutdown ok\nreadyz check passed\n")


def test_a_page_fails_only_with_checks_of_its_own():
    failed = ["etcd-readiness", "shutdown"]
    assert checks.page("/livez", failed) == (True, "ok")
    well, text = checks.page("/readyz", failed)
    assert not well and [line for line in text.splitlines() if line[1] == "-"] == [FAILS.format(f) for f in failed]


def test_verbose_shows_the_whole_page_of_a_server_that_is_well():
    _, reply = get(World(), query={"verbose": ""})
    assert len(done(reply).splitlines()) == 37


# -- etcd ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("deed", ["crash", "pause"])
def test_without_etcd_livez_and_healthz_fail_after_2_s_and_readyz_after_4(deed):
    """Two checks of 2 s, one after the other: measured with 1.37.2, 4.0 s and 2.0 s."""
    world = World()
    getattr(world.etcd, deed)()
    world.run(30)
    assert failing(world) == (pytest.approx(4, abs=0.03), ["etcd", "etcd-readiness"])
    world.run(1.1)
    assert failing(world, "/livez") == (pytest.approx(2, abs=0.03), ["etcd"])
    world.run(1.1)
    assert failing(world, "/healthz") == (pytest.approx(2, abs=0.03), ["etcd"])


def test_a_check_asks_once_a_second_and_tells_others_what_it_last_found():
    world = World()
    assert failing(world, "/livez")[1] == []
    world.run(5)
    check = world.servers[0].core.health.etcd["etcd"]
    world.etcd.pause()
    world.run(0.01)
    looker = world.program("first")
    looker.do(looker.client.request("GET", "/livez"))
    world.run(0.5)
    assert failing(world, "/livez") == (pytest.approx(0, abs=0.02), [])  # nothing is known to be wrong yet
    world.run(2)
    assert check.found is not None
    looker.do(looker.client.request("GET", "/livez"))
    world.run(0.1)
    assert failing(world, "/livez") == (pytest.approx(0, abs=0.02), ["etcd"])  # at once


def test_what_counts_is_the_question_that_was_begun_last():
    """A member that hangs lets one question in three wait, and its end comes after that of the next one."""
    overtaken = False
    for seed in range(4):
        world, ended = World(members=3, seed=seed), []
        check = world.servers[0].core.health.etcd["etcd"]
        next(m for m in world.members if m.raft.role != "leader").pause()

        def ask(world=world, ended=ended, check=check):
            began = world.sim.now
            error = yield from check.ask()
            ended.append((began, error))
            assert check.found == max(ended, key=lambda one: one[0])[1]

        for _ in range(12):
            world.servers[0].spawn(ask())
            world.run(1.01)
        begun = [began for began, _ in ended]
        overtaken = overtaken or begun != sorted(begun)
        assert world.servers[0].up
    assert overtaken


def test_the_two_checks_of_etcd_recover_apart():
    apart = 0
    for seed in range(6):
        world = World(seed=seed)
        world.etcd.crash()
        world.run(10)
        world.etcd.start()
        world.run(15)
        apart += any(why in ("etcd failed", "etcd-readiness failed") for at, _, why in ready(world) if at > 13.1)
        assert ready(world)[-1][1:] == (True, "ok")
    assert apart > 2


def test_after_10_s_without_its_member_a_server_needs_about_5_more():
    """The next dials are due 9.3 and 15.8 s after the loss, a fifth sooner or later."""
    for seed in range(5):
        world = World(seed=seed)
        lost = world.sim.now / SECOND
        world.etcd.crash()
        world.run(10)
        world.etcd.start()
        world.run(20)
        at, is_ready, _ = ready(world)[-1]
        assert is_ready and 10.3 < at - lost < 19.5


def test_a_server_that_nobody_asks_notices_by_itself():
    world = World(members=3)
    lost = world.sim.now / SECOND
    for member in world.members:
        if member.raft.role != "leader":
            member.crash()
    world.run(10)
    *_, (at, is_ready, why) = ready(world)
    assert at - lost == pytest.approx(2, abs=0.1)
    assert (is_ready, why) == (False, "etcd, etcd-readiness failed")


def test_a_healthy_server_does_not_look_at_itself():
    world = World()
    world.run(30)
    check = world.servers[0].core.health.etcd["etcd"]
    before = check._begun
    world.run(300)
    assert check._begun == before


def test_in_a_stacked_cluster_a_dead_member_takes_its_own_server_along_and_no_other():
    world = World(servers=3, members=3, stacked=True)
    world.members[1].crash()
    world.run(10)
    assert [ready(world, name)[-1][1] for name in world.names] == [True, False, True]


def test_with_all_endpoints_the_loss_of_one_member_is_not_seen():
    world = World(members=3)
    world.members[0].crash()
    world.run(10)
    done(world.ask(lambda c: c.create(config())))
    assert ready(world)[-1][1]


def test_with_all_endpoints_a_hung_member_makes_every_server_flicker_until_it_is_dropped():
    world = World(servers=3, members=3, seed=2)
    hung = next(m for m in world.members if m.raft.role != "leader")
    since = world.sim.now / SECOND
    hung.pause()
    world.run(100)
    for name in world.names:
        fails = [at - since for at, is_ready, _ in ready(world, name) if not is_ready and at > since]
        assert fails and max(fails) < 45
        assert ready(world, name)[-1][1]


@pytest.mark.parametrize("seed", range(3))
def test_a_slow_disk_makes_writes_slow_and_leaves_readyz_alone(seed):
    world = World(seed=seed)
    world.etcd.host.set_slow_disk(900_000)
    started = world.sim.now
    done(world.ask(lambda c: c.create(config())))
    assert world.sim.now - started >= 900_000
    world.run(5)
    assert [r[1] for r in ready(world)] == [False, True]


# -- the start -------------------------------------------------------------------------------------------------------
def restart(world):
    """It dies and is started again; the instant."""
    world.run(2)
    world.servers[0].crash()
    world.run(1)
    world.servers[0].start()
    return world.sim.now


def test_a_server_is_ready_2_to_3_s_after_its_start():
    for seed in range(8):
        world = World(seed=seed)
        began = restart(world)
        world.run(5)
        at, is_ready, _ = ready(world)[-1]
        assert is_ready and 2 < at - began / SECOND < 3


def test_while_it_starts_hooks_fail_stage_by_stage_and_the_roles_of_rbac_last():
    world = World()
    began = restart(world)
    seen = []
    while (world.sim.now - began) < 4 * SECOND:
        _, reply = get(world)
        if reply.error != REFUSED:
            lines = [] if reply.ok else reply.error.message.splitlines()
            failed = [line[3:].split(" failed")[0] for line in lines if line.startswith("[-]")]
            if failed not in seen:
                seen.append(failed)
    stages = [[name for name in names if not name.startswith("etcd")] for names in seen]
    assert list(dict.fromkeys(map(tuple, stages))) == [
        tuple(checks.failing("/readyz", stage)) for stage in (checks.SYNCING, checks.BOOTSTRAPPING, checks.LAST, ())
    ]


def test_until_it_listens_a_connection_is_refused():
    world = World()
    restart(world)
    world.run(0.5)
    _, reply = get(world)
    assert reply.error == REFUSED


def test_until_the_rules_are_known_the_anonymous_check_and_the_managers_are_refused_with_403():
    world = World()
    restart(world)
    while not world.servers[0].listens:
        world.run(0.01)
    _, reply = get(world, "/healthz", user="system:anonymous")
    assert refusal(reply) == (403, 'forbidden: User "system:anonymous" cannot get path "/healthz"')
    manager = "system:kube-controller-manager"
    _, reply = get(world, LEASE.path("kube-system", "kube-controller-manager"), user=manager)
    assert refusal(reply) == (
        403,
        f'leases.coordination.k8s.io "kube-controller-manager" is forbidden: User "{manager}" cannot get resource '
        '"leases" in API group "coordination.k8s.io" in the namespace "kube-system"',
    )
    assert get(world, NODE.path(), user="system:node:a")[1].ok
    world.run(0.5)
    assert refusal(get(world, "/healthz", user="system:anonymous")[1])[0] == 500


class Young(World):
    """A cluster in its first moments: nothing has run yet."""

    def run(self, seconds):
        if self.programs:
            super().run(seconds)


@pytest.mark.parametrize("young", [True, False])
def test_only_in_a_new_cluster_the_rules_come_with_the_last_hook(young):
    world = Young() if young else World()
    server = world.servers[0]
    world.program("somebody")
    if not young:
        restart(world)
    while server.core.health.starting != checks.BOOTSTRAPPING:
        world.run(0.01)
    assert server.core.health.authorizes is not young
    while server.core.health.starting:
        world.run(0.01)
    assert server.core.health.authorizes


def test_a_server_that_boots_before_etcd_waits_for_it():
    world = World()
    world.servers[0].crash()
    world.etcd.crash()
    world.servers[0].start()
    world.run(10)
    assert ready(world)[-1][2] == "starting" and not world.servers[0].listens
    world.etcd.start()
    world.run(20)
    assert ready(world)[-1][1]

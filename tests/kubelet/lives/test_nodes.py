"""What becomes of pods when their node shuts down, loses its runtime, dies, or runs out of something."""

from dataclasses import replace

import pytest

from kubemini.kubelet.decide import shutdown
from kubemini.kubelet.decide.nodestatus import HARD, allocatable, least
from kubemini.sim.units import SECOND
from tests.kubelet.lives.parts import Life, configured, container, hook, pod, shell, until

HTTP = {"httpGet": {"port": 8080, "path": "/healthz"}, "periodSeconds": 5}
SHUTS_DOWN = "shutdownGracePeriod 12s and shutdownGracePeriodCriticalPods 4s"
GONE = "Pod was terminated in response to imminent node shutdown."


def test_a_node_that_shuts_down_ends_its_pods_the_critical_ones_last():
    life = Life(
        configured(SHUTS_DOWN),
        {"sleep": 8},
        pod(container("sleep", 1000), name="good"),
        pod(container("ignoreterm", 1000), name="deaf"),
        pod(container("sleep", 1000), name="critical", priorityClassName="system-node-critical"),
        until("ready('good') and ready('deaf') and ready('critical')"),
        hook("logind", "a shutdown is announced"),
        {"sleep": 2},
        pod(container("sleep", 1), name="late", nodeName="n1"),
        {"sleep": 4},
    )
    assert life.pods["critical"]["phases"][-1] == "Running", "it ends only after the others"
    life.player.play({"sleep": 8}, 0)
    ended = life.player.seen
    assert (ended.ph("good"), ended.ph("deaf"), ended.ph("critical")) == ("Succeeded", "Failed", "Succeeded")
    assert ended.now["deaf"]["status"]["reason"] == "Terminated" and ended.now["deaf"]["status"]["message"] == GONE
    assert "reason" not in ended.now["good"]["status"]
    assert all(ended.cond("DisruptionTarget", name) == "True" for name in ("good", "deaf", "critical"))
    assert life.end("late") == ("Failed", "NodeShutdown")
    told = life.said("Node/n1")
    assert ("Shutdown", "Shutdown manager detected shutdown event") in told and told[-1][0] == "NodeNotReady"


def test_pods_end_in_groups_by_their_priority():
    def of(priority):
        return {"spec": {"priority": priority, "terminationGracePeriodSeconds": 30}}

    usual = shutdown.periods(12 * SECOND, 4 * SECOND)
    low, zero, high, critical = of(-5), of(0), of(1000), of(2_000_000_000)
    assert shutdown.groups([critical, low, high, zero], usual) == [(8, [low, high, zero]), (4, [critical])]
    assert shutdown.groups([critical], usual) == [(4, [critical])], "who is not there takes no time"
    by_priority = shutdown.periods(0, 0, ((1000, 5), (0, 60)))
    assert shutdown.groups([critical, zero], by_priority) == [(60, [zero]), (5, [critical])]
    assert shutdown.grace(zero, 60) == 30 and shutdown.grace(zero, 8) == 8
    assert not shutdown.periods(0, 0)


def test_while_its_runtime_is_down_a_node_is_not_ready_and_containers_go_on():
    life = Life(pod(container("sleep", 1000)), until("ready()"), hook("containerd-stop"), {"sleep": 45})
    node = life.player.ask({"method": "GET", "path": "/api/v1/nodes/n1"}).body
    assert b"container runtime is down" in node
    assert [word for word, _ in life.said("Node/n1")] == ["NodeNotReady"]
    assert life.player.seen.ready(), "its pod stays as it is"
    life.player.play(hook("containerd-start"), 0)
    life.player.play({"sleep": 20}, 0)
    assert [row[1] for row in life.player.seen.rows["Node/n1 - kubelet"]] == ["NodeNotReady", "NodeReady"]


def test_a_runtime_that_is_away_for_twenty_seconds_twice_is_not_missed():
    life = Life(pod(container("sleep", 1000)), until("ready()"))
    for word, lasts in ("stop", 20), ("start", 5), ("stop", 20), ("start", 5):
        life.player.play(hook(f"containerd-{word}"), 0)
        life.player.play({"sleep": lasts}, 0)
    assert "Node/n1 - kubelet" not in life.player.seen.rows


def test_a_new_node_is_not_ready_for_a_moment_and_one_that_was_there_stays_ready():
    life = Life(hook("kubelet-stop"), {"sleep": 1})
    life.player.ask({"method": "DELETE", "path": "/api/v1/nodes/n1"})
    nodes = life.player.ask({"path": "/api/v1/nodes?watch=1"}).body
    for step in (hook("kubelet-start"), {"sleep": 5}, hook("kubelet-stop"), hook("kubelet-start"), {"sleep": 15}):
        life.player.play(step, 0)
    versions = [event["object"] for event in life.player._drain(nodes)]
    told = [next(one for one in node["status"]["conditions"] if one["type"] == "Ready") for node in versions]
    shown = [(one["status"], one["reason"], one["message"]) for one in told]
    assert list(dict.fromkeys(shown)) == [
        ("False", "KubeletNotReady", "CSINode is not yet initialized"),
        ("True", "KubeletReady", "kubelet is posting ready status"),
    ]
    assert shown == sorted(shown), "it goes back no more"
    assert [row[1] for row in life.player.seen.rows["Node/n1 - kubelet"]][-1] == "NodeReady"


@pytest.mark.parametrize(("gone", "tries"), [(5, 1), (45, 0)])
def test_a_pod_that_comes_while_the_runtime_is_down_is_tried_once_unless_that_is_known(gone, tries):
    life = Life(hook("containerd-stop"), {"sleep": gone}, pod(container("sleep", 1000), nodeName="n1"), {"sleep": 60})
    text = 'Failed to create pod sandbox: rpc error: code = Unavailable desc = connection error: desc = "transport: '
    text += 'Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory"'
    life.player.look()
    seen = life.player.seen
    assert seen.rows.get("Pod/p - kubelet", []) == tries * [["Warning", "FailedCreatePodSandBox", text]]
    assert seen.ev("FailedCreatePodSandBox") == tries
    life.player.play(hook("containerd-start"), 0)
    life.player.play({"sleep": 30}, 0)
    assert life.player.seen.ready()


def test_a_pod_that_waits_for_the_runtime_costs_nothing_and_ends_when_it_is_back():
    life = Life(pod(container("sleep", 1000)), until("ready()"), hook("containerd-stop"), {"sleep": 60})
    idle = _events_of_a_minute(life)
    life.player.play({"delete": "p", "grace": 1, "code": 200}, 0)
    life.player.play({"sleep": 5}, 0)
    assert _events_of_a_minute(life) < idle + 30 and not life.player.seen.gone()
    life.player.play(hook("containerd-start"), 0)
    life.player.play({"sleep": 5}, 0)
    assert life.player.seen.gone()


def _events_of_a_minute(life):
    before = life.player.world.sim.events
    life.player.play({"sleep": 60}, 0)
    return life.player.world.sim.events - before


def test_a_container_younger_than_ten_seconds_begins_its_probes_anew_with_the_kubelet():
    probed = container("http", 8080, readinessProbe=HTTP, startupProbe=HTTP)
    life = Life(pod(probed), until("ready()"), hook("kubelet-stop"), {"sleep": 2}, hook("kubelet-start"), {"sleep": 15})
    assert [row[2:] for row in life.states()[1:]] == 2 * [[False, False], [False, True], [True, True]]


def test_when_all_is_dead_pods_begin_anew_but_those_that_never_restart_have_failed():
    life = Life(
        pod(container("sleep", 1000)),
        pod(container("sleep", 1000), name="once", restartPolicy="Never"),
        until("ready() and ready('once')"),
        hook("kubelet-stop"),
        hook("kill-all"),
        {"sleep": 2},
        hook("kubelet-start"),
        {"sleep": 15},
    )
    assert [row[:2] for row in life.states()[-2:]] == [["terminated:Error:137", 0], ["running", 1]]
    assert life.end("once") == ("Failed", "") and life.states("once")[-1][0] == "terminated:Error:137"
    assert [word for word, _ in life.said("Pod/p - kubelet")] == ["SandboxChanged"]


def test_the_usual_thresholds_count_where_nobody_has_set_any():
    eats, other = pod(container("eat", 950)), pod(container("sleep", 1000), name="q")
    life = Life(configured("its usual configuration"), other, eats, until("ph() == 'Failed'"), memory="1Gi")
    assert life.end("p") == ("Failed", "Evicted") and life.end("q") == ("Running", "")
    assert ("EvictionThresholdMet", "Attempting to reclaim memory") in life.said("Node/n1")
    assert "Threshold quantity: <quantity>" in life.pods["p"]["reason"][-1][1]


def test_a_share_is_of_what_the_node_has_and_is_kept_from_its_pods():
    assert least(HARD["nodefs.available"], 40 << 30) == 4 << 30 and least("100Mi", 1 << 40) == 100 << 20
    has = {"cpu": "1", "memory": "1Gi", "ephemeral-storage": "10Gi"}
    assert allocatable(has)["memory"] == f"{924 * 1024}Ki" and allocatable(has)["ephemeral-storage"] == str(9 << 30)
    assert allocatable(has, {})["memory"] == f"{1 << 20}Ki"
    assert allocatable(has, {"memory.available": "25%"})["memory"] == f"{768 * 1024}Ki"


def test_a_node_out_of_inodes_has_disk_pressure_and_one_out_of_processes_pid_pressure():
    files = shell("for i in 1 2 3 4 5 6 7 8 9; do touch /data/$i; done; sleep 1000")
    life = Life(pod(files), until("ready()"))
    kubelet = life.world.kubelet
    for signal, pressure in (("nodefs.inodesFree", "DiskPressure"), ("pid.available", "PIDPressure")):
        scarce = {signal: kubelet.evicting.free(signal) + 1}
        kubelet.evicting.configuration = replace(life.world.usual, eviction_hard=scarce)
        kubelet.evicting.start()
        life.player.play({"sleep": 21}, 0)
        assert pressure in kubelet.heartbeat.pressures
    assert "low on resource: inodes. " in life.player.seen.now["p"]["status"]["message"]


def test_a_manifest_that_is_no_pod_is_passed_over():
    life = Life(
        hook("static-bad"), {"sleep": 3}, hook("static-write", "a manifest of pod web"), until("ready('web-n1')")
    )
    assert not life.wrong and list(life.pods) == ["web-n1"]


def test_a_line_that_is_not_ended_has_no_end_in_log_or_message():
    text = {"terminationMessagePolicy": "FallbackToLogsOnError"}
    whole, half = shell("echo DONE; false", **text), shell("echo a; printf DONE; false", name="d", **text)
    life = Life(pod(whole, half, restartPolicy="Never"), until("ph() == 'Failed'"))
    ended = [one["state"]["terminated"] for one in life.player.seen.now["p"]["status"]["containerStatuses"]]
    assert [one["message"] for one in ended] == ["DONE\n", "a\nDONE"]
    assert life.log("p -c d") == "a\nDONE"


def test_a_shutdown_that_is_called_off_while_pods_end_is_heard_of_when_they_have_ended():
    life = Life(
        configured(SHUTS_DOWN),
        {"sleep": 8},
        pod(container("ignoreterm", 1000), name="deaf"),
        until("ready('deaf')"),
        hook("logind", "a shutdown is announced"),
        {"sleep": 2},
        hook("logind", "the shutdown is cancelled"),
        {"sleep": 3},
    )
    assert life.world.kubelet.shutting_down.going, "its pods are not gone yet"
    life.player.play({"sleep": 20}, 0)
    assert life.player.seen.ph("deaf") == "Failed" and life.player.seen.ev("NodeReady") and not life.wrong
    assert not life.world.kubelet.shutting_down.going


def test_a_new_node_tells_its_conditions_before_what_it_enforces_and_an_old_one_after():
    life = Life(hook("kubelet-stop"), {"sleep": 1}, hook("kubelet-start"), {"sleep": 2}, hook("kubelet-stop"))
    old = [word for word, _ in life.said("Node/n1 - kubelet")]
    assert old.index("NodeAllocatableEnforced") < old.index("NodeHasSufficientMemory")
    new = Life(
        hook("kubelet-stop"), {"method": "DELETE", "path": "/api/v1/nodes/n1", "code": 200}, hook("kubelet-start")
    )
    new.player.play({"sleep": 20}, 0)
    told = [row[1] for where, rows in new.player.seen.rows.items() if where.startswith("Node/n1 - kub") for row in rows]
    assert told[-5:] == [f"NodeHas{what}" for what in ("SufficientMemory", "NoDiskPressure", "SufficientPID")] + [
        "NodeAllocatableEnforced",
        "NodeReady",
    ]

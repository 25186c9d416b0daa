"""What a kubelet decides about one pod: what starts, what is killed, what waits, what the API is told."""

import pytest

from kubemini.api.objects import evolve, freeze
from kubemini.kubelet.decide.pods import ending, images, policy
from kubemini.kubelet.decide.pods.actions import LIVENESS, actions
from kubemini.kubelet.decide.pods.admission import Place, is_critical, refusal, victims
from kubemini.kubelet.decide.pods.backoff import Backoffs, shown
from kubemini.kubelet.decide.pods.probing import Outcome, Prober
from kubemini.kubelet.decide.pods.runs import EXITED, RUNNING, PodView, Run
from kubemini.kubelet.decide.pods.table import MOVES, PodLife
from kubemini.kubelet.decide.pods.told import status
from kubemini.sim.units import NEVER, SECOND
from tests.kubelet.parts import pod

BOUNDS = (10 * SECOND, 300 * SECOND)


def run(name="web", state=RUNNING, code=0, attempt=0, image="shop/web:1.0", at=SECOND):
    ended = {"finished_at": at + SECOND, "exit_code": code, "reason": "Error" if code else "Completed"}
    more = ended if state == EXITED else {}
    spec = freeze({"name": name, "image": image})
    return Run(f"{name}-{attempt}", name, attempt, 0, image, "", state, at, at, spec=spec, **more)


def view(*runs, ready=True):
    return PodView(list(runs), 0, ready, ("10.244.1.2",))


def nobody(kind, run):
    return None


def with_inits(*inits, **spec):
    return pod(initContainers=[{"name": name, "image": "i", **more} for name, more in inits], **spec)


# -- the table -------------------------------------------------------------------------------------------------------
def test_an_illegal_move_is_refused_in_words():
    with pytest.raises(AssertionError, match="a pod that is syncing cannot take the move 'stopped'"):
        PodLife(pod()).become("stopped")


def test_a_pod_that_is_to_end_never_comes_back():
    reached = {state for (before, _), state in MOVES.items() if before != "syncing"}
    assert "syncing" not in set(MOVES.values()) and reached == {"terminated", "finished"}


# -- who starts again ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "of_pod,own,code,again",
    [
        ("Always", None, 0, True),
        ("OnFailure", None, 0, False),
        ("OnFailure", None, 1, True),
        ("Never", None, 1, False),
        ("Never", "Always", 0, True),
        ("Always", "Never", 1, False),
    ],
)
def test_a_container_s_own_policy_stands_before_the_pod_s(of_pod, own, code, again):
    container = {"name": "web"} | ({"restartPolicy": own} if own else {})
    assert policy.restarts(container, pod(restartPolicy=of_pod), code) is again


def test_a_rule_about_an_exit_code_stands_before_both():
    rule = {"action": "Restart", "exitCodes": {"operator": "In", "values": [42]}}
    container = {"name": "web", "restartPolicy": "Never", "restartPolicyRules": [rule]}
    assert [policy.restarts(container, pod(), code) for code in (42, 7)] == [True, False]


# -- what is done ----------------------------------------------------------------------------------------------------
def test_a_new_pod_gets_a_sandbox_and_all_its_containers_or_the_first_init_container():
    plan = actions(pod(), PodView(), nobody)
    assert (plan.create_sandbox, plan.changed, plan.mains, plan.inits) == (True, False, ["web"], [])
    plan = actions(with_inits(("a", {}), ("b", {})), PodView(), nobody)
    assert (plan.mains, plan.inits) == ([], ["a"])


def test_init_containers_come_one_after_the_other_and_then_the_main_ones():
    two = with_inits(("a", {}), ("b", {}))
    assert actions(two, view(run("a", image="i")), nobody).inits == []
    assert actions(two, view(run("a", EXITED, image="i")), nobody).inits == ["b"]
    done = [run("a", EXITED, image="i"), run("b", EXITED, image="i")]
    assert actions(two, view(*done), nobody).mains == ["web"]


def test_an_init_container_that_fails_for_good_ends_the_pod():
    never = with_inits(("a", {}), restartPolicy="Never")
    assert actions(never, view(run("a", EXITED, 4, image="i")), nobody).kill_pod
    assert actions(with_inits(("a", {})), view(run("a", EXITED, 4, image="i")), nobody).inits == ["a"]


def test_a_sidecar_lets_the_next_one_begin_when_it_counts_as_started():
    side = {"restartPolicy": "Always", "startupProbe": {}}
    waiting = with_inits(("s", side | {"startupProbe": {"periodSeconds": 1}}))
    running = view(run("s", image="i"))
    assert actions(waiting, running, nobody).mains == []
    assert actions(waiting, running, lambda kind, run: True).mains == ["web"]
    killed = actions(waiting, running, lambda kind, run: False)
    assert [kill.message for kill in killed.kills] == ["Init container s failed startup probe"] and killed.inits == [
        "s"
    ]


def test_a_failed_liveness_probe_kills_and_starts_in_one_plan():
    plan = actions(pod(), view(run()), lambda kind, run: kind != LIVENESS)
    assert [kill.message for kill in plan.kills] == ["Container web failed liveness probe, will be restarted"]
    assert plan.mains == ["web"] and not plan.kill_pod
    assert actions(pod(restartPolicy="Never"), view(run()), lambda kind, run: kind != LIVENESS).kill_pod


def test_another_image_is_another_container():
    changed = evolve(pod(), ("spec", "containers"), ({"name": "web", "image": "shop/web:2.0"},))
    plan = actions(changed, view(run()), nobody)
    assert plan.kills[0].message == "Container web definition changed, will be restarted" and plan.mains == ["web"]


def test_a_pod_whose_sandbox_is_gone_begins_anew_unless_it_never_restarts():
    plan = actions(pod(), view(run(state=EXITED, code=137), ready=False), nobody)
    assert plan.kill_pod and plan.create_sandbox and plan.changed
    assert not actions(pod(restartPolicy="Never"), view(run(state=EXITED), ready=False), nobody).create_sandbox


def test_the_sidecars_end_with_the_last_main_container():
    side = with_inits(("s", {"restartPolicy": "Always"}), restartPolicy="Never")
    plan = actions(side, view(run("s", image="i"), run(state=EXITED)), nobody)
    assert plan.kill_pod and plan.inits == []


# -- back-off --------------------------------------------------------------------------------------------------------
def restarts(backoffs, runs):
    """The waits (s) of a container that ends so many times, each run lasting so long (s)."""
    now, waits = 0, []
    for lasted in runs:
        now += lasted * SECOND
        end = now
        while backoffs.seen("c", end, now):
            now += SECOND
        waits.append((now - end) // SECOND)
        backoffs.advance("c", end, now)
    return waits


def test_the_first_restart_comes_at_once_and_then_the_wait_doubles_to_five_minutes():
    assert restarts(Backoffs(BOUNDS), [1] * 9) == [0, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_run_of_more_than_ten_minutes_is_forgiven():
    assert restarts(Backoffs(BOUNDS), [1, 1, 1, 601, 1]) == [0, 10, 20, 0, 10]
    assert restarts(Backoffs(BOUNDS), [1, 1, 1, 599]) == [0, 10, 20, 40]


@pytest.mark.parametrize(("wait", "text"), [(10, "10s"), (80, "1m20s"), (300, "5m0s")])
def test_a_wait_is_said_as_go_says_it(wait, text):
    assert shown(wait * SECOND) == text


# -- probes ----------------------------------------------------------------------------------------------------------
def prober(kind="livenessProbe", **spec):
    found = Prober("web", kind, spec, clock=0)
    found.meet("web-0", 3 * SECOND)
    found.begun = True
    return found


def test_a_probe_ticks_by_the_clock_of_the_pod_and_leaves_a_young_container_alone():
    assert prober().next_look(4 * SECOND, True, True, True) == 10 * SECOND
    assert prober(initialDelaySeconds=8).next_look(4 * SECOND, True, True, True) == 20 * SECOND
    assert prober().next_look(4 * SECOND, False, True, True) == NEVER


def test_so_many_answers_in_a_row_count_and_then_liveness_rests():
    probe = prober(failureThreshold=3)
    bad, good = Outcome(False), Outcome(True)
    assert [probe.hear(one) for one in (bad, bad, good, bad, bad, bad)] == [None, None, True, None, None, False]
    assert probe.on_hold and probe.next_look(0, True, False, True) == NEVER


def test_what_is_well_for_good_is_not_asked_again():
    probe = prober("readinessProbe")
    assert probe.hear(Outcome(True)) is True
    assert probe.next_look(4 * SECOND, True, True, True) == NEVER
    probe.hear(Outcome(True, until=35 * SECOND))
    assert probe.next_look(4 * SECOND, True, True, True) == 40 * SECOND
    probe.hear(Outcome(False))
    assert probe.next_look(4 * SECOND, True, False, True) == 10 * SECOND


# -- the end ---------------------------------------------------------------------------------------------------------
def test_the_grace_of_the_deletion_stands_before_a_probe_s_and_that_before_the_pod_s():
    patient = pod(terminationGracePeriodSeconds=7)
    probed = {"name": "web", "livenessProbe": {"terminationGracePeriodSeconds": 1}}
    assert [ending.grace_of(patient, probed, why) for why in ("", LIVENESS)] == [7, 1]
    deleted = evolve(patient, ("metadata", "deletionGracePeriodSeconds"), 3)
    assert ending.grace_of(deleted, probed, LIVENESS) == 3


def test_the_grace_of_a_pod_only_becomes_less():
    deleted = evolve(pod(), ("metadata", "deletionGracePeriodSeconds"), 60)
    assert (ending.grace_of_pod(deleted, 4), ending.grace_of_pod(pod()), ending.grace_of_pod(deleted, 4, 0)) == (
        4,
        30,
        1,
    )


def test_sidecars_wait_for_main_containers_and_for_the_sidecars_after_them():
    always = {"restartPolicy": "Always"}
    sides = with_inits(("a", always), ("i", {}), ("b", always))
    running = ["a", "b", "web"]
    assert [ending.waits_for(sides, name, running) for name in running] == [["web", "b"], ["web"], []]


# -- what the API is told --------------------------------------------------------------------------------------------
class Passed:
    """Probes that have all passed."""

    def started(self, name, run, was):
        return True

    ready = started


def told(pod, view, old=None, reasons=None, now=50 * SECOND, **more):
    return status.made_up(pod, view, old or {}, reasons or {}, Passed(), ["192.168.0.101"], now, **more)


def condition(found, type):
    return next(one for one in found["conditions"] if one["type"] == type)


def test_a_pod_without_a_sandbox_is_pending_and_has_no_address():
    found = told(pod(), PodView())
    assert found["phase"] == "Pending" and "podIP" not in found
    assert condition(found, "PodReadyToStartContainers")["message"] == "no pod sandbox exists"
    assert condition(found, "Ready")["message"] == "containers with unready status: [web]"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "ContainerCreating"}}


def test_a_running_pod_says_so_and_where():
    found = told(pod(), view(run()))
    assert (found["phase"], found["podIP"]) == ("Running", "10.244.1.2")
    assert condition(found, "Ready")["status"] == "True"


def test_a_crash_loop_is_told_only_when_its_reason_is_known():
    crashed = view(run(state=EXITED, code=1))
    first = told(pod(), crashed)["containerStatuses"][0]
    assert first["state"]["terminated"]["exitCode"] == 1
    second = told(pod(), crashed, reasons={"web": ("CrashLoopBackOff", "back-off 10s …")})
    waiting = second["containerStatuses"][0]
    assert waiting["state"] == {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 10s …"}}
    assert waiting["lastState"]["terminated"]["exitCode"] == 1 and second["phase"] == "Running"


@pytest.mark.parametrize("code,phase,reason", [(0, "Succeeded", "PodCompleted"), (1, "Failed", "PodFailed")])
def test_an_end_is_told_before_the_phase(code, phase, reason):
    never = pod(restartPolicy="Never")
    found = told(never, view(run(state=EXITED, code=code)), old={"phase": "Running"})
    assert (found["phase"], condition(found, "Ready")["reason"]) == (phase, reason)
    assert status.told(found, {"phase": "Running"}, running=True)["phase"] == "Running"
    assert status.told(found, {"phase": "Running"}, running=False)["phase"] == phase


def test_what_never_ran_has_ended_badly_when_its_pod_is_gone():
    found = status.final(pod(), told(pod(), PodView(), terminal=True))
    ended = found["containerStatuses"][0]["state"]["terminated"]
    assert (found["phase"], ended["reason"], ended["exitCode"]) == ("Failed", "ContainerStatusUnknown", 137)


def test_a_condition_s_transition_time_moves_only_with_its_status():
    early = told(pod(), PodView(), now=1 * SECOND)
    late = told(pod(), PodView(), old=early, now=5 * SECOND)
    ready = told(pod(), view(run()), old=late, now=7 * SECOND)
    stamps = [condition(one, "Ready")["lastTransitionTime"][-3:-1] for one in (early, late, ready)]
    assert stamps == ["01", "01", "07"]


def test_what_others_have_said_of_a_disruption_stays_until_the_kubelet_says_it_itself():
    theirs = {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"}
    marked = evolve(pod(), ("status",), {"conditions": [theirs]})
    assert condition(told(marked, view(run())), "DisruptionTarget") == theirs
    own = {**theirs, "reason": "TerminationByKubelet"}
    assert condition(told(marked, view(run()), old={"conditions": [own]}), "DisruptionTarget") == own


def test_gates_that_others_open_hold_ready_back():
    gated = pod(readinessGates=[{"conditionType": "example.test/ok"}])
    found = told(gated, view(run()))
    text = 'corresponding condition of pod readiness gate "example.test/ok" does not exist.'
    assert (condition(found, "Ready")["message"], condition(found, "ContainersReady")["status"]) == (text, "True")


def test_init_containers_that_are_left_are_named():
    found = told(with_inits(("a", {}), ("b", {})), view(run("a", EXITED, image="i")))
    assert condition(found, "Initialized")["message"] == "containers with incomplete status: [b]"
    assert found["containerStatuses"][0]["state"] == {"waiting": {"reason": "PodInitializing"}}


# -- images ----------------------------------------------------------------------------------------------------------
def test_a_name_that_is_none_is_said_in_the_kubelet_s_words():
    assert images.problem("shop/web:1.0") == images.problem("registry.example.test:5000/a/b@sha256:" + 64 * "0") == ""
    assert images.problem("Shop") == (
        'Failed to apply default image tag "Shop": couldn\'t parse image name "Shop": '
        "invalid reference format: repository name (Shop) must be lowercase"
    )


# -- admission -------------------------------------------------------------------------------------------------------
NODE = freeze(
    {
        "metadata": {"name": "n1", "labels": {"zone": "a"}},
        "spec": {"taints": [{"key": "k", "value": "v", "effect": "NoExecute"}]},
        "status": {"allocatable": {"cpu": "2", "memory": "1Gi", "pods": "3"}},
    }
)
ANYWHERE = [{"operator": "Exists"}]


def asking(name="p", cpu=None, **spec):
    resources = {"resources": {"requests": {"cpu": cpu}}} if cpu else {}
    return pod(name, container=resources | spec.pop("container", {}), tolerations=ANYWHERE, **spec)


@pytest.mark.parametrize(
    "spec,reason",
    [
        ({"cpu": "3"}, "OutOfcpu"),
        ({"nodeSelector": {"zone": "b"}}, "NodeAffinity"),
        ({"os": {"name": "windows"}}, "PodOSNotSupported"),
        ({"securityContext": {"sysctls": [{"name": "net.core.somaxconn", "value": "1"}]}}, "SysctlForbidden"),
        ({"container": {"ports": [{"containerPort": 80, "hostPort": 80}]}}, "NodePorts"),
        ({"tolerations": []}, "TaintToleration"),
    ],
)
def test_what_a_node_cannot_take_is_refused(spec, reason):
    other = asking("other", container={"ports": [{"containerPort": 8080, "hostPort": 80}]})
    wanted = evolve(
        asking(**{k: v for k, v in spec.items() if k != "tolerations"}),
        ("spec", "tolerations"),
        spec.get("tolerations", ANYWHERE),
    )
    assert refusal(freeze(wanted), Place(NODE, [other])).reason == reason
    assert refusal(asking(), Place(NODE, [other])) is None


def test_a_critical_pod_makes_room_with_the_least_that_is_enough():
    critical = asking("q", "1", priority=2_000_000_000)
    others = [asking("big", "1500m"), asking("small", "400m"), asking("none")]
    short = refusal(critical, Place(NODE, others)).short
    assert is_critical(critical) and short == {"cpu": 900, "pods": 1}
    assert [one["metadata"]["name"] for one in victims(critical, short, others)] == ["big"]


def test_a_node_under_pressure_takes_no_pod_that_promises_nothing():
    careless = evolve(asking(), ("status",), {"qosClass": "BestEffort"})
    found = refusal(freeze(careless), Place(NODE, [], ("MemoryPressure",)))
    assert found == ("Evicted", "The node had condition: [MemoryPressure]. ", {})

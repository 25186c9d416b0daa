"""Chapter 1: what the page asks for is what the cluster does, and not only under the seed of the page."""

import pytest

from kubemini.lab import check, quiz
from kubemini.lab.anatomy.impact import DEEDS, impact
from kubemini.lab.anatomy.order import STEPS, instants
from kubemini.lab.anatomy.spy import clusters, talkers
from kubemini.lab.anatomy.story import PROGRAMS
from kubemini.lab.questions import of_chapter
from kubemini.lab.visits import share, visits
from kubemini.sim.units import SECOND
from kubemini.simulate import run

SEEDS = (3, 1, 2)
ANSWERS = {name: asked["answer"] for name, asked in of_chapter("anatomy")["predictions"].items()}
STAIRS = {  # six programs own a step: visits never stop, the rest stops there; CoreDNS owns the name
    "apiserver-1": "ynnnnn",
    "etcd-1": "ynnnnn",
    "controller-manager-1": "yynnnn",
    "scheduler-1": "yyynnn",
    "kubelet@worker-1": "yyyynn",
    "kube-proxy@worker-1": "yyyyyn",
    "coredns": "nyyyyn",
}


def names(trace, what, **wanted):
    return {
        r.detail["name"]
        for r in trace.of(what)
        if r.at > 20 * SECOND and all(r.detail[k] == v for k, v in wanted.items())
    }


@pytest.mark.parametrize("seed", SEEDS)
def test_kubectl_talks_to_the_api_server_alone_and_four_pods_serve(seed):
    assert ANSWERS["scale"].startswith("The API server alone")
    trace = run("anatomy", seed)
    asked = [r for r in trace.of("request") if r.actor == "kubectl" and r.at > 20 * SECOND]
    assert [r.detail["via"] for r in asked] == [["apiserver-1"]]
    assert len({r.detail["via"][-1] for r in visits(trace, 25, 45)}) == 4


@pytest.mark.parametrize("seed", SEEDS)
def test_the_objects_change_in_the_order_the_page_prints(seed):
    kinds = [r.detail["kind"] for r in run("anatomy", seed).of("object") if r.at > 20 * SECOND]
    first = list(dict.fromkeys(kinds))
    assert first[:3] == ["Deployment", "ReplicaSet", "Pod"] and "EndpointSlice" in first


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_controller_manager_kubectl_is_told_that_it_is_done_and_nothing_else_changes(seed):
    assert ANSWERS["broken"].startswith("kubectl is told that the Deployment is scaled")
    trace = run("anatomy", seed, [(15, "crash", "controller-manager-1")])
    asked = [r for r in trace.of("request") if r.actor == "kubectl" and r.at > 20 * SECOND]
    assert [r.detail["outcome"] for r in asked] == ["ok"]
    changed = [r.detail["kind"] for r in trace.of("object") if r.at > 20 * SECOND]
    assert changed == ["Deployment"] and share(visits(trace, 20, 44)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_without_the_scheduler_pods_are_made_and_none_starts(seed):
    assert ANSWERS["scheduler"].startswith("Two new Pod objects appear")
    trace = run("anatomy", seed, [(15, "crash", "scheduler-1")])
    assert len(names(trace, "object", kind="Pod", verb="ADDED")) == 2
    assert not names(trace, "pod") and share(visits(trace, 20, 44)) == 1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_restarted_scheduler_waits_for_its_lease_and_then_binds_what_it_missed(seed):
    trace = run("anatomy", seed, [(15, "crash", "scheduler-1"), (22, "restart", "scheduler-1")])
    assert len(names(trace, "pod", state="running")) == 2


@pytest.mark.parametrize("seed", SEEDS)
def test_without_its_kubelet_a_worker_serves_on_and_is_still_called_ready(seed):
    assert ANSWERS["kubelet"] == "They run and serve on"
    trace = run("anatomy", seed, [(20, "crash", "kubelet@worker-1")], until=60)
    assert share(visits(trace, 20, 59)) == 1
    assert not names(trace, "object", kind="Node")


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_program_owns_one_step_of_the_stairs_and_coredns_the_name(program):
    assert "".join("ny"[done] for done in impact(program).values()) == STAIRS[program]


def test_a_healthy_cluster_does_all_the_deeds():
    assert impact() == dict.fromkeys(DEEDS, True)


def test_the_stairs_pass_and_a_missed_cell_is_named():
    assert check("anatomy.impact", STAIRS).passed
    report = check("anatomy.impact", {**STAIRS, "kubelet@worker-1": "n n n n n n"})
    assert "38 of 42 cells agree" in report.hint and "“visit” without kubelet@worker-1" in report.hint


def test_every_miss_of_the_matrix_is_explained_by_what_has_happened():
    wrong = {program: "".join("ny"[letter == "n"] for letter in row) for program, row in STAIRS.items()}
    report = check("anatomy.impact", wrong)
    assert report.hint.startswith("0 of 42 cells agree") and len(report.facts) == 42
    said = "\n".join(report.facts)
    assert "without scheduler-1: the new pods run: no, for it fails earlier, at “place”: the scheduler writes" in said
    assert "without scheduler-1: the new pods get a node: no, for the scheduler writes the node into a Pod" in said
    assert "without coredns: every visit is answered: no, for a visitor asks CoreDNS for the address" in said
    assert "without etcd-1: every visit is answered: yes" in said and "etcd-1 has no part in it" in said


@pytest.mark.parametrize("answer", [{}, STAIRS | {"scheduler-1": "? ? ? ? ? ?"}, STAIRS | {"scheduler-1": "yyy"}, 5])
def test_an_unfinished_matrix_is_told_what_is_missing(answer):
    assert check("anatomy.impact", answer).status == "hint"


def test_the_steps_of_the_table_are_in_an_order_that_happens():
    assert check("anatomy.order", list(STEPS)).passed
    seen = instants(1)
    assert seen["the Deployment is stored"] < seen["a Pod object exists"] < seen["the kernel has a rule"]


def test_a_step_that_comes_too_early_is_named():
    steps = list(STEPS)
    steps.insert(0, steps.pop(steps.index("the container runs")))
    report = check("anatomy.order", steps)
    assert report.status == "hint" and "“the container runs” cannot come before" in report.hint
    assert check("anatomy.order", steps[:3]).hint.startswith("Give check() a list of all 9 steps")


def test_kubectl_need_not_wait_for_anybody():
    steps = list(STEPS)
    steps.append(steps.pop(steps.index("kubectl has its answer")))
    report = check("anatomy.order", steps)
    assert report.status == "hint" and "“kubectl has its answer”" in report.hint


PLANE = ["apiserver-1", "etcd-1", "scheduler-1", "controller-manager-1"]
WORKERS = ["kubelet@worker-1", "kubelet@worker-2", "kube-proxy@worker-1", "kube-proxy@worker-2"]


def test_containers_and_rules_suffice():
    assert check("anatomy.minimal", PLANE + WORKERS).passed


@pytest.mark.parametrize(
    ("gone", "hint"),
    [
        (PLANE, "The shop serves, with 6 programs left"),
        ([*PLANE, "pods@worker-1"], "The shop does not serve any more"),
        ([*PLANE, "visitor@worker-1"], "'visitor@worker-1' is none of them"),
        ([], "Give check() a list of programs to crash"),
    ],
)
def test_too_little_and_too_much_are_told_apart(gone, hint):
    assert hint in check("anatomy.minimal", gone).hint


@pytest.mark.parametrize("name", ["anatomy.warm-up", "anatomy.saw-scale", "anatomy.saw-scheduler", "anatomy.quiz"])
def test_the_questions_are_there(name):
    assert quiz(name).questions


def spies(trace):
    return {record.actor for record in trace.of("sent") if record.detail["to"].startswith("etcd-")}


def test_the_api_servers_alone_speak_with_etcd_and_who_has_etcdctl():
    assert [set(talkers(trace)) for _, trace in clusters()] == [
        {"apiserver-1"},
        {"apiserver-1", "apiserver-2", "apiserver-3"},
        {"apiserver-1", "kubectl"},
    ]
    report = check("anatomy.spy", spies)
    assert report.passed and "somebody with etcdctl: apiserver-1 (27 requests), kubectl (4 requests)" in report.facts


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda trace: {record.actor for record in trace.of("sent")}, "one API server: you name controller-manager-1"),
        (lambda trace: {"apiserver-1"}, "three API servers: apiserver-2 has sent"),
        (lambda trace: spies(trace) - {"kubectl"}, "somebody with etcdctl: kubectl has sent 4 requests"),
        (lambda trace: 1, "Return a set of names"),
        (lambda trace: None, "returned nothing yet"),
        ({"apiserver-1"}, "Give check() the function itself"),
    ],
)
def test_a_spy_that_names_too_many_or_too_few_is_told_where(wrong, hint):
    assert hint in check("anatomy.spy", wrong).hint

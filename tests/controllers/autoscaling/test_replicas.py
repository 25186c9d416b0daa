"""How many pods a usage asks for. What the real one does: the histories of hpa."""

import pytest

from kubemini.api.objects import evolve, evolve_many
from kubemini.api.timestamps import timestamp
from kubemini.controllers.decide.autoscaling import replicas
from kubemini.controllers.decide.autoscaling.replicas import (
    Measured,
    Patience,
    Resource,
    Tolerances,
    Uncountable,
    Wanted,
)
from kubemini.sim.units import MINUTE, SECOND
from tests.controllers.parts import a_pod

NOW = 10 * MINUTE
TEN = Tolerances(0.1, 0.1)
CPU = Resource("cpu", "", NOW, Patience(5 * MINUTE, 30 * SECOND))
MEMORY = CPU._replace(name="memory")


def using(name, cpu="100m", started=0, since=0, **how):
    container = {"name": "c", "resources": {"requests": {"cpu": cpu}}}
    edits = (("spec", "containers"), [container]), (("status", "startTime"), timestamp(started))
    return evolve_many(a_pod(name, since=since, **how), *edits)


def measured(**values):
    return {name: Measured(value, NOW, SECOND) for name, value in values.items()}


def pods(count):
    return [using(f"p{n}") for n in range(count)]


def at(*values):
    return {f"p{n}": Measured(value, NOW, SECOND) for n, value in enumerate(values)}


@pytest.mark.parametrize(
    ("used", "wanted"),
    [(55, 4), (45, 4), (56, 5), (44, 4), (50, 4), (100, 8), (1, 1)],  # 10 % either way change nothing
)
def test_four_pods_at_a_target_of_half_become_as_many_as_bring_them_there(used, wanted):
    found = replicas.by_utilization(pods(4), at(*[used] * 4), 4, 50, CPU, TEN)
    assert found == Wanted(wanted, used, used)


def test_a_pod_without_metrics_is_idle_on_the_way_up_and_full_on_the_way_down():
    assert replicas.by_utilization(pods(4), at(100, 100, 100), 4, 50, CPU, TEN).replicas == 6
    assert replicas.by_utilization(pods(4), at(10, 10, 10), 4, 50, CPU, TEN).replicas == 3
    assert replicas.by_utilization(pods(2), at(60), 2, 50, CPU, TEN).replicas == 2  # it would turn round


def test_a_target_above_all_that_is_asked_for_is_what_a_missing_pod_is_assumed_at():
    assert replicas.by_utilization(pods(4), at(50, 50, 50), 4, 150, CPU, TEN).replicas == 2


def test_pods_that_start_count_as_idle_and_only_if_more_are_asked_for():
    young = using("young", started=NOW - MINUTE, since=NOW)
    assert replicas.by_utilization([*pods(2), young], at(90, 90) | measured(young=90), 3, 50, CPU, TEN).replicas == 4
    assert replicas.by_utilization([*pods(2), young], at(10, 10) | measured(young=0), 3, 50, CPU, TEN).replicas == 1


@pytest.mark.parametrize(
    ("pod", "metric_at", "group"),
    [
        (using("x", phase="Pending"), NOW, "unready"),
        (using("x", phase="Failed"), NOW, "ignored"),
        (using("x", deletionTimestamp="x"), NOW, "ignored"),
        (using("x"), None, "missing"),
        (using("x", ready=False, started=NOW - MINUTE), NOW, "unready"),
        (using("x", started=NOW - MINUTE, since=NOW - MINUTE), NOW, "ready"),
        (using("x", started=NOW - MINUTE, since=NOW), NOW, "unready"),  # no whole window since it is ready
        (using("x", ready=False, started=0, since=20 * SECOND), NOW, "unready"),  # it has never been
        (using("x", ready=False, started=0, since=2 * MINUTE), NOW, "ready"),  # it was, and may be overloaded
    ],
)
def test_who_counts_for_cpu(pod, metric_at, group):
    metrics = {} if metric_at is None else {"x": Measured(1, metric_at, SECOND)}
    groups = replicas.grouped([pod], metrics, CPU)
    found = {"unready": groups.unready, "missing": groups.missing, "ignored": groups.ignored}
    assert (groups.ready == 1) if group == "ready" else found[group] == {"x"}


def test_for_memory_a_pod_that_starts_counts():
    young = using("young", ready=False, started=NOW)
    assert replicas.grouped([young], measured(young=1), MEMORY).ready == 1


@pytest.mark.parametrize(
    ("pod", "how", "why"),
    [
        (using("x", cpu=None), CPU, "missing request for cpu in container c of Pod x"),
        (using("x"), CPU._replace(container="other"), "container other not found in Pod x"),
        (
            evolve(using("x"), ("spec", "resources"), {"requests": {"memory": "1Gi"}}),
            CPU,
            "missing pod-level request for cpu in Pod x",
        ),
    ],
)
def test_a_pod_that_asks_for_nothing_cannot_be_counted(pod, how, why):
    bare = pod
    if pod["spec"]["containers"][0]["resources"]["requests"]["cpu"] is None:
        bare = evolve(pod, ("spec", "containers", 0, "resources"), {})
    with pytest.raises(Uncountable, match=why):
        replicas.request(bare, how)


def test_sidecars_and_the_pods_own_request_count():
    sidecar = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "20m"}}}
    with_sidecar = evolve(using("x"), ("spec", "initContainers"), [sidecar, {"name": "i"}])
    assert replicas.request(with_sidecar, CPU) == 120
    assert replicas.request(with_sidecar, CPU._replace(container="s")) == 20
    own = evolve(with_sidecar, ("spec", "resources"), {"requests": {"cpu": "1"}})
    assert replicas.request(own, CPU) == 1000 and replicas.request(own, CPU._replace(container="c")) == 100


def test_nobody_to_count_and_nobody_measured_are_told_apart():
    with pytest.raises(Uncountable, match="no pods returned by selector"):
        replicas.by_value([], at(1), 1, 1, CPU, TEN)
    with pytest.raises(Uncountable, match="did not receive metrics"):
        replicas.by_value(pods(1), {}, 1, 1, CPU, TEN)


def test_a_value_a_pod_and_what_all_share():
    assert replicas.by_value(pods(2), at(90, 90), 2, 30, CPU, TEN) == Wanted(6, 90)
    assert replicas.by_share(1000, 300, 3, TEN) == Wanted(4, 334)
    assert replicas.by_share(900, 300, 3, TEN) == Wanted(3, 300)
    assert replicas.by_share(900, 300, 0, TEN).replicas == 3
    assert replicas.by_ratio(pods(2), 2, 1.05, TEN) == 2 and replicas.by_ratio(pods(2), 2, 2.2, TEN) == 5
    assert replicas.by_ratio([], 0, 0.0, TEN) == 0 and replicas.by_ratio([], 0, 2.5, TEN) == 3

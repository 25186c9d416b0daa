"""A cluster in somebody's hands: what is asked wrongly is one sentence, and nothing has changed."""

import pytest

from kubemini.cluster import Cluster, TopologyError, build
from kubemini.cluster.programs import PROGRAMS
from kubemini.host import Component


@pytest.mark.parametrize("time", ["soon", "-5s", "", None, float("nan"), float("inf"), [], "9" * 5000])
def test_a_time_that_is_none_is_one_sentence(time):
    cluster = Cluster(build("etcd"))
    with pytest.raises(ValueError, match=r"is not a duration|is negative"):
        cluster.run(time)
    assert cluster.sim.now == 0


def test_time_does_not_go_back():
    cluster = Cluster(build("etcd"))
    cluster.run("2s")
    for instant in (1_000_000, "3s", None, 2.5e6):
        with pytest.raises(ValueError, match=r"expected an instant in microseconds, not before 2\.000s"):
            cluster.run_until(instant)


@pytest.mark.parametrize(
    "seed", ["1", 1.0, None, True, 10**30, 10**5000], ids=["text", "float", "none", "true", "long", "endless"]
)
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="seed: expected a whole number"):
        Cluster(build("etcd"), seed=seed)


def test_who_asks_a_member_that_is_none_is_told_who_there_is():
    user = Cluster(build("etcd")).user
    with pytest.raises(ValueError, match="there is no member 'etcd-9'; there are: etcd-1, etcd-2, etcd-3"):
        user.put("k", "v", "etcd-9")


def test_where_there_is_no_api_server_there_is_no_kubectl():
    with pytest.raises(TopologyError, match="an etcd topology has no API server"):
        _ = Cluster(build("etcd")).kubectl


@pytest.mark.parametrize("kind", ["single", "stacked", "external", "etcd"])
def test_every_component_of_a_topology_is_a_program_of_the_table(kind):
    cluster = Cluster(build(kind))
    made = {type(component) for component in cluster.components.values()}
    assert made <= {program.make for program in PROGRAMS.values()}
    assert [c for h in cluster.topology.hosts for c in h.components] == list(cluster.components)


def test_who_knows_whom_is_as_kubeadm_wires_it():
    stacked, external = Cluster.stacked(), Cluster.external()
    assert stacked.components["apiserver-2"].etcd_endpoints == ["etcd-2"]
    assert external.components["apiserver-2"].etcd_endpoints == external.topology.members
    assert stacked.kubectl.api_server == "haproxy-1" and Cluster.single().kubectl.api_server == "apiserver-1"


@pytest.mark.parametrize("wrong", [{"etcd_pre_vote": False}, 5, "etcd_pre_vote"])
def test_parameters_and_topologies_are_values_of_their_own(wrong):
    with pytest.raises(ValueError, match=r"^params: expected Params, such as"):
        Cluster.single(params=wrong)
    with pytest.raises(ValueError, match=r"^topology: expected one that build"):
        Cluster(wrong)


def test_a_time_of_thousands_of_digits_is_none():
    with pytest.raises(ValueError, match='"a number of thousands of digits" is not a duration'):
        Cluster(build("etcd")).run(10**5000)


def test_a_program_of_ones_own_starts_with_the_others_or_at_once_if_they_run():
    cluster = Cluster.single(workers=1)
    made = [cluster.add("first", "worker-1", _program)]
    assert not made[0].up
    cluster.run("3s")
    made.append(cluster.add("second", "cp-1", _program))
    assert [program.up for program in made] == [True, True]
    assert [program.servers for program in made] == [["apiserver-1"]] * 2
    cluster.hosts["worker-1"].power_off()
    assert [program.up for program in made] == [False, True]


def _program(sim, net, host, name, servers):
    made = Component(sim, net, host, name)
    made.servers = servers
    return made


def test_a_program_that_cannot_be_added_is_refused_in_a_sentence():
    cluster = Cluster.single(workers=1)
    with pytest.raises(ValueError, match="there is a 'scheduler-1' already"):
        cluster.add("scheduler-1", "cp-1", _program)
    with pytest.raises(ValueError, match=r"there is no host 'worker-9'; there are: .*cp-1, worker-1"):
        cluster.add("mine", "worker-9", _program)
    with pytest.raises(ValueError, match="an etcd topology has no API server"):
        Cluster(build("etcd")).add("mine", "etcd-host-1", _program)

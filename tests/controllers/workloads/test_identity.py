"""A StatefulSet never runs two pods of one identity, whatever crashes, is cut off, deleted or changed meanwhile."""

from hypothesis import example, given, settings
from hypothesis import strategies as st

from kubemini.api.kinds import POD, STATEFUL_SET
from kubemini.api.objects import freeze
from kubemini.cluster import Cluster
from kubemini.controllers.decide.actions import is_ready
from kubemini.params import Params, changed
from tests.worlds.kube import Shop

PROGRAMS = ("apiserver-1", "controller-manager-1", "scheduler-1", "etcd-1", "kubelet@worker-1", "kubelet@worker-2")
WANTED = 3


def a_set(policy):
    container = {"name": "c", "image": "nginx:1.29"}
    template = {"metadata": {"labels": {"app": "db"}}, "spec": {"containers": [container]}}
    template["spec"]["terminationGracePeriodSeconds"] = 2
    spec = {"replicas": WANTED, "serviceName": "db", "podManagementPolicy": policy}
    spec |= {"selector": {"matchLabels": {"app": "db"}}, "template": template}
    meta = {"name": "db", "namespace": "default"}
    return freeze({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": meta, "spec": spec})


def order(shop, verb, path, body=None):
    """A wish of kubectl, whether or not anybody hears it."""
    user = shop.cluster.user
    user.spawn(user.request(verb, path, freeze(body), {"type": "merge"}))


def scale(shop, many):
    order(shop, "PATCH", STATEFUL_SET.path("default", "db"), {"spec": {"replicas": many}})


def image(shop, number):
    containers = [{"name": "c", "image": f"nginx:1.{30 + number}"}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    order(shop, "PATCH", STATEFUL_SET.path("default", "db"), body)


def delete(shop, number):
    order(shop, "DELETE", POD.path("default", f"db-{number}"))


WISHES = {"scale": scale, "image": image, "delete": delete}
tenths = st.integers(1, 30)
trouble = st.one_of(
    st.tuples(st.sampled_from(PROGRAMS), tenths, tenths),
    st.tuples(st.sampled_from(("worker-1", "worker-2")), tenths, st.integers(1, 600)),
    st.tuples(st.sampled_from(sorted(WISHES)), tenths, st.integers(0, WANTED - 1)),
)


def carry_out(shop, what, wait, amount):
    """Wait, then one piece of trouble; *amount*: how long it lasts (tenths of a second), or a number."""
    shop.run(wait / 10)
    if what in WISHES:
        WISHES[what](shop, amount)
    elif what in shop.cluster.components:
        shop.cluster.components[what].crash()
        shop.run(amount / 10)
        shop.cluster.components[what].start()
    else:
        shop.cluster.net.cut([what], ["cp-1"])
        shop.run(amount / 10)
        shop.cluster.net.heal()


def doubles(trace):
    """(instant, name, hosts) of every pod that ran on two hosts at once."""
    running, found = {}, []
    for record in trace.of("pod"):
        hosts = running.setdefault(record.detail["name"], {})
        hosts.pop(record.actor, None)
        if record.detail["state"] not in ("gone", "exited"):
            hosts[record.actor] = True
        if len(hosts) > 1:
            found.append((record.at, record.detail["name"], tuple(hosts)))
    return found


@settings(max_examples=4)
@given(st.integers(0, 1000), st.sampled_from(("OrderedReady", "Parallel")), st.lists(trouble, min_size=3, max_size=8))
@example(1, "OrderedReady", [("worker-1", 1, 500), ("image", 1, 1), ("controller-manager-1", 5, 9), ("delete", 1, 2)])
def test_no_identity_runs_twice_and_in_the_end_all_that_are_wanted_serve(seed, policy, troubles):
    params = changed(Params(), {"all_controllers": True})
    shop = Shop(a_set(policy), cluster=Cluster.single(workers=2, seed=seed, params=params))
    for what, wait, amount in troubles:
        carry_out(shop, what, wait, amount)
    shop.run(60)
    scale(shop, WANTED)
    shop.run(120)
    assert doubles(shop.sim.trace) == []
    pods = shop.pods("db")
    assert sorted(pod["metadata"]["name"] for pod in pods) == [f"db-{n}" for n in range(WANTED)]
    assert all(map(is_ready, pods))
    (stateful,) = shop.all(STATEFUL_SET)
    assert stateful["status"]["readyReplicas"] == stateful["status"]["updatedReplicas"] == WANTED


def test_a_pod_on_two_hosts_would_be_seen():
    shop = Shop(a_set("Parallel"), cluster=Cluster.single(workers=2))
    for at in ("kubelet@worker-1", "kubelet@worker-2"):
        shop.sim.record(at, "pod", name="db-0", namespace="default", app="db", state="running", ready=True, ip="")
    assert [hosts for _, _, hosts in doubles(shop.sim.trace)] == [("kubelet@worker-1", "kubelet@worker-2")]

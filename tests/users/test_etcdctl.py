"""Somebody with etcdctl, in a cluster: each request has a number of its own, and a record of its fate."""

from collections import Counter

from kubemini import Cluster, run


def ids(trace, actor):
    return Counter(r.detail["id"] for r in trace.of("request", actor))


def test_a_number_is_used_once_though_the_client_was_restarted():
    trace = run("etcd-3", commands=[("5s", "restart", "etcd-client")], until="9s")
    found = ids(trace, "etcd-client")
    assert len(found) > 20 and set(found.values()) == {1}


def test_nor_does_a_visitor_count_anew_when_its_machine_was_off():
    commands = [("15s", "power_off", "worker-1"), ("18s", "power_on", "worker-1")]
    found = ids(run("healthy", commands=commands, until="30s"), "visitor@worker-1")
    assert len(found) > 10 and set(found.values()) == {1}


def test_what_a_command_must_know_first_is_recorded_only_if_nobody_tells():
    dead = [(5, "crash", f"etcd-{n}") for n in (1, 2, 3)]
    trace = run("etcd-3", commands=[*dead, (6, "member_remove", "etcd-1")], until="30s")
    (request,) = [r for r in trace.of("request") if r.detail["verb"] == "member remove"]
    assert (request.detail["outcome"], request.detail["why"]) == ("failed", "connection refused")
    alive = run("etcd-3", commands=[(6, "member_remove", "etcd-1")], until="9s")
    (request,) = [r for r in alive.of("request") if r.detail["verb"] == "member remove"]
    assert (request.detail["outcome"], request.detail["path"]) == ("ok", "etcd-1")


def test_etcdctl_shows_of_an_object_of_the_api_how_long_it_is():
    cluster = Cluster.single(workers=0)
    cluster.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings-2}\n")
    cluster.run("4s")
    cluster.user.get("/registry/configmaps/default/settings-2")
    cluster.run("1s")
    request = cluster.trace.of("request", "kubectl")[-1].detail
    assert request["outcome"] == "ok" and request["answer"].endswith(" characters)")

"""Three ways to be gone, and the ways back, for every program and every host of a cluster, by every door.

A crash, a pause, silence (power off, a cut): as commands of a scenario and of the command line, and as methods.
"""

from functools import cache

import pytest

from kubemini import Cluster, faults
from kubemini.__main__ import main
from kubemini.simulate import run

TOPOLOGIES = {
    "single": {"kind": "single", "workers": 1},
    "stacked": {"kind": "stacked", "members": 3, "workers": 1, "load_balancers": 2},
    "external": {"kind": "external", "api_servers": 2, "etcd_members": 3, "workers": 1, "load_balancers": 2},
    "etcd": {"kind": "etcd", "members": 3},
}


def all_of(kind, what):
    options = dict(TOPOLOGIES[kind])
    cluster = getattr(Cluster, options.pop("kind"))(**options) if kind != "etcd" else of_members()
    return list(getattr(cluster, what))


def of_members():
    from kubemini.cluster import build

    return Cluster(build("etcd", members=3))


PROGRAMS = [(kind, name) for kind in TOPOLOGIES for name in all_of(kind, "components")]
HOSTS = [(kind, name) for kind in TOPOLOGIES for name in all_of(kind, "hosts")]


def each(named):
    """Those of *named* as cases; a second or third of a kind is for the soak."""
    more = pytest.mark.soak
    return [pytest.param(kind, name, marks=more if name[-2:] in ("-2", "-3") else ()) for kind, name in named]


OF_A_PROGRAM = ("5s cut", "8s heal", "12s crash", "15s restart", "18s pause", "21s resume", "25s stop")
OF_A_HOST = ("5s cut", "8s heal", "12s power_off", "15s power_on")
LIFE = ("start", "crash", "exit", "pause", "resume", "power_off", "power_on")


@cache
def lived(kind, name):
    """The run in which all of it happens to *name*, one after the other."""
    deeds, until = (OF_A_HOST, "17s") if (kind, name) in HOSTS else (OF_A_PROGRAM, "40s")
    if name.startswith("apiserver"):
        until = "103s"  # it may wait a minute for those whom it still serves
    entries = [[at, deed, *([] if deed == "heal" else [name])] for at, deed in map(str.split, deeds)]
    trace = run({"title": "t", "topology": TOPOLOGIES[kind], "faults": entries, "until": until})
    assert trace.of("panic") == []
    return trace


def told(kind, name, since):
    """The words that *name* writes about its own life from *since* (s) on."""
    trace = lived(kind, name)
    return [(r.at / 1e6, r.what) for r in trace if r.actor == name and r.at >= since * 1e6 and r.what in LIFE]


@pytest.mark.parametrize(("kind", "name"), each(PROGRAMS))
def test_every_program_crashes_and_starts_again(kind, name):
    assert told(kind, name, 12)[:2] == [(12, "crash"), (15, "start")]


@pytest.mark.parametrize(("kind", "name"), each(PROGRAMS))
def test_every_program_stands_still_and_goes_on(kind, name):
    assert told(kind, name, 18)[:2] == [(18, "pause"), (21, "resume")]


@pytest.mark.parametrize(("kind", "name"), each(PROGRAMS))
def test_every_program_ends_when_it_is_told_to(kind, name):
    assert told(kind, name, 25)[0][1] == "exit"


@pytest.mark.parametrize(("kind", "name"), each(HOSTS))
def test_every_host_loses_power_and_boots_with_all_that_stood_on_it(kind, name):
    assert told(kind, name, 0) == [(12, "power_off"), (15, "power_on")]
    trace = lived(kind, name)
    host = next(h for h in trace.header["topology"]["hosts"] if h["name"] == name)
    started = {r.actor for r in trace.of("start") if 15_000_000 <= r.at < 16_000_000}
    assert started == set(host["components"])


@pytest.mark.parametrize(("kind", "name"), each(HOSTS + PROGRAMS))
def test_every_host_is_cut_off_by_its_name_or_that_of_a_program_on_it(kind, name):
    trace = lived(kind, name)
    (cut,) = trace.of("cut")
    assert len(cut.detail["a"]) == 1 and name not in cut.detail["b"]
    assert len(cut.detail["b"]) == len(trace.header["topology"]["hosts"]) - 1
    assert len(trace.of("heal")) == 1


def test_a_notebook_has_the_same_as_methods_and_as_commands():
    cluster = Cluster.stacked(load_balancers=2)
    cluster.run("10s")
    balancer, host = cluster.components["haproxy-1"], cluster.hosts["lb-1"]
    for deed in (balancer.pause, balancer.resume, balancer.crash, balancer.start, balancer.terminate, host.power_off):
        deed()
        cluster.run("1s")
    host.power_on()
    cluster.net.cut(["lb-1"], ["lb-2"])
    cluster.net.heal()
    cluster.run("1s")
    faults.Crash("keepalived-2").do(cluster)
    life = [r.what for r in cluster.trace if r.actor in ("haproxy-1", "lb-1", "keepalived-2", "network") and r.at > 9e6]
    kept = [what for what in life if what not in ("backend", "vrrp", "address")]
    wanted = ["pause", "resume", "crash", "start", "exit", "power_off", "power_on", "cut", "heal", "start", "crash"]
    assert kept == wanted


def test_the_command_line_has_the_same(capsys):
    deeds = (
        "pause,keepalived-1",
        "resume,keepalived-1",
        "power_off,lb-2",
        "power_on,lb-2",
        "cut,kubectl",
        "stop,haproxy-1",
    )
    commands = [word for number, deed in enumerate(deeds) for word in ("--command", f"{3 + number}s,{deed}")]
    assert main(["run", "two-balancers", "--until", "12s", *commands]) == 0
    said = capsys.readouterr().out
    for words in ("paused keepalived-1", "pulled the plug of lb-2", "cut kubectl off", "told haproxy-1 to stop"):
        assert words in said

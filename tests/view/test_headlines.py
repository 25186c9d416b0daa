"""No sentence contradicts what users see: every scenario, and each again with something broken, second by second."""

import re
from bisect import bisect_right
from functools import cache

import pytest

from kubemini.scenarios import load, names
from kubemini.sim import Trace
from kubemini.sim.units import SECOND
from kubemini.simulate import run
from kubemini.view.requests import asked, is_write
from kubemini.view.story import story
from tests.runs import run_once

BARS_ALL = (
    "no write",
    "every write",
    "writes get no answer",
    "writes fail or",
    "writes wait",
    "nobody",
    "Two clusters",
)


@cache
def broken(name: str) -> list[list]:
    """Every third kind of trouble for a scenario, at a third of its time; the next scenario has the next kinds."""
    trace = run_once(name)
    hosts = trace.header["topology"]["hosts"]
    member = trace.header["topology"]["etcd"][-1]
    home = next(host["name"] for host in hosts if member in host["components"])
    others = ",".join(host["name"] for host in hosts if host["name"] != home and host["role"] != "client")
    programs = [program for host in hosts for program in host["components"]]
    victims = [member, *(p for p in programs if p.startswith(("apiserver-1", "haproxy-1", "kube-proxy@worker-1")))]
    worker = [host["name"] for host in hosts if host["role"] == "worker"][:1]
    deeds = [["crash", victim] for victim in victims] + [["pause", victims[-1]], ["cut", home]]
    deeds += [["power_off", host] for host in worker]
    deeds += [["cut", home, others]] if others else []
    at = round(trace.header["until"] / SECOND / 3, 1)
    return [[[at, *deed]] for deed in deeds[names().index(name) % 3 :: 3]]


def contradictions(trace: Trace) -> list[str]:
    """The seconds whose last sentence says something else than their requests, or than the balancers."""
    lines, requests = story(trace), asked(trace)
    starts = [line[0] for line in lines]
    wrong = []
    for second in range(trace.header["until"] // SECOND):
        end = (second + 1) * SECOND - 1
        said = lines[bisect_right(starts, end) - 1]
        ended = [r for r in requests if end - SECOND < r.at <= end]
        waiting = [r for r in requests if r.detail["started"] <= end - SECOND and r.at > end]
        faults = [
            *judged(said, ended, waiting),
            *told_of_waiting(said, ended, waiting),
            *told_of_balancers(said, trace, end),
        ]
        wrong += [f"{second} s: {fault}: {said}" for fault in faults]
    return wrong


def judged(said, ended, waiting):
    """What *said* gets wrong about requests that *ended* in its second, and those that are still *waiting*."""
    begun, level, first, second = said
    writes = [r for r in ended if is_write(r)]
    visits = [r for r in ended if r.detail["kind"] == "service"]
    bad = [r for r in ended if r.detail["outcome"] != "ok" and (r in writes or r in visits)]
    stuck = [r for r in waiting if is_write(r) or r.detail["kind"] == "service"]
    if level == "ok" and (bad or stuck):
        yield "all is called well, and it is not"
    if "writes accepted" in first and any(r in writes for r in bad):
        yield "writes are called accepted, and one was not"
    if "writes accepted" in first and any(is_write(r) for r in stuck):
        yield "writes are called accepted, and one waits"
    barred = [r for r in writes if not passes_by(r, first)]
    if "some" not in first and any(bar in first for bar in BARS_ALL) and any(went_well(r, begun) for r in barred):
        yield "no write is said to succeed, and one did"
    if "every visitor" in second and " of worker" not in second and any(r in visits for r in bad):
        yield "every visitor is said to be answered, and one was not"
    if "no visitor" in second and " of worker" not in second and any(went_well(r, begun) for r in visits):
        yield "no visitor is said to be answered, and one was"


def told_of_waiting(said, ended, waiting):
    """What *said* gets wrong about who waits, who is refused and who was served late."""
    begun, _, first, _ = said
    refused = [r for r in ended if is_write(r) and r.at > begun and r.detail["outcome"] == "failed"]
    late = [r for r in ended if is_write(r) and r.at - r.detail["started"] > SECOND]
    stuck = [r for r in waiting if is_write(r)]
    if first.endswith((": every write waits", ", all wait")) and refused:
        yield "every write is said to wait, and one was refused"
    if first.endswith((": every write fails", ", all fail")) and stuck:
        yield "every write is said to fail, and one waits"
    if "no write succeeds" in first and any(r.detail["outcome"] == "ok" and r.at > begun for r in late):
        yield "no write is said to succeed, and one was served late"
    if first.endswith(": writes accepted") and any(r.at >= begun for r in late):
        yield "all writes are said to be accepted, and one was served late"


def told_of_balancers(said, trace, end):
    """What *said* gets wrong about which servers the balancers use."""
    known: dict[str, dict[str, bool]] = {}
    for record in trace.of("backend"):
        if record.at <= end:
            known.setdefault(record.detail["server"], {})[record.actor] = record.detail["up"]
    used = sum(all(told.values()) for told in known.values())
    if known and told_ready(said[2], len(known)) > used:
        yield f"more servers are said to be ready than the {used} that every balancer uses"
    if "uses no API server" in said[2] and used:
        yield f"the balancer is said to use no server, and it uses {used}"


def told_ready(first, every):
    """How many API servers the sentence *first* calls ready; 0 if it speaks of something else."""
    counted = re.search(r"(\d+) of \d+ API servers ready", first)
    return int(counted[1]) if counted else every * bool(re.search(r"quorum is \d+: (?!no write)", first))


def passes_by(record, first):
    """Whether a write goes to etcd itself, and the sentence *first* tells of what stands before it."""
    return record.detail["kind"] == "etcd" and bool(re.search("API server|load balancer", first))


def went_well(record, begun):
    """Whether a request was asked and answered since the sentence is said."""
    return record.detail["outcome"] == "ok" and record.detail["started"] > begun


@pytest.mark.parametrize("name", names())
def test_no_sentence_of_a_scenario_contradicts_the_requests_of_its_second(name):
    assert contradictions(run_once(name)) == []


@pytest.mark.parametrize("name", names())
@pytest.mark.some(6)
def test_no_sentence_contradicts_the_requests_whatever_a_reader_breaks(name):
    wrong = {str(deed): found for deed in broken(name) if (found := contradictions(run(name, commands=deed)))}
    assert wrong == {}


def seconds_said(trace: Trace, words: str) -> list[float]:
    """When a sentence with *words* is said."""
    return [at / SECOND for at, _, first, second in story(trace) if words in f"{first}. {second}"]


def test_visits_are_told_by_host_where_hosts_differ_and_a_lost_share_is_no_green_sentence():
    lines = [line for line in story(run("services")) if 38 * SECOND < line[0] < 54 * SECOND]
    told = [second for _, level, _, second in lines if level != "ok"]
    assert len(told) > 10 and all("every visitor of worker-2, " in second for second in told)
    assert any(second.endswith(" % of those of worker-1") for second in told)


def test_a_client_at_the_small_side_of_a_cut_is_not_told_that_writes_are_accepted():
    during = [line for line in story(run("etcd-5")) if 12 * SECOND < line[0] < 29 * SECOND]
    at_12 = [line for line in story(run("etcd-5")) if line[0] <= 12 * SECOND][-1]
    assert all(first.endswith((": writes get no answer", ": every write waits")) for _, _, first, _ in [at_12, *during])


def test_after_a_restore_at_one_member_and_a_start_of_the_others_there_are_two_clusters():
    deeds = [[3, "snapshot_save", "etcd-1"], *([5, "crash", f"etcd-{n}"] for n in (1, 2, 3))]
    deeds += [[8, "snapshot_restore", "etcd-1"], [9, "restart", "etcd-2"], [9, "restart", "etcd-3"]]
    trace = run(load({"name": "two", "title": "Two", "topology": {"kind": "etcd"}, "until": "20s"}), commands=deeds)
    level, first = story(trace)[-1][1:3]
    assert (level, first) == (
        "bad",
        "Two clusters run: etcd-1 with the backup's data, etcd-2 and etcd-3 with the old data",
    )

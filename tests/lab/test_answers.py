"""What the checkers of *Quorum* and *Two topologies* say to answers that people give, right and wrong."""

import re

import pytest

from kubemini.cluster import build
from kubemini.lab import check
from kubemini.lab.quorum import commit_index, restore


@pytest.fixture(autouse=True)
def in_the_book(monkeypatch):
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


def down(members, disk=None):
    return [m["name"] for m in members if not m["running"] and disk in (None, m["disk"])]


def restart(*names, at=30):
    return [(at, "restart", name) for name in names]


# -- restore quorum --------------------------------------------------------------------------------------------------
def test_twenty_incidents_differ_in_what_matters():
    incidents = [restore.Incident.of(seed) for seed in restore.SEEDS]
    assert len(incidents) >= 20
    assert {i.survivor for i in incidents} == {i.other for i in incidents} == {"etcd-1", "etcd-2", "etcd-3"}
    assert {(i.behind, i.disk_lost) for i in incidents} >= {(True, True), (False, True), (False, False)}


def unseen(members):
    """The only way in which an empty disk still votes: it starts where nobody who knows the member can be asked."""
    [survivor] = [m["name"] for m in members if m["running"]]
    empty = (down(members, "lost") or down(members))[0]
    return [(30, "cut", survivor, ",".join(down(members))), *restart(empty, at=31), (36, "heal")]


@pytest.mark.parametrize(
    "answer",
    [
        lambda members: restart(down(members, "intact")[0]),
        lambda members: [("31s", "restart", down(members, "intact")[-1])],
        lambda members: restart(down(members, "intact")[0]) + restart(*down(members, "lost"), at=40),
        lambda members: restart(*down(members)),
    ],
    ids=["the intact one", "later, the last intact one", "the intact one, then the empty one", "both"],
)
def test_bringing_back_the_intact_disk_restores_everything(answer):
    report = check("quorum.restore", answer)
    assert report.passed, report
    assert report.facts[0].startswith("20 of 20 incidents: a majority again, 20 of 20 orders, no revision lost")


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (
            lambda members: unseen(members),
            "fail",
            "Acknowledged orders are gone for good: an empty disk voted, as nobody could be asked",
        ),
        (lambda members: restart((down(members, "lost") or down(members))[0]), "hint", "there is still no majority"),
        (lambda members: [], "hint", "After your commands there is still no majority: two must be up (M4"),
        (lambda members: restart("etcd-9"), "hint", "Your commands cannot be carried out: 'etcd-9' is not a component"),
        (lambda members: [(30, "restart")], "hint", "Your commands cannot be carried out: command 1: restart takes"),
        (lambda members: restart(*down(members), at=10), "hint", "The pager rings at 30 s: nobody can restart"),
        (lambda members: restart(*down(members), at=55), "hint", "At 55 it is late"),
        (lambda members: restart(*down(members), at="soon"), "hint", 'A command begins with an instant: "soon"'),
        (lambda members: [(30, "put", "order-11", "paid")], "hint", "'put' is not for you here: repair the cluster"),
        (lambda members: [(30, "lose_disk", "etcd-host-1")], "hint", "'lose_disk' is not for you here"),
        (lambda members: restart(*down(members)) * 4, "hint", "8 commands are more than an emergency needs"),
        (lambda members: "restart etcd-2", "hint", 'Return a list of commands such as [(30, "restart", "etcd-1")]'),
        (lambda members: [30, "restart"], "hint", "Return a list of commands such as"),
        (
            lambda members: (
                [(30, "crash", m["name"]) for m in members if m["running"]] + restart(down(members, "intact")[0])
            ),
            "hint",
            "was healthy, and under your commands it stopped answering reads: leave it alone.",
        ),
    ],
)
def test_what_goes_wrong_is_said(answer, status, words):
    report = check("quorum.restore", answer)
    assert (report.status, words in report.hint) == (status, True), report


def test_the_facts_of_lost_data_are_the_learners_own():
    report = check("quorum.restore", unseen)
    incident = restore.Incident.of(int(re.match(r"incident (\d+): ", report.facts[0])[1]))
    assert incident.behind and incident.disk_lost
    mine = ", ".join(" ".join(str(word) for word in command) for command in unseen(incident.members()))
    assert report.facts[0].endswith(
        f"{incident.intact} down on an intact disk, {incident.other} on an empty disk; you: {mine}"
    )
    assert report.facts[1:] == (
        f"{incident.survivor} had missed the last ten orders",
        "10 of 20 orders are left; the next write got revision 12 instead of 22",
    )


def test_who_restarts_only_the_empty_disk_reads_why_it_does_not_start():
    report = check("quorum.restore", lambda members: restart(*down(members, "lost")))
    incident = restore.Incident.of(int(re.match(r"incident (\d+): ", report.facts[0])[1]))
    number = incident.other.removeprefix("etcd-")
    assert f"{incident.other} would not start: member {number} has already been bootstrapped" in report.facts


# -- the commit rule -------------------------------------------------------------------------------------------------
def test_the_rule_is_that_of_the_papers_summary():
    """Figure 2: "If there exists an N such that N > commitIndex, a majority of matchIndex[i] >= N, and
    log[N].term == currentTerm: set commitIndex = N"."""
    for match, terms in [*commit_index.FIGURE_8, *commit_index._random_logs()]:
        majority = [n for n in range(1, len(terms) + 1) if 2 * sum(m >= n for m in match) > len(match)]
        assert commit_index.commit_index(match, terms) == max(
            (n for n in majority if terms[n - 1] == terms[-1]), default=0
        )


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda match, terms: sorted(match)[(len(match) - 1) // 2], "You count an entry of term 2 although the leader"),
        (lambda match, terms: max(match), "is on 1 of 3 disks: that is no majority"),
        (lambda match, terms: 0, "the commit index is 3, not 0"),
        (lambda match, terms: terms[-1], "the commit index is 3, not 1"),
        (lambda match, terms: "3", "the commit index is 3, not '3'"),
        (lambda match: 3, "takes 1 positional argument but 2 were given"),
    ],
)
def test_a_wrong_commit_rule_is_told_which_half_is_missing(answer, words):
    report = check("quorum.commit-index", answer)
    assert report.status == "hint" and words in report.hint, report


def test_an_answer_that_changes_its_arguments_is_judged_all_the_same():
    def greedy(match, terms):
        match.sort(reverse=True)
        reached = match[len(match) // 2]
        return reached if reached and terms.pop() == terms_at(terms, reached) else 0

    def terms_at(terms, index):
        return terms[index - 1] if index <= len(terms) else None

    assert check("quorum.commit-index", greedy).status == "hint"


# -- zones -----------------------------------------------------------------------------------------------------------
def external(places, **options):
    return build("external", etcd_members=len(places), etcd_zones=places, **options)


@pytest.mark.parametrize("zones", ["aabbc", "abcab", "cabba"])
@pytest.mark.some(1)
def test_two_two_one_in_any_order_survives_any_zone(zones):
    report = check("topologies.zones", external(zones))
    assert report.passed, report
    assert "60 of 60 runs could write again" in report.facts[0]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (external("aaabc"), "With zone a go 3 of 5 members: 2 are left, 3 are needed, nothing can be written (M26"),
        (external("bbbcc"), "With zone b go 3 of 5 members"),
        (external("ccccc"), "With zone c go 5 of 5 members: 0 are left"),
        (external("abc"), "You have five machines for etcd, and you use 3."),
        (external("abcabca"), "You have five machines for etcd, and you use 7."),
        (external("abcde"), "There are three zones, a, b and c: nothing can stand in d, e."),
        (external(["a", "a", "b", "b", "edge"]), "nothing can stand in edge."),
        (external("aabbc", zones=["a"]), "etcd survives the loss of zone a, but no API server is left"),
        (build("stacked", members=5), "This cluster is stacked: the exercise asks for members on hosts of their own"),
        ("aabbc", "Hand over a cluster, such as Cluster.external(etcd_members=5); yours is 'aabbc'."),
    ],
)
def test_other_placements_are_told_what_they_lose(answer, words):
    report = check("topologies.zones", answer)
    assert report.status == "hint" and words in report.hint, report


# -- a third machine -------------------------------------------------------------------------------------------------
@pytest.mark.soak
def test_three_stacked_machines_forgive_the_loss_of_any():
    report = check("topologies.third-machine", build("stacked", members=3))
    assert report.passed, report
    assert report.facts[0].startswith("20 of 20 runs could write again, whichever of cp-1, cp-2, cp-3 lost its power")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (build("stacked", members=2), "1 of 2 members are left and 2 are needed (M25"),
        (build("stacked", members=1), "0 of 1 members are left and 1 are needed (M1"),
        (build("external", api_servers=2, etcd_members=1), "0 of 1 members are left"),
        (build("stacked", members=4), "You have two machines and may buy one; this control plane stands on 4."),
        (build("stacked", members=3, load_balancer=False), "clients know one API server, and it is gone (M21"),
    ],
)
def test_other_ways_to_spend_the_money_are_told_what_is_missing(answer, words):
    report = check("topologies.third-machine", answer)
    assert report.status == "hint" and words in report.hint, report


def test_who_only_knows_the_dead_api_server_waits_for_it():
    report = check("topologies.third-machine", build("stacked", members=3, load_balancer=False))
    assert report.facts == ("every write of kubectl was still waiting at the end",)

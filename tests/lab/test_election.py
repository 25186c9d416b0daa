"""Chapter *Electing one leader*: what the page says holds, under more seeds than the page's too."""

import json
import statistics
from pathlib import Path

import pytest

from kubemini import session
from kubemini.etcd.raft.raft import Raft
from kubemini.judge.elections import split_vote
from kubemini.lab import check, quiz
from kubemini.lab.election.figure16 import LENGTH, PUBLISHED, RANDOMNESS
from kubemini.lab.election.grant_vote import grants, vote_cases
from kubemini.lab.election.sites import false_elections
from kubemini.lab.election.whose_curve import APART, SEEDS, sample
from kubemini.lab.questions import of_chapter
from kubemini.scenarios import ScenarioError, load, with_params
from kubemini.simulate import run
from kubemini.study.elections import Setting, elections, failover, percentile
from kubemini.widgets.figures import cumulative
from kubemini.widgets.jupyter import show

ANSWERS = {name: asked["answer"] for name, asked in of_chapter("election")["predictions"].items()}


def roles(trace, role):
    return [r for r in trace.of("role") if r.detail["role"] == role]


# -- the recordings --------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_after_a_crash_the_shortest_timer_ends_the_wait(seed):
    trace = run("election", seed)
    first = next(r for r in roles(trace, "candidate") if r.at > 5_000_000)
    told = [r for r in trace.of("timer", first.actor) if r.at < first.at][-1]
    assert told.detail["until"] == first.at
    next_leader = next(r for r in roles(trace, "leader") if r.at > 5_000_000)
    assert next_leader.actor == first.actor and ANSWERS["crash"].startswith("One to two seconds")
    assert 0.8 < next_leader.at / 1e6 - 5 < 2


def test_the_votes_of_term_2_split_and_term_3_has_a_leader():
    trace = run("split-vote")
    assert ANSWERS["split"] == "Nobody in term 2"
    stood = [r.actor for r in roles(trace, "candidate") if r.detail["term"] == 2]
    assert len(stood) == 3 and [r.detail["term"] for r in roles(trace, "leader")] == [1, 3]
    votes = [r.detail["for"] for r in trace.of("vote") if r.detail["term"] == 2]
    assert max(votes.count(name) for name in stood) == 2


@pytest.mark.parametrize("seed", [1, 2, 3, 8])
def test_a_member_that_returns_with_a_high_term_deposes_the_leader_unless_it_had_to_ask_first(seed):
    assert ANSWERS["rejoin"].startswith("The healthy leader gives up")
    after = [r for r in roles(run("rejoin", seed), "leader") if r.at > 16_000_000]
    assert after and after[0].at < 22_000_000  # TCP tries again at 18.3 s
    asked = run("rejoin", seed, params={"etcd_pre_vote": True})
    assert [r.detail["term"] for r in roles(asked, "leader")] == [1]


def test_a_vote_for_the_same_candidate_in_a_new_term_is_another_vote():
    votes = [(r.actor, r.detail["for"], r.detail["term"]) for r in run("split-vote").of("vote")]
    assert ("etcd-4", "etcd-2", 2) in votes and ("etcd-4", "etcd-2", 3) in votes


def test_pre_vote_takes_the_tail_off():
    def slowest(pre_vote):
        cluster = with_params(load("election"), {"etcd_pre_vote": pre_vote})
        return percentile(sorted(failover(cluster, seed) for seed in range(60)), 0.97)

    assert slowest(True) < 0.85 * slowest(False)


def test_a_timer_told_is_one_that_runs():
    """No member stands before the instant that its last told timer names, and those that stand do it then."""
    trace = run("split-vote")
    for stands in roles(trace, "candidate"):
        told = [r for r in trace.of("timer", stands.actor) if r.at < stands.at]
        assert not told or told[-1].detail["until"] == stands.at
    for record in trace.of("timer"):
        assert record.detail["since"] <= record.at <= record.detail["until"]


# -- figure and widget -----------------------------------------------------------------------------------------------
def test_the_figure_names_every_curve_beside_it():
    curves = {timeout: elections(Setting(timeout), 100) for timeout in RANDOMNESS[1:]}
    figure = cumulative(curves, {timeout: PUBLISHED[timeout] for timeout in curves})
    assert all(f"{low}–{high}</text>" in figure.svg for low, high in curves)
    assert figure.svg.count("<circle") == len(curves) and "half of the elections" in repr(figure)
    assert figure == cumulative(curves, {timeout: PUBLISHED[timeout] for timeout in curves})
    assert set(RANDOMNESS) | set(LENGTH) == set(PUBLISHED)


def test_the_stepper_knows_what_it_can_change():
    widget = show("split-vote", widget="raft-stepper", elections=[1000])
    assert widget.options["settings"] == {
        "etcd_pre_vote": False,
        "etcd_election_timeout": "1000ms",
        "network_latency": ["80ms", "120ms"],
    }
    assert "timer" in json.loads(json.dumps(widget.run))["records"]["fields"]


def test_a_widget_can_run_the_scenario_with_other_parameters_and_is_told_which():
    answer = session.handle(
        {"op": "simulate", "id": 1, "spec": {"scenario": "election", "params": {"etcd_pre_vote": True}}}
    )
    assert answer["run"]["header"]["params"] == {"etcd_pre_vote": True}
    assert "pre-candidate" in answer["run"]["records"]["fields"]["role"]["role"]


def test_elections_are_answered_a_few_at_a_time_and_the_same_whoever_counts():
    ask = {"op": "elections", "id": 2, "timeout": [150, 300]}
    whole = session.handle({**ask, "seeds": [0, 20]})["times"]
    assert (
        session.handle({**ask, "seeds": [0, 5]})["times"] + session.handle({**ask, "seeds": [5, 20]})["times"] == whole
    )
    assert sorted(whole) == [round(ms, 3) for ms in elections(Setting((150, 300)), 20)]
    crashes = session.handle({"op": "elections", "scenario": "election", "seeds": [0, 3]})["times"]
    assert crashes == [failover(load("election"), seed) for seed in range(3)]


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"op": "elections", "timeout": [300, 150], "seeds": [0, 1]}, "not from 300-150 ms"),
        ({"op": "elections", "timeout": [150, 300], "seeds": [0, 5000]}, "ask for 1 to 200 elections"),
        ({"op": "elections", "scenario": "nowhere", "seeds": [0, 1]}, "there is no scenario 'nowhere'"),
        (
            {"op": "divine"},
            "the simulator knows simulate, elections, request, stopwatch, lanes, placement, not 'divine'",
        ),
        (
            {"op": "simulate", "spec": {"scenario": "election", "params": {"etcd_pre_vot": 1}}},
            "did you mean etcd_pre_vote",
        ),
    ],
)
def test_a_wish_that_cannot_be_met_is_answered_in_one_sentence(message, words):
    answer = session.handle(message)
    assert answer["op"] == "error" and words in answer["error"]


def test_a_scenario_with_other_parameters_says_what_it_does_not_know():
    with pytest.raises(ScenarioError, match="there is no parameter 'speed'"):
        with_params(load("election"), {"speed": 3})


# -- exercises -------------------------------------------------------------------------------------------------------
def vote(request, voter):
    if request.term < voter.term:
        return False
    free = request.term > voter.term or voter.voted_for in (None, request.candidate)
    return free and (request.last_term, request.last_index) >= (voter.last_term, voter.last_index)


def test_thirty_different_cases_are_decided_by_the_machine_itself(monkeypatch):
    cases = vote_cases()
    assert len(cases) == len(set(cases)) == 30
    assert [grants(*case) for case in cases] == [vote(*case) for case in cases]
    monkeypatch.setattr(Raft, "step", lambda self, m: None)
    assert not any(grants(*case) for case in cases)


@pytest.mark.parametrize(
    ("rule", "hint"),
    [
        (lambda r, v: True, "that election is over"),
        (lambda r, v: vote(r, v) and r.term > v.term, "Nothing speaks against this vote"),
        (lambda r, v: r.term >= v.term and (r.last_term, r.last_index) >= (3, 7), "has voted for b in term 5"),
        (lambda r, v: vote(r, v) and v.voted_for != "a", "the first answer may have been lost"),
        (lambda r, v: vote(r, v) and not (r.term > v.term and v.voted_for), "binds nobody there"),
        (lambda r, v: vote(r, v) or (r.term == 6 and r.last_index >= 7), "less up to date"),
        (lambda r, v: 1, "Return True or False"),
        (lambda r, v: None, "returned nothing yet"),
    ],
)
def test_a_wrong_vote_is_told_which_rule_it_breaks(rule, hint):
    report = check("election.grant-vote", rule)
    assert not report.passed and hint in report.hint


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda n, s, latency: split_vote(n, n, latency), "let the members that are down time out too"),
        (lambda n, s, latency: 1 - split_vote(n, s, latency), "asked is the other one"),
        (lambda n, s, latency: latency, "not how often votes split"),
        (lambda n, s, latency: "half", "A probability is a number"),
        (lambda n, s, latency: True, "A probability is a number"),
    ],
)
def test_a_wrong_probability_is_told_what_it_counts(function, hint):
    report = check("election.split-vote", function)
    assert not report.passed and hint in report.hint


def nearest(center):
    return lambda times, medians: min(medians, key=lambda range_: abs(medians[range_] / center(times) - 1))


def test_twenty_samples_are_of_all_seven_ranges_and_within_the_bands_of_the_figure():
    samples = [sample(seed) for seed in SEEDS]
    assert {secret for secret, _ in samples} == set(APART)
    assert all(times != sorted(times) for _, times in samples)
    assert all(abs(statistics.median(times) / APART[secret] - 1) < 0.25 for secret, times in samples)


@pytest.mark.parametrize("center", [statistics.median, lambda times: sorted(times)[len(times) // 2]])
def test_a_median_tells_the_curves_apart(center):
    assert check("election.whose-curve", nearest(center)).passed


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (nearest(max), "One lucky or unlucky election decides"),
        (nearest(min), "One lucky or unlucky election decides"),
        (lambda times, medians: (150, 300), "ask when half of them were over"),
        (lambda times, medians: 150, "Return one of the ranges"),
        (lambda times, medians: medians, "Return one of the ranges"),
    ],
)
def test_whoever_takes_one_curve_for_another_is_told_where_to_look(function, hint):
    report = check("election.whose-curve", function)
    assert not report.passed and hint in report.hint


def test_the_closed_form_passes():
    assert check("election.split-vote", split_vote).passed


@pytest.mark.parametrize("timeouts", [(345, 690), (360, 720), (380, 740)])
def test_several_ranges_serve_three_sites(timeouts):
    assert check("election.sites", timeouts).passed


@pytest.mark.parametrize(
    ("timeouts", "hint"),
    [
        ((150, 300), "give up a healthy leader"),
        ((420, 480), "ms are allowed"),
        ((1000, 2000), "ms are allowed"),
        ((450, 450), "15 s and more"),
        ((720, 360), "is no range"),
        (360, "Two numbers are asked for"),
    ],
)
def test_a_range_that_does_not_serve_is_told_why(timeouts, hint):
    report = check("election.sites", timeouts)
    assert not report.passed and hint in report.hint


def test_a_longer_shortest_timeout_means_fewer_false_elections():
    often = [false_elections(low, 2 * low) for low in (150, 250, 350, 450)]
    assert often == sorted(often, reverse=True) and often[0] > 1000 > 1 > often[-1]


@pytest.mark.parametrize("name", ["warm-up", "seen-crash", "seen-split", "seen-rejoin", "quiz"])
def test_the_questions_are_there(name):
    assert quiz(f"election.{name}").questions


def test_the_page_shows_every_recording_of_its_own():
    page = (Path(__file__).parents[2] / "chapters" / "election.ipynb").read_text(encoding="utf-8")
    assert page.count('widget=\\"raft-stepper\\"') == 3 and page.count("recording ") >= 4

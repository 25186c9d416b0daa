"""Chapter 12: what the page says happens under other seeds too, and the checkers tell why not."""

import pytest

from kubemini.lab import check
from kubemini.lab.leases.candidates import asleep, requests, stalled, takeover
from kubemini.lab.leases.fencing import history
from kubemini.lab.leases.parameters import percentile
from kubemini.lab.questions import of_chapter
from kubemini.lab.report import NotSolved
from kubemini.sim.units import SECOND
from kubemini.simulate import run

REAL = (14.7, 20.7)  # s from the kill of a real controller-manager to the next one, eight runs
SETTINGS = ("lease_duration", "renew_deadline", "retry_period")


@pytest.fixture(autouse=True)
def lenient(monkeypatch):
    """A report, not an exception."""
    monkeypatch.delenv("KUBEMINI_STRICT", raising=False)


# -- what the cells say ----------------------------------------------------------------------------
def test_the_predicted_answer_is_what_happens():
    trace, answer = run("leases"), of_chapter("leases")["predictions"]["dies"]["answer"]
    new = [r.at for r in trace.of("object") if r.detail["kind"] == "Pod" and r.detail["verb"] == "ADDED"]
    assert answer == "About fifteen seconds later" and 12 < max(new) / SECOND - 22 < 18


def test_killed_or_told_to_stop_is_the_same_and_who_gives_the_lease_back_is_followed_at_once():
    for seed in range(30, 36):
        killed, told = (takeover(fault, seed).after for fault in ("crash", "terminate"))
        assert killed == told and REAL[0] - 1.5 < killed < REAL[1] + 1.5
        assert takeover("terminate", seed, releases=True).after < 4.5


def test_who_sleeps_for_long_enough_works_beside_its_successor_until_its_deadline():
    for seed in range(30, 34):
        seen = asleep(25, seed)
        assert 8 <= seen.both <= 10 and 9.5 < seen.ends < 12.5
        assert asleep(9, seed).both == 0 and asleep(9, seed).ends is None


def test_a_silence_of_etcd_below_the_deadline_kills_nobody_and_one_two_seconds_above_everybody():
    assert not any(stalled(9.5, seed) for seed in range(30, 35)) and all(stalled(12.1, seed) for seed in range(30, 35))


def test_each_standby_costs_a_look_every_two_to_four_and_a_half_seconds():
    assert abs(requests(1) - 0.5) < 0.05
    assert 1 / 4.5 < (requests(10) - requests(1)) / 9 < 1 / 2


def test_what_is_no_fault_is_named():
    with pytest.raises(ValueError, match="none of crash, terminate, pause"):
        takeover("explode")


# -- who may act -----------------------------------------------------------------------------------
class Right:
    """Its two numbers: when it last saw a change, and until when it may act."""

    def __init__(self, me):
        self.me, self.version, self.seen, self.until = me, None, 0, 0

    def look(self, lease, now):
        if lease["version"] != self.version:
            self.version, self.seen = lease["version"], now
        return lease["holder"] in ("", self.me) or now >= self.seen + 15

    def wrote(self, sent, good, now):
        if good:
            self.until = sent + 10

    def acts(self, now):
        return now < self.until


class OtherClock(Right):
    def look(self, lease, now):
        return lease["holder"] in ("", self.me) or now >= lease["renewed"] + 15


class Answered(Right):
    def wrote(self, sent, good, now):
        if good:
            self.until = now + 10


class Believer(Right):
    held = False

    def wrote(self, sent, good, now):
        self.held = good

    def acts(self, now):
        return self.held


class TooLong(Right):
    def wrote(self, sent, good, now):
        if good:
            self.until = sent + 15


class TooShort(Right):
    def wrote(self, sent, good, now):
        if good:
            self.until = sent + 1


class Shy(Right):
    def look(self, lease, now):
        return lease["holder"] == self.me


class Silent(Right):
    def acts(self, now):
        return None


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (OtherClock, "act at once"),
        (Answered, "act at once"),
        (Believer, "act at once"),
        (TooLong, "act at once"),
        (TooShort, "Nothing went wrong, and at"),
        (Shy, "Nothing went wrong, and at"),
        (Silent, "acts returned nothing yet"),
        (Right("a"), "Give check() the class itself"),
        (int, "yours lacks: look, wrote, acts"),
    ],
)
def test_an_elector_that_is_wrong_is_told_when_and_why(answer, hint):
    report = check("leases.elector", answer)
    assert not report.passed and hint in report.hint


def test_an_elector_is_right_whichever_way_it_is_written():
    class Counting(Right):
        def look(self, lease, now):
            if lease["version"] != self.version:
                self.version, self.seen = lease["version"], now
            return not lease["holder"] or lease["holder"] == self.me or now - self.seen > 16

    assert check("leases.elector", Counting).passed


# -- a fence ---------------------------------------------------------------------------------------
class Fence:
    newest = -1

    def token(self, lease):
        return lease["spec"]["leaseTransitions"]

    def accept(self, token):
        if token < self.newest:
            return False
        self.newest = token
        return True


class ByRevision(Fence):
    def token(self, lease):
        return int(lease["metadata"]["resourceVersion"])


class AsText(ByRevision):
    newest = ""

    def token(self, lease):
        return lease["metadata"]["resourceVersion"]


class ByClock(AsText):
    def token(self, lease):
        return lease["spec"]["acquireTime"]


class Once(Fence):
    def accept(self, token):
        good, self.newest = token > self.newest, max(token, self.newest)
        return good


class Open(Fence):
    def accept(self, token):
        return True


@pytest.mark.parametrize("answer", [Fence, ByRevision])
def test_a_fence_that_compares_what_only_grows_holds(answer):
    assert check("leases.fencing", answer).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (AsText, "turned away, which held the Lease"),
        (ByClock, "turned away, which held the Lease"),
        (Once, "turned away, which held the Lease"),
        (Open, "was taken, although holder number"),
        (Fence(), "Give check() the class itself"),
    ],
)
def test_a_fence_with_a_hole_or_without_a_gate_is_told_so(answer, hint):
    report = check("leases.fencing", answer)
    assert not report.passed and hint in report.hint


def test_in_every_history_somebody_comes_too_late_and_clocks_are_no_help():
    for number in range(20):
        calls = history(number)
        terms = [call.term for call in calls]
        assert terms != sorted(terms)
    times = [call.lease["spec"]["acquireTime"] for call in sorted(history(3), key=lambda call: call.term)]
    assert times != sorted(times)


# -- three settings --------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "hint"),
    [
        (("15s", "10s", "2s"), "the slowest but one takes"),
        (("5s", "4s", "500ms"), "the holder ended itself"),
        (("7s", "6s", "100ms"), "is too much for an API server"),
        (("8s", "9s", "1s"), "is not longer than leader_elect_renew_deadline"),
        (("8 s", "soon", 1), "leader_elect"),
    ],
)
def test_settings_that_do_not_do_are_told_what_they_cost(values, hint):
    report = check("leases.parameters", dict(zip(SETTINGS, values)))
    assert not report.passed and hint in report.hint


def test_what_is_no_set_of_settings_is_told_so():
    assert "Hand over the three settings" in check("leases.parameters", {"lease_duration": "9s"}).hint


def test_the_reckoned_takeover_is_that_of_the_control_plane():
    tried = sorted(takeover("crash", seed).after for seed in range(1, 33))
    assert percentile(15, 2, 1.2) - 3.5 < tried[-1] <= percentile(15, 2, 1.2) + 0.5


def test_a_report_that_does_not_pass_ends_a_test_run(monkeypatch):
    monkeypatch.setenv("KUBEMINI_STRICT", "1")
    with pytest.raises(NotSolved, match="Give check"):
        check("leases.fencing", 7)

"""VRRP sentence by sentence: RFC 3768 section 6.4, and keepalived 2.2.7 where it goes its own way."""

import pytest

from kubemini.loadbalancer.decide.health import ServerHealth
from kubemini.loadbalancer.decide.vrrp import BACKUP, MASTER, Advertisement, Deed, Router, skew

SECOND = 1_000_000
SAY, TAKE, DROP, ANNOUNCE = Deed.SAY, Deed.TAKE, Deed.DROP, Deed.ANNOUNCE


def router(base=100, rank=1, **more):
    made = Router(base, rank, SECOND, SECOND, -2, ServerHealth(2, 10), **more)
    made.begin(0)
    return made


def master(base=101, rank=0):
    made = router(base, rank)
    made.due(made.deadline)
    made.deeds.clear()
    return made


def told(router):
    deeds, router.deeds = router.deeds, []
    return deeds


def test_the_skew_time_is_256_minus_the_priority_in_256ths_of_a_second():
    assert skew(100, SECOND) == 609_375 and skew(254, SECOND) == 7_812


def test_whoever_is_meant_to_be_master_begins_as_a_backup_and_waits_three_advertisements_and_the_skew():
    first = router(101)
    assert first.state == BACKUP and first.deadline == 3 * SECOND + 605_468


def test_a_backup_that_hears_nothing_says_that_it_is_master_and_then_takes_the_address():
    backup = router()
    backup.due(backup.deadline)
    assert backup.state == MASTER and told(backup) == [SAY, TAKE, ANNOUNCE]


def test_a_master_says_every_second_that_it_is_there_and_does_no_more():
    it = master()
    it.due(10 * SECOND)
    assert told(it) == [SAY] and it.deadline == 11 * SECOND


@pytest.mark.parametrize(("priority", "winds"), [(100, True), (101, True), (99, False)])
def test_a_backup_waits_anew_for_each_advertisement_that_is_no_lower_than_its_own(priority, winds):
    backup = router()
    backup.hear(2 * SECOND, Advertisement(priority, 0))
    assert backup.deadline == (2 * SECOND if winds else 0) + 3_609_375 and told(backup) == []


def test_without_preemption_a_lower_priority_is_as_good():
    backup = router(preempt=False)
    backup.hear(2 * SECOND, Advertisement(1, 0))
    assert backup.deadline == 5_609_375


def test_priority_zero_leaves_a_backup_only_the_skew():
    backup = router()
    backup.hear(2 * SECOND, Advertisement(0, 0))
    assert backup.deadline == 2_609_375


def test_a_master_that_hears_a_higher_priority_gives_the_address_up():
    it = master(100, 1)
    it.hear(9 * SECOND, Advertisement(101, 0))
    assert it.state == BACKUP and told(it) == [DROP] and it.deadline == 9 * SECOND + 3_609_375


def test_a_master_that_hears_a_lower_priority_says_at_once_who_is_master_and_where_the_address_is():
    it = master()
    it.hear(9 * SECOND, Advertisement(100, 1))
    assert it.state == MASTER and told(it) == [SAY, ANNOUNCE]


def test_among_equals_the_higher_address_wins():
    low, high = master(100, 0), master(100, 1)
    low.hear(0, Advertisement(100, 1))
    high.hear(0, Advertisement(100, 0))
    assert (low.state, high.state) == (BACKUP, MASTER)


def test_a_master_that_hears_priority_zero_answers():
    it = master()
    it.hear(9 * SECOND, Advertisement(0, 1))
    assert it.state == MASTER and told(it) == [SAY]


def test_a_master_that_ends_says_so_and_gives_the_address_up_and_a_backup_says_nothing():
    it, backup = master(), router()
    it.end()
    backup.end()
    assert told(it) == [SAY, DROP] and told(backup) == []


def checked(router, *results):
    return [router.judge(result) for result in results]


def test_the_first_result_of_the_script_alone_decides():
    well, ill = router(), router()
    assert checked(well, True) == [False] and well.priority == 100
    assert checked(ill, False) == [True] and ill.priority == 98


def test_the_tenth_failure_in_a_row_takes_two_off_the_priority_and_the_second_success_gives_it_back():
    it = router()
    it.judge(True)
    assert checked(it, *[False] * 9, True, *[False] * 9) == [False] * 19
    assert checked(it, False) == [True] and it.priority == 98
    assert checked(it, False, True, False, True) == [False] * 4  # one success is not enough
    assert checked(it, True) == [True] and it.priority == 100


def test_a_master_whose_script_fails_is_master_until_it_hears_a_higher_priority():
    first, second = master(101), router(100)
    first.judge(False)
    assert first.priority == 99 and first.state == MASTER
    assert not second.yields_to(first)
    second.hear(SECOND, Advertisement(first.priority, 0))  # not counted: its clock runs on
    second.due(second.deadline)
    first.hear(second.deadline, Advertisement(second.priority, 1))
    assert (first.state, second.state) == (BACKUP, MASTER)


def test_both_failing_changes_nothing():
    first, second = master(101), router(100)
    first.judge(False)
    second.judge(False)
    assert second.yields_to(first)


def test_the_clock_of_a_backup_goes_with_its_priority():
    backup = router()
    before = backup.deadline
    backup.judge(False)
    assert backup.deadline - before == skew(98, SECOND) - skew(100, SECOND) > 0


def test_a_priority_stays_between_1_and_254():
    low = router(2)
    low.weight = -253
    low.judge(False)
    assert low.priority == 1

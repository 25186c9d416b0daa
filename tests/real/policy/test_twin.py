"""The twin itself: its worlds follow from the seed, some of their packets may pass, and a difference is told."""

from tests.real.policy.__main__ import cluster, differs


def test_a_world_follows_from_the_seed_and_its_number():
    assert cluster(7, 3)[0] == cluster(7, 3)[0] != cluster(7, 4)[0]
    assert cluster(7, 3)[0] != cluster(8, 3)[0]


def test_the_worlds_hold_every_kind_of_rule_and_of_verdict():
    told = [cluster(1, number) for number in range(60)]
    text = str([world for world, _ in told])
    words = ("ipBlock", "endPort", "NotIn", "'Pass'", "Baseline", "destinationNamedPort", "networks", "SCTP")
    assert [word for word in words if word not in text] == []
    said = [judge.both_sides(*packet) for world, judge in told for packet in world["packets"]]
    assert {(v.egress.allowed, v.ingress.allowed) for v in said} == {
        (a, b) for a in (True, False) for b in (True, False)
    }


def test_what_differs_is_told(capsys):
    told, judge = cluster(1, 0)
    ours = [[v.egress.allowed, v.ingress.allowed] for v in (judge.both_sides(*packet) for packet in told["packets"])]
    assert not differs(0, told, judge, ours)
    wrong = [[not ours[0][0], ours[0][1]], *ours[1:]]
    assert differs(0, told, judge, wrong) and "the real one says" in capsys.readouterr().out

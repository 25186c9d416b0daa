"""Debian's etcd loses its leader in four ways, with 3 and 5 members, with and without PreVote: ours take as long.

These samples are live; recorded ones, of etcd 3.4.23 and 3.5.1, are held against ours in `test_etcd_cluster.py`.
`trials` says how a sample is judged.
"""

import pytest

from tests.real.trials import FAULTS, SIZES, all_samples, in_words

pytestmark = pytest.mark.needs("etcd", "namespaces")
TRIALS = 6


@pytest.fixture(scope="module")
def rows():
    found = all_samples(TRIALS, attempts=3)
    return {(row["fault"], row["members"], row["pre_vote"]): (row, *more) for row, *more in found}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("pre_vote", [False, True])
def test_a_live_sample_of_failovers_is_distributed_like_ours(fault, size, pre_vote, rows, record_property):
    row, found, attempt = rows[fault, size, pre_vote]
    record_property("twin", in_words(row, found, attempt))
    assert found.gap < 1, row["seconds"]

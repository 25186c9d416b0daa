"""The same seed and commands give the same bytes, in any process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kubemini.run import run

ROOT = Path(__file__).resolve().parents[2]
CODE = """
from kubemini.run import run
print(run({scenario!r}, seed=3, commands=[(7.25, "crash", "etcd-1"), (9, "restart", "etcd-1")], until="20s").digest())
"""


@pytest.mark.parametrize("scenario", ["quorum", "external", "etcd-5"])
def test_three_processes_with_different_hash_seeds_write_the_same_trace(scenario):
    digests = set()
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", CODE.format(scenario=scenario)],
            capture_output=True,
            text=True,
            env=environment,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_another_seed_gives_another_trace():
    assert run("etcd-3", seed=1, until="5s").digest() != run("etcd-3", seed=2, until="5s").digest()


def test_a_command_changes_nothing_before_it():
    plain = run("etcd-3", until="20s")
    broken = run("etcd-3", commands=[(12, "crash", "etcd-1")], until="20s")
    before = [r for r in plain if r.at < 12_000_000]
    assert broken.records[: len(before)] == before
    assert broken.records[len(before)].what == "command"

"""Faults of Raft, one line each, and which of our tests notice them: ``python -m tests.mutants [NAME…]`` says so.

A test that cannot fail is a defect; so is a rule that no test would miss. Each mutant changes one snippet of one module
while it is imported; then the sentences, the recorded conversations with etcd-io/raft's library and the seeded
schedules are tried in turn.
``--all`` tries all three on each and writes the table of the book; without it the first that notices is enough.
``--nemesis NAME [COUNT [FIRST SEED]]`` looks for the fault in a whole etcd, and makes a scenario file of it.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from tests.mutants.elections import ELECTIONS
from tests.mutants.mutant import ROOT, Mutant, plant
from tests.mutants.replication import DRIVEN, REPLICATION

MUTANTS = (*ELECTIONS, *REPLICATION)
TABLE = ROOT / "tests" / "oracles" / "raft" / "mutants.json"
NOTICED, MISSED = "noticed", "missed"
WAYS = ("sentences", "conversations", "schedules")
SCHEDULES = 1500


def try_out(mutant: Mutant, everything: bool) -> dict[str, str]:
    """Which ways of testing notice *mutant*; to be called in a fresh process."""
    plant(mutant)
    tests = {"sentences": _sentences, "conversations": _conversations, "schedules": _schedules}
    found: dict[str, str] = {}
    for way in WAYS:
        if everything or NOTICED not in found.values():
            found[way] = MISSED if tests[way]() else NOTICED
    return found


def _sentences() -> bool:
    """The tests of `tests/etcd/raft`, called without pytest, which would take longer than all of them."""
    from tests.etcd.raft import test_elections, test_membership, test_reads, test_replication

    modules = (test_elections, test_replication, test_reads, test_membership)
    tests = [test for module in modules for name, test in vars(module).items() if name.startswith("test_")]
    try:
        for test in tests:
            for arguments in _arguments(test):
                test(*arguments)
    except BaseException as error:  # pytest's Failed is no Exception
        if isinstance(error, KeyboardInterrupt):
            raise
        return False
    return True


def _arguments(test: Any) -> list[tuple[Any, ...]]:
    """What `pytest.mark.parametrize` says *test* is to be called with."""
    marks = getattr(test, "pytestmark", [])
    if not marks:
        return [()]
    names, values = marks[0].args
    return list(values) if "," in names else [(value,) for value in values]


def _conversations() -> bool:
    from tests.oracles.raft import compare, record

    files = record.files()  # without them nothing is said, least of all in the table of the book
    try:
        return all(not compare.difference_in(path) for path in files)
    except Exception:
        return False


def _schedules() -> bool:
    from tests.worlds import schedules

    try:
        return all(not schedules.failure(*schedules.schedule(seed, 150), seed) for seed in range(SCHEDULES))
    except Exception:
        return False


def _scenarios(name: str, *numbers: str) -> int:
    """Let the nemesis (`worlds/nemesis.py`) look for the mutant called *name*, in scenarios of a whole etcd."""
    plant(next(mutant for mutant in (*MUTANTS, *DRIVEN) if mutant.name == name))
    from tests import panics
    from tests.worlds import nemesis

    panics.are_failures()
    return nemesis.main(list(numbers), name)


def examine(mutant: Mutant, everything: bool = False) -> dict[str, str]:
    """Which ways of testing notice *mutant*, tried in a process of their own."""
    command = [sys.executable, "-m", "tests.mutants", "--one", mutant.name, *(["--all"] if everything else [])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    last = done.stdout.strip().splitlines()[-1:]
    assert done.returncode == 0 and last, f"{mutant.name} could not be tried: {done.stderr[-500:]}"
    return json.loads(last[0])


def main(arguments: Sequence[str]) -> int:
    """The table; 1 if a mutant goes unnoticed."""
    everything = "--all" in arguments
    names = [argument for argument in arguments if not argument.startswith("--")]
    if "--nemesis" in arguments:
        return _scenarios(*names)
    chosen = [mutant for mutant in MUTANTS if not names or mutant.name in names]
    if "--one" in arguments:
        print("\n" + json.dumps(try_out(chosen[0], everything)))
        return 0
    unnoticed, table = [], []
    for mutant in chosen:
        found = examine(mutant, everything)
        ways = [way for way, result in found.items() if result == NOTICED]
        unnoticed += [] if ways else [mutant.name]
        table.append(json.dumps({"name": mutant.name, "fault": mutant.fault, "noticed_by": ways}))
        print(f"{mutant.name:26} {mutant.fault:64} {', '.join(ways) or 'NOT NOTICED'}", flush=True)
    if everything and not names:
        TABLE.write_text("[\n" + ",\n".join(table) + "\n]\n", encoding="utf-8")
    print(
        f"{len(chosen) - len(unnoticed)} of {len(chosen)} noticed"
        + (f", not: {', '.join(unnoticed)}" if unnoticed else "")
    )
    return 1 if unnoticed else 0

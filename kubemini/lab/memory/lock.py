"""memory.lock: a transaction that makes a lock, tried by three programs while holders and leaders die, 21 seeds."""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

from kubemini.etcd.store.mvcc import TARGETS
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.sim.units import SECOND, clock
from kubemini.study.etcdctl import Etcd
from kubemini.study.locks import TTL, Program

LOCK = "/locks/billing"
PROGRAMS = ("red", "green", "blue")
LOCK_SEEDS = range(21)
TROUBLES = ("its holder crashed", "its holder was cut off", "its holder and etcd's leader crashed")
WATCHED = 25 * SECOND  # after the trouble
LATE = {TROUBLES[0]: TTL + 1.2, TROUBLES[1]: TTL + 2.2, TROUBLES[2]: 2 * TTL + 5.0}  # seconds until somebody has it


@exercise("memory.lock")
def check_lock(answer: Any) -> Report:
    """*answer*: a function of a key, an owner and a lease: the transaction that takes the lock if it is free."""
    took: dict[str, list[float]] = {trouble: [] for trouble in TROUBLES}
    for seed in LOCK_SEEDS:
        trouble = TROUBLES[seed % len(TROUBLES)]
        took[trouble].append(_passed_on(seed, trouble, answer))
    return Report(
        "pass",
        (
            f"{len(LOCK_SEEDS)} of {len(LOCK_SEEDS)} stories of three programs: never two holders",
            *(f"{why}: the next one had the lock {min(t):.1f} to {max(t):.1f} s later" for why, t in took.items()),
        ),
        f"Only one compare can find the key missing, and a dead holder's key goes with its lease of {TTL} s.",
        "A holder that stands still and wakes up late may still write. What could it show to be refused?",
    )


def _passed_on(seed: int, trouble: str, answer: Any) -> float:
    """Seconds from the trouble to the next holder. Raises NotYet if the lock fails."""
    etcd, dice = Etcd(3, seed), Random(f"lock-{seed}")
    programs = [Program(etcd, name, number, lambda o, k: _claim(answer, o, k)) for number, name in enumerate(PROGRAMS)]
    _claim(answer, "red", 7)
    for program in programs:
        program.start()
    etcd.wait(5 + dice.random() * 5)
    holders = [program for program in programs if program.holds()]
    _one_holder(seed, programs, etcd.sim.now)
    if not holders:
        raise NotYet(
            "The lock is free and nobody gets it: your compare never holds.",
            next="A key that is not there has create revision, mod revision and version 0, and no value at all.",
        )
    began = etcd.sim.now
    _make_trouble(etcd, holders[0], trouble)
    etcd.sim.run_until(began + WATCHED)
    _one_holder(seed, programs, etcd.sim.now)
    later = [t.since for p in programs if p is not holders[0] for t in p.tenures if t.since > began]
    if not later or (min(later) - began) / SECOND > LATE[trouble]:
        raise NotYet(
            "The lock stays with the dead: its key must go when the holder's lease does.",
            f"seed {seed}: {trouble} at {clock(began)}; {clock(etcd.sim.now - began)} later nobody else had the lock",
            next="What in request_put ties a key to a lease?",
        )
    return (min(later) - began) / SECOND


def _make_trouble(etcd: Etcd, holder: Program, trouble: str) -> None:
    if trouble == TROUBLES[1]:
        hosts = [f"etcd-host-{number}" for number in range(1, 4)]
        etcd.net.cut([holder.host.name], hosts)
        return
    holder.tenures[-1].until = etcd.sim.now
    holder.crash()
    if trouble == TROUBLES[2]:
        etcd.crash(etcd.leader)


def _one_holder(seed: int, programs: list[Program], now: int) -> None:
    """Raise NotYet if two tenures overlap."""
    tenures = sorted((t for p in programs for t in p.tenures), key=lambda t: t.since)
    for one, other in pairwise(tenures):
        if other.since < one.until and other.owner != one.owner:
            raise NotYet(
                "Two programs hold the lock at once: who takes it must first make sure that it is free.",
                f"seed {seed}: {one.owner} from {clock(one.since)} on, {other.owner} from {clock(other.since)} on",
                next="A transaction compares and writes in one step. What does a free lock look like?",
            )


def _claim(answer: Any, owner: str, lease: int) -> dict[str, Any]:
    """The learner's transaction, checked; what it does not find free it reads."""
    txn = ask(answer, LOCK, owner, lease)
    if not isinstance(txn, dict) or not {"compare", "success"} <= set(txn) <= {"compare", "success", "failure"}:
        raise NotYet(f'Return a dict with the lists "compare" and "success", not {txn!r}.')
    for compare in txn["compare"]:
        if compare.get("target") not in TARGETS:
            raise NotYet(f"A compare names its target, one of {', '.join(TARGETS)}: {compare!r} does not.")
    puts = list(_puts(txn))
    if not puts or any(put.get("key") != LOCK or put.get("value") != owner for put in puts):
        raise NotYet(f"On success put the owner's name, here {owner!r}, under the lock's key, here {LOCK!r}.")
    return {**txn, "failure": [{"request_range": {"key": LOCK}}]}


def _puts(txn: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What the transaction writes. Raises NotYet if it does anything else."""
    for operation in [*txn["success"], *txn.get("failure", ())]:
        if list(operation) != ["request_put"]:
            raise NotYet(f"To take a lock, put its key and do nothing else; you also ask for {list(operation)}.")
    if txn.get("failure"):
        raise NotYet("If the lock is taken, nothing may be written: leave failure away.")
    for operation in txn["success"]:
        yield operation["request_put"]

"""Chapter *etcd as the memory*: the past from a log of changes, a full store, a lock with a lease; questions.

memory.list-at    what the store held at a revision, on 200 random histories of which the store itself knows the answer
memory.nospace    twenty full clusters of three and five members, and the lines of etcdctl that make them writable
memory.talkers    which kind of object was written most between two looks at forty stores
memory.lock       a transaction that makes a lock, tried by three programs while holders and leaders die, 21 seeds

Invariant: no answer key is written down: each comes from `etcd.mvcc`, or from what a simulated cluster does.
"""

from collections.abc import Iterator
from itertools import pairwise
from random import Random
from typing import Any

from kubemini.etcd.mvcc import TARGETS, TO_THE_END, Store
from kubemini.lab import NotYet, Question, Report, ask, exercise, questions
from kubemini.sim.units import SECOND, clock
from kubemini.study.etcdctl import MIB, Etcd, Unknown
from kubemini.study.locks import TTL, Program
from kubemini.study.talkers import looks, mistaken

# -- the past ------------------------------------------------------------------------------------------------------
Changes = list[tuple[int, str, str, str]]  # revision, PUT or DELETE, key, value
HISTORIES = 200


def history(seed: int) -> tuple[Store, Changes]:
    """A store after a random life, and its log."""
    dice, store = Random(seed), Store()
    for _ in range(dice.randint(3, 25)):
        operations = [_operation(dice, key) for key in dice.sample("abcde", dice.choice((1, 1, 1, 2, 3)))]
        store.apply("txn", {"success": operations})
    return store, [(c.revision, c.type, c.kv["key"], c.kv["value"]) for c in store.log]


def _operation(dice: Random, key: str) -> dict[str, Any]:
    if dice.random() < 0.3:
        return {"request_delete_range": {"key": key}}
    return {"request_put": {"key": key, "value": str(dice.randint(1, 99))}}


def held(store: Store, revision: int) -> dict[str, str]:
    """What *store* says it held at *revision*."""
    answer = store.apply("range", {"key": "\0", "range_end": TO_THE_END, "revision": revision})
    assert isinstance(answer, dict), "nothing is compacted here"
    return {kv["key"]: kv["value"] for kv in answer["kvs"]}


@exercise("memory.list-at")
def check_list_at(answer: Any) -> Report:
    """*answer*: a function of a list of changes and a revision: the keys and values that were there."""
    asked, deleted = 0, 0
    for seed in range(HISTORIES):
        store, changes = history(seed)
        for revision in sorted({1, 1 + store.revision // 2, store.revision}):
            _compare(answer, changes, revision, held(store, revision))
            asked += 1
        deleted += sum(change[1] == "DELETE" for change in changes)
    return Report(
        "pass",
        (f"{asked} of {asked} questions about {HISTORIES} histories", f"{deleted:,} deletions among their changes"),
        "Whoever has every change up to a revision has the whole store as it was then.",
        "That is how an informer keeps its copy: a list at one revision, then a watch from the next one on.",
    )


def _compare(answer: Any, changes: Changes, revision: int, right: dict[str, str]) -> None:
    got = ask(answer, list(changes), revision)
    if got == right:
        return
    if not isinstance(got, dict):
        raise NotYet(f"Return a dict of keys and values, not {got!r}.")
    near = [change for change in changes if abs(change[0] - revision) < 3]
    facts = (f"at revision {revision} the store held {right}, you say {got}", f"changes around it: {near}")
    if got == _replayed(changes, revision - 1):
        raise NotYet("That is the store one revision too early: the change of the revision itself counts.", *facts)
    if any(key not in right for key in got):
        raise NotYet("You list a key that was not there: deleted, or not yet written.", *facts)
    raise NotYet("That is not what the store held.", *facts, next="Of several changes of a key the last one counts.")


def _replayed(changes: Changes, revision: int) -> dict[str, str]:
    there: dict[str, str] = {}
    for at, kind, key, value in changes:
        if at <= revision:
            there.pop(key, None)
            there.update({key: value} if kind == "PUT" else {})
    return there


# -- the store is full ---------------------------------------------------------------------------------------------
QUOTA = 16 * MIB
ALLOWED = ("compact", "defrag", "alarm", "endpoint")
WRITES_AFTER, SIZE = 12, 500_000  # the test of a repair: so many writes of so many bytes


class Full:
    """A cluster whose quota is used up, differently with every seed."""

    def __init__(self, seed: int):
        dice = Random(seed)
        self.seed, self.etcd = seed, Etcd(dice.choice((3, 5)), seed, etcd_quota_backend_bytes=QUOTA)
        self.names = list(self.etcd.members)
        self.values = {f"key-{number}": "" for number in range(1, 4)}
        while True:
            key, value = dice.choice(list(self.values)), dice.choice("xyz") * dice.randint(200_000, 500_000)
            if not self.put(key, value, dice.choice(self.names)):
                break
            self.values[key] = value

    def put(self, key: str, value: str, member: str) -> bool:
        """Write through *member*; whether that went well."""
        return self.etcd.ask("put", {"key": key, "value": value}, member).ok

    def status(self, member: str = "") -> dict[str, Any]:
        """What a member says of itself."""
        return self.etcd.ask("status", {}, member).value


@exercise("memory.nospace")
def check_nospace(answer: Any) -> Report:
    """*answer*: a function of the store's revision and the members' names: lines for etcdctl."""
    seeds = range(20)
    shrunk = [_repaired(Full(seed), answer) for seed in seeds]
    return Report(
        "pass",
        (
            f"{len(shrunk)} of {len(shrunk)} clusters take {WRITES_AFTER} writes more, through every member",
            f"files of {min(before for before, _ in shrunk):.1f} to {max(before for before, _ in shrunk):.1f} MiB "
            f"are {min(after for _, after in shrunk):.1f} to {max(after for _, after in shrunk):.1f} MiB now",
            "no key lost its value",
        ),
        "History was compacted, its room given back on every member, and then the alarm disarmed.",
        "What filled the store? Until you know, it will be full again.",
    )


def _repaired(full: Full, answer: Any) -> tuple[float, float]:
    """The size of the largest file before and after, in MiB. Raises NotYet with what is wrong."""
    before = max(full.status(name)["dbSize"] for name in full.names)
    lines = _lines(ask(answer, full.status()["header"]["revision"], list(full.names)))
    for line in lines:
        _type(full.etcd, line)
    _still_closed(full, lines)
    after = max(full.status(name)["dbSize"] for name in full.names)
    for number in range(WRITES_AFTER):
        if not full.put("probe", "p" * SIZE, member := full.names[number % len(full.names)]):
            raise NotYet(
                f"After {number} more writes {member} raised the alarm again: there is no room.",
                _cluster(full, lines),
                full.etcd("endpoint status"),
                next="Which members gave room back, and how much?",
            )
    for key, value in full.values.items():
        kvs = full.etcd.ask("range", {"key": key}).value["kvs"]
        assert [kv["value"] for kv in kvs] == ([value] if value else []), "no allowed line can change a key"
    return before / MIB, after / MIB


def _lines(found: Any) -> list[str]:
    if isinstance(found, str):
        found = found.strip().splitlines()
    if not isinstance(found, list | tuple) or not all(isinstance(line, str) for line in found):
        raise NotYet(f'Return a list of lines such as ["alarm list"]; yours is {found!r}.')
    if len(found) > 20:
        raise NotYet(f"{len(found)} lines are more than this needs: ten are enough.")
    return [line.strip().removeprefix("etcdctl ") for line in found]


def _type(etcd: Etcd, line: str) -> None:
    if line.split()[:1] == ["del"]:
        raise NotYet("Nothing may be deleted: the keys are somebody's. What fills the store is their history.")
    if not line.startswith(ALLOWED):
        raise NotYet(f"{line!r} is not for you here: use compact, defrag and alarm.")
    try:
        said = etcd(line)
    except Unknown as error:
        raise NotYet(f"etcdctl does not understand you: {error}.") from None
    if said.startswith("Error"):
        raise NotYet(f"etcd refused {line!r}: {said.removeprefix('Error: ')}.")


def _still_closed(full: Full, lines: list[str]) -> None:
    """Say what stands in the way of the first write, if anything does."""
    states = [full.status(name) for name in full.names]
    facts = (_cluster(full, lines), full.etcd("endpoint status"))
    crammed = [name for name, state in zip(full.names, states, strict=True) if state["dbSize"] > QUOTA * 3 // 4]
    if any(state["dbSizeInUse"] > QUOTA * 3 // 4 for state in states):
        raise NotYet("Every old revision is still kept: no file can shrink.", *facts, next="Forget history first.")
    if crammed:
        hint = "There is room inside the files, but they are as long as before: the quota counts the file (M18)."
        if len(crammed) < len(full.names):
            hint = f"defrag works on one member at a time: the files of {', '.join(crammed)} are as long as before."
        raise NotYet(hint, *facts, next="Defragment every member, after the compaction.")
    if any(state["errors"] for state in states):
        raise NotYet("There is room, and still no write: the alarm is raised until somebody disarms it (M18).", *facts)


def _cluster(full: Full, lines: list[str]) -> str:
    return f"cluster {full.seed}, {len(full.names)} members; you: {'; '.join(lines) or 'nothing'}"


# -- who writes so much ----------------------------------------------------------------------------------------------
STORES = range(40)


@exercise("memory.talkers")
def check_talkers(answer: Any) -> Report:
    """*answer*: a function of the records at two moments: the kind that made the most revisions in between."""
    shares = [_loudest(seed, answer) for seed in STORES]
    return Report(
        "pass",
        (
            f"{len(shares)} of {len(shares)} stores",
            f"the loudest kind made {min(shares):.0%} to {max(shares):.0%} of the revisions",
        ),
        "The difference of two looks says who fills a store now; the sum says who once did.",
        "What would you ask the program behind it: why so often, or why so much?",
    )


def _loudest(seed: int, answer: Any) -> float:
    """The share of revisions that the loudest kind made. Raises NotYet if *answer* names another."""
    found = looks(seed)
    loudest, most = found.revisions.most_common(1)[0]
    got = ask(answer, [dict(kv) for kv in found.before], [dict(kv) for kv in found.after])
    if not isinstance(got, str):
        raise NotYet(f"Return the name of a kind, such as 'pods', not {got!r}.")
    if got != loudest:
        facts = f"store {seed}: {loudest} made {most} revisions, {got} {found.revisions[got]}"
        why = next((SEEMS[way] for way, named in mistaken(found).items() if named == got), "Another was written more.")
        raise NotYet(why, facts, next="version counts the writes of a key since it was created.")
    return most / found.revisions.total()


SEEMS = {
    "across": "A key that was deleted and created again begins at version 1: what it had before is no part of that.",
    "keys": "That kind has the most keys, which are not necessarily written.",
    "all": "That kind was written most since its keys were created: what of it was there at the first look?",
}


# -- a lock --------------------------------------------------------------------------------------------------------
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


# -- predictions and questions ---------------------------------------------------------------------------------------
PREDICTIONS: dict[str, dict[str, Any]] = {
    "full": {
        "question": "At 15 s the history is compacted, at 20 s every member defragmented, at 25 s the alarm disarmed. "
        "From when on are writes accepted again?",
        "choices": [
            "From 15 s: without history there is room",
            "From 20 s: now the files are small",
            "From 25 s: not before somebody says that it is over",
            "Not at all: the disks are as full as before",
        ],
        "answer": 2,
        "explain": "The alarm is a switch. Room does not turn it off, and off without room it would soon be on again.",
    },
}

questions(
    "memory.warm-up",
    Question(
        "Which programs of a cluster talk to etcd?",
        {
            "API servers, and nobody else": "The others see the world through the API.",
            "API servers, scheduler and controllers": "Scheduler and controllers ask an API server.",
            "Every kubelet": "A kubelet asks an API server, too.",
        },
        answer="API servers, and nobody else",
    ),
    Question(
        "All members of etcd are down. What do visitors of a running shop notice?",
        {
            "Errors at once": "No visit asks etcd.",
            "Nothing": "Pods run on, and kernels know where they are. Only change has stopped.",
            "Old pages": "The pods serve what they always serve.",
        },
        answer="Nothing",
    ),
    Question(
        "A pod's node is gone for good. Where is it written that there should be three of them?",
        {
            "In the kubelet of another node": "It knows its own pods only.",
            "In the memory of the controller-manager": "That is a copy, read anew at every start.",
            "In etcd, as an object that says replicas: 3": "What should be is kept there, next to what is.",
        },
        answer="In etcd, as an object that says replicas: 3",
    ),
)

questions(
    "memory.seen-revisions",
    Question(
        "The second deletion of size changed nothing. How can you tell?",
        {
            "It was refused": "To delete what is not there is no error.",
            "The revision stayed 5": "Only what changes something makes a revision.",
            "size has version 0": "So it had after the first.",
        },
        answer="The revision stayed 5",
    ),
    Question(
        "color was written again at revision 4. What does its version 2 count?",
        {
            "The writes of color since it was created": "Its own ones; the revision counts those of the whole store.",
            "The revisions of the store": "There are more: other keys were written as well.",
            "The members that have it": "All three have everything.",
        },
        answer="The writes of color since it was created",
    ),
)

questions(
    "memory.seen-compaction",
    Question(
        "After compact 4, color can be read. What cannot?",
        {
            "What it was at revision 3": "Its value of then is forgotten.",
            "Everything older than an hour": "etcd counts revisions here, not hours.",
            "Its value, until somebody writes it again": "Compaction never takes a newest value.",
        },
        answer="What it was at revision 3",
    ),
)

questions(
    "memory.seen-full",
    Question(
        "How many reads failed while no write went through?",
        {
            "None": "A read needs no room.",
            "All of them": "Look at what clients were told: a read a second came through.",
            "Those of the counter": "Reading it needs no room either.",
        },
        answer="None",
    ),
    Question(
        "What did the compaction at 15 s do to the files?",
        {
            "It made them small": "That came at 20 s.",
            "It deleted the counter": "Only what the counter had been before.",
            "It made room inside; their length stayed": "And it is the length that the quota counts.",
        },
        answer="It made room inside; their length stayed",
    ),
)

questions(
    "memory.quiz",
    Question(
        "A Deployment has resourceVersion 48212. What do you know?",
        {
            "It was changed 48,212 times": "The number counts changes of everything.",
            "Its last change was the store's revision 48212": "Other objects may have been changed since.",
            "It is the 48,212th object": "Most revisions change objects that were there before.",
        },
        answer="Its last change was the store's revision 48212",
    ),
    Question(
        "A controller was cut off for an hour. Its watch from the old revision is refused. What does it do?",
        {
            "It starts with an empty copy and waits": "It would miss whatever does not change again.",
            "It asks for the compacted events": "Nobody has them any more.",
            "It lists everything, and watches from that list's revision": "One list, and nothing is missed from there.",
        },
        answer="It lists everything, and watches from that list's revision",
    ),
    Question(
        "df says that the disk is 90 % free, and etcd refuses writes for want of space. How come?",
        {
            "The quota is etcd's own, 2 GiB by default": "It counts the database file, whatever the disk has left.",
            "The operating system reserves the rest": "Some of it, but etcd does not ask.",
            "One member's disk is full": "Then that member would crash, and the others would go on.",
        },
        answer="The quota is etcd's own, 2 GiB by default",
    ),
    Question(
        "Why not keep the shop's orders in etcd as well?",
        {
            "It could lose them": "It loses nothing that it has confirmed.",
            "It knows no transactions": "It does, small ones.",
            "They grow without end": "Each member keeps all of it, and the quota suggested is 8 GiB at most.",
        },
        answer="They grow without end",
    ),
)

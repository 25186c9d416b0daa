"""Chapter *Changing the members*: replace a member although fingers slip; tell what no order explains; questions.

membership.replace    24 clusters of three and five: a member is dead, or dies at the worst moment, and in half of them
                      the first peer URL is mistyped; the cluster must be whole again and a shop's writes must go on
membership.histories  40 histories of a register, half of them linearizable, as `kubemini.check` finds

Invariant: no answer key is written down: each comes from what a simulated cluster does, or from the checker.
"""

from itertools import count, pairwise
from math import inf
from random import Random
from typing import Any

from kubemini.check.history import Operation
from kubemini.check.linearizability import Violation
from kubemini.check.linearizability import check as violation
from kubemini.host import Component, Host
from kubemini.lab import NotYet, Question, Report, ask, exercise, questions
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND
from kubemini.study.etcdctl import Etcd, Unknown

# -- replace a member ----------------------------------------------------------------------------------------------
SEEDS = range(24)
MOST_LINES = 40
SHOP_WRITES = 500 * MS
LONGEST_SILENCE = 2.0  # seconds between two writes of the bystander that succeeded


class Shop(Component):
    """A bystander that writes twice a second through one member, and remembers when that went well."""

    def __init__(self, etcd: Etcd, member: str):
        super().__init__(etcd.sim, etcd.net, Host(etcd.sim, "shop-host"), "shop")
        self.member, self.orders = member, 0
        self.served: list[int] = []

    def boot(self) -> None:
        """Open."""
        self.served.append(self.sim.now)
        self.spawn(self._sell())

    def _sell(self) -> Steps:
        while True:
            self.orders += 1
            self.spawn(self._write(self.orders))
            yield self.timeout(SHOP_WRITES)

    def _write(self, number: int) -> Steps:
        reply = yield self.call(self.member, "put", {"key": f"order-{number:03}", "value": "paid"}, 20 * SECOND)
        if reply.ok:
            self.served.append(self.sim.now)

    def silence(self) -> float:
        """The longest time without a write that succeeded, in seconds."""
        return max(b - a for a, b in pairwise([*self.served, self.sim.now])) / SECOND


class Incident:
    """A cluster with a spare machine and a follower to be replaced: dead already, or to die when that is worst."""

    def __init__(self, seed: int):
        dice = Random(f"replace/{seed}")
        self.seed, self.size = seed, dice.choice((3, 3, 5))
        self.slips, self.dead = seed % 4 in (1, 2), seed % 2 == 0
        self.etcd = Etcd(self.size, seed, spares=1)
        *members, self.spare = self.etcd.members
        self.failing = dice.choice([name for name in members if name != self.etcd.leader])
        self.stay = [name for name in members if name != self.failing]
        self.asked = dice.choice(self.stay)
        self.shop = Shop(self.etcd, self.asked)
        self.lines: list[str] = []
        if self.dead:
            self.etcd.crash(self.failing)
            self.etcd.wait(3)
        self.shop.start()

    def __str__(self) -> str:
        state = "dead" if self.dead else "about to die"
        return f"cluster {self.seed}: {self.size} members, {self.failing} {state}; you: {'; '.join(self.lines)}"

    def note(self, line: str, said: str) -> None:
        """The learner did something; what came of it is told if it went wrong."""
        wrong = " ".join(said.split()) if said.startswith("Error") or " has ended:" in said else ""
        self.lines.append(f"{line} ({wrong.removeprefix('Error: ')})" if wrong else line)

    def refuse(self, why: str) -> None:
        """Raise NotYet: because of *why*, or because there is no end."""
        if len(self.lines) >= MOST_LINES:
            raise NotYet(f"After {MOST_LINES} lines the member is still not replaced: is there a loop?", str(self))
        if why:
            raise NotYet(why, str(self))

    def etcdctl(self, line: Any) -> str:
        """What the learner types, through a member that stays; what comes out."""
        typed = words = str(line).removeprefix("etcdctl ").strip()
        fits = words.startswith("member ")
        self.refuse("" if fits else f"{words!r} is not for you here: use member list, add, remove and promote.")
        if self.slips and words.startswith("member add"):
            self.slips, words = False, words.replace(f"{self.spare}:", f"{self.spare}4:")
        try:
            said = self.etcd(words, self.asked)
        except Unknown as error:
            said = f"Error: {error}"
        if words.startswith("member add") and not said.startswith("Error"):
            self.etcd.crash(self.failing)
        self.note(typed, said)
        return said

    def start(self, name: Any) -> str:
        """etcd is started on the spare machine."""
        self.refuse("" if name == self.spare else f"start() is for the new machine, {self.spare}, not for {name!r}.")
        said = self.etcd.launch(self.spare)
        self.note(f"start {name}", said)
        return said


@exercise("membership.replace")
def check_replace(answer: Any) -> Report:
    """*answer*: a function of etcdctl, start, the failing member's name and the spare's; it does what is needed."""
    incidents = [_replaced(Incident(seed), answer) for seed in SEEDS]
    orders, served = sum(i.shop.orders for i in incidents), sum(len(i.shop.served) - 1 for i in incidents)
    longest = max(incident.shop.silence() for incident in incidents)
    return Report(
        "pass",
        (
            f"{len(incidents)} of {len(incidents)} clusters have their size again, and everybody in them votes",
            f"a bystander's writes: {served:,} of {orders:,} ok, never more than {longest:.2f} s apart",
            f"{sum(i.seed % 4 in (1, 2) for i in incidents)} mistyped addresses did no harm",
        ),
        "The dead one left before the new one counted, so a wrong address was a nuisance and no outage.",
        "Between the two steps nobody else may fail: have the new machine ready before you begin.",
    )


def _replaced(incident: Incident, answer: Any) -> Incident:
    """The incident, repaired. Raises NotYet with what is wrong."""
    try:
        _let_act(incident, answer)
    except NotYet:
        _must_decide(incident)  # whatever went wrong then, this is why
        raise
    etcd, shop = incident.etcd, incident.shop
    etcd.wait(2)
    _must_decide(incident)
    members = etcd.ask("member_list", {}, incident.asked).value["members"]
    _as_it_should_be(incident, members)
    if shop.silence() > LONGEST_SILENCE:
        hint = f"For {shop.silence():.1f} s nobody could write: the cluster stood still under your hands."
        raise NotYet(hint, str(incident))
    kept = etcd.ask("range", {"key": "order-", "range_end": "order.", "limit": 0}, incident.spare).value["kvs"]
    assert len(kept) >= len(shop.served) - 1, "the newcomer has every order that was acknowledged"
    return incident


def _let_act(incident: Incident, answer: Any) -> None:
    """The learner's function works; what it returns does not matter."""

    def replace(*arguments: Any) -> bool:
        answer(*arguments)
        return True

    ask(replace if callable(answer) else answer, incident.etcdctl, incident.start, incident.failing, incident.spare)
    if not incident.lines:
        raise NotYet("Nothing was typed: call etcdctl(...) and start(...) in your function.", str(incident))


def _must_decide(incident: Incident) -> None:
    """Raise NotYet if nothing can be written any more."""
    etcd = incident.etcd
    if etcd.ask("put", {"key": "probe", "value": "1"}, incident.asked).ok:
        return
    members = etcd.ask("member_list", {}, incident.asked).value["members"]
    voters = [m for m in members if not m["isLearner"]]
    alive = sum(etcd.members[m["name"]].up for m in voters if m["name"])
    raise NotYet(
        f"{len(voters)} members need {len(voters) // 2 + 1}, and {alive} are alive: no write, and no member remove "
        "either (M7, M8).",
        str(incident),
        "who is added counts from that moment on, at whatever address",
        next="Begin again: who should leave before anybody new counts?",
        status="fail",
    )


def _as_it_should_be(incident: Incident, members: list[dict[str, Any]]) -> None:
    """Raise NotYet unless the members are those that stay, and the spare."""
    failing, spare = incident.failing, incident.spare
    names = [m["name"] for m in members]
    missed = [name for name in incident.stay if name not in names]
    if missed:
        raise NotYet(f"{missed[0]} was well, and you removed it.", str(incident), next="Which id has the one to go?")
    if failing in names:
        raise NotYet(f"{failing} is still a member: dead, and counted in every quorum (M7).", str(incident))
    ghost = next((m for m in members if not m["name"]), None)
    if ghost:
        address = ghost["peerURLs"][0]
        hint = f"Member {ghost['ID']} at {address} has never started, and counts all the same."
        raise NotYet(hint, str(incident), next="Read what start(...) says; then what member list says.")
    if spare not in names:
        raise NotYet(f"{spare} is no member: {len(members)} are left, and none of them may fail now.", str(incident))
    if any(m["isLearner"] for m in members):
        raise NotYet(f"{spare} only listens: promote it, else it counts for nothing.", str(incident))


# -- linearizable or not? ------------------------------------------------------------------------------------------
HISTORIES = 40
History = list[dict[str, Any]]  # client, does, value, from, to


def history(seed: int) -> History:
    """What three or four clients were told by one register; if *seed* is odd, one of the answers is made up."""
    dice = Random(f"history/{seed}")
    operations: History = []
    for client in range(1, dice.choice((3, 4, 4)) + 1):
        now = dice.randint(0, 8)
        for _ in range(dice.choice((1, 2, 2))):
            now += dice.randint(1, 4)
            does = "write" if dice.random() < 0.4 else "read"
            operations.append({"client": client, "does": does, "from": now, "to": now + dice.randint(2, 8)})
            now = operations[-1]["to"]
    _fill_in(operations, dice)
    if seed % 2:
        _make_up(operations, dice)
    return _on_one_clock([o for o in operations if o["does"] == "write" or o["to"] < inf])


def _fill_in(operations: History, dice: Random) -> None:
    """Values: each operation takes effect at one moment while it is under way; some writes nobody heard of again."""
    effects = []
    for number, operation in enumerate(operations, start=1):
        moment = dice.uniform(operation["from"], operation["to"])
        if operation["does"] == "write":
            operation["value"] = number
            last = all(o is operation or o["client"] != operation["client"] for o in operations[number:])
            if last and dice.random() < 0.4:
                operation["to"], moment = inf, dice.choice((moment, moment + 6, inf))
        effects.append((moment, number, operation))
    value = None
    for _, _, operation in sorted(effects, key=lambda effect: effect[:2]):
        if operation["does"] == "write":
            value = operation["value"]
        else:
            operation["value"] = value


def _make_up(operations: History, dice: Random) -> None:
    reads = [o for o in operations if o["does"] == "read"]
    if reads:
        read = dice.choice(reads)
        begun = [o["value"] for o in operations if o["does"] == "write" and o["from"] < read["to"]]
        read["value"] = dice.choice([value for value in begun if value != read["value"]] or [None])


def _on_one_clock(operations: History) -> History:
    """Moments as whole numbers, no two alike."""
    moments = [(o[end], number, end) for number, o in enumerate(operations) for end in ("from", "to") if o[end] < inf]
    for place, (_, number, end) in enumerate(sorted(moments), start=1):
        operations[number] = {**operations[number], end: place}
    return sorted(operations, key=lambda o: o["from"])


def judge(operations: History) -> Violation | None:
    """What `kubemini.check` says: the answer that cannot be, or None if the history is linearizable."""
    return violation(
        Operation(o["client"], o["does"], "x", o["value"], o["from"], None if o["to"] == inf else o["to"])
        for o in operations
    )


def histories() -> list[tuple[History, Violation | None]]:
    """Forty that are worth a look, half of them not linearizable, each with what is wrong with it."""
    kinds: dict[bool, list[tuple[History, Violation | None]]] = {False: [], True: []}
    for seed in count(1):
        candidate = history(seed)
        if len(candidate) >= 5 and sum(o["does"] == "read" for o in candidate) >= 2:
            wrong = judge(candidate)
            kinds[wrong is None].append((candidate, wrong))
        if min(map(len, kinds.values())) >= HISTORIES // 2:
            break
    found = [pair for kind in kinds.values() for pair in kind[: HISTORIES // 2]]
    Random("order").shuffle(found)
    return found


@exercise("membership.histories")
def check_histories(answer: Any) -> Report:
    """*answer*: a function of a history: whether some order explains it."""
    forty = histories()
    for number, (found, wrong) in enumerate(forty, start=1):
        _compare(answer, number, found, wrong)
    for number, (found, wrong) in enumerate(forty, start=1):
        _try_disguised(answer, number, found, wrong is None)
    timed_out = sum(any(o["to"] == inf for o in found) for found, _ in forty)
    return Report(
        "pass",
        (
            f"{HISTORIES} of {HISTORIES} histories, half of them not linearizable",
            f"in {timed_out} of them somebody never learned what became of a write",
        ),
        "A history is linearizable if some order explains it in which what was over comes before what began later.",
        "So it is one of a single register, although there are many: python -m kubemini check does it for thousands.",
    )


def _try_disguised(answer: Any, number: int, found: History, right: bool) -> None:
    """The same once more: with other names, later; and what is left when nobody has read anything."""
    if _verdict(answer, _disguised(found, number)) != right:
        raise NotYet(
            f"History {number} with other clients' names and a later clock, and you say the opposite.",
            next="What counts is what was over before what began; names do not.",
        )
    if not _verdict(answer, [o for o in found if o["does"] == "write"]):
        raise NotYet(
            "You refuse a history of writes alone: nobody has seen anything that could be wrong.",
            f"history {number} without its reads",
        )


def _disguised(operations: History, shift: int) -> History:
    other = [{**o, "client": 9 - o["client"], "from": o["from"] + shift, "to": o["to"] + shift} for o in operations]
    return other[::-1]


def _verdict(answer: Any, operations: History) -> bool:
    said = ask(answer, [dict(o) for o in operations])
    if not isinstance(said, bool):
        raise NotYet(f"Return True if the history is linearizable, False if it is not; yours is {said!r}.")
    return said


def _compare(answer: Any, number: int, found: History, wrong: Violation | None) -> None:
    if _verdict(answer, found) == (wrong is None):
        return
    facts = (f"history {number} of {HISTORIES}", *map(told, found))
    if wrong is None:
        order = ", ".join(_short(o) for o in explain(found) or ())
        raise NotYet("You refuse a history that an order explains.", *facts, next=f"This is one: {order}.")
    op = wrong.operation
    cannot = f"Client {op.process} cannot have read {op.value} from {op.invoked} to {op.returned}."
    raise NotYet("You accept a history that no order explains.", *facts, next=cannot)


def explain(operations: History, value: Any = None) -> History | None:
    """An order that explains the answers, or None: try first whatever was not over when another began."""
    if all(o["to"] == inf for o in operations):
        return []
    first = min(o["to"] for o in operations)
    for o in operations:
        if o["from"] < first and (o["does"] == "write" or o["value"] == value):
            rest = explain([other for other in operations if other is not o], o["value"])
            if rest is not None:
                return [o, *rest]
    return None


def _short(o: dict[str, Any]) -> str:
    return f"{o['does']} {o['value']} of client {o['client']}"


def told(o: dict[str, Any]) -> str:
    """One operation of a history in words."""
    end = f"to {o['to']}" if o["to"] < inf else "timed out"
    return f"client {o['client']}: {o['does']} {o['value']}, from {o['from']}, {end}"


# -- predictions and questions ---------------------------------------------------------------------------------------
PREDICTIONS: dict[str, dict[str, Any]] = {
    "replace": {
        "question": "etcd-3 dies at 10 s and is removed at 14 s. etcd-4 joins as a learner at 22 s and may vote from "
        "26 s on. From when on may another member fail without stopping the writes?",
        "choices": [
            "At any time: one of three may fail",
            "From 14 s: the dead one is out, and who is left is well",
            "From 22 s: three machines are running again",
            "From 26 s: three members vote again",
        ],
        "answer": 3,
        "explain": "Two voters need two, so nobody could be spared. A learner has the data, but no vote.",
    },
}

questions(
    "membership.warm-up",
    Question(
        "Six members, one of them dead. How many must agree on a write?",
        {
            "Three, half of them": "Two halves of six could decide two different things.",
            "Three, a majority of the living": "Nobody can know who is alive. Members count, dead or not.",
            "Four": "A majority of six, whoever is alive.",
        },
        answer="Four",
    ),
    Question(
        "Why must any two majorities have a member in common?",
        {
            "So that whoever is elected has a voter who saw the last committed write": "What is committed stays.",
            "So that no two leaders ever exist": "They may exist, in different terms. Only one can commit.",
            "So that reads are fast": "They would be faster without.",
        },
        answer="So that whoever is elected has a voter who saw the last committed write",
    ),
    Question(
        "A put ended in a time-out. Where may it be?",
        {
            "Nowhere: it failed": "The leader may have it in its log.",
            "In a log, and committed later": "Or never. Nobody who waited for the answer can tell.",
            "On every member": "Then it would have been answered.",
        },
        answer="In a log, and committed later",
    ),
)

questions(
    "membership.seen-replace",
    Question(
        "At 14 s the number of members that must agree changed. How?",
        {
            "From 3 to 2": "It was two of three before.",
            "It was 2 and stayed 2": "Two of three, then two of two: as many as before, but nobody to spare.",
            "From 2 to 1": "One of two is no majority.",
        },
        answer="It was 2 and stayed 2",
    ),
    Question(
        "How many writes failed in the forty seconds?",
        {
            "None": "There were always two voters who could agree, and the leader was not the one to go.",
            "Those between 10 and 14 s": "One of three was dead then. Two suffice.",
            "Those at 22 s, while etcd-4 read the log": "The leader sends it the log beside everything else.",
        },
        answer="None",
    ),
)

questions(
    "membership.seen-wedge",
    Question(
        "Two of the three that began are alive and well. Why can they write nothing?",
        {
            "etcd-44 is the leader": "Nobody is there.",
            "They are two of four": "The one that never came counts. A majority of four is three.",
            "etcd has noticed the typo": "It never will: it cannot tell a wrong address from a machine that is late.",
        },
        answer="They are two of four",
    ),
    Question(
        "The second put timed out, and there it is after all. Who kept it?",
        {
            "etcdctl sent it again": "It gave up.",
            "The leader's log": "Two had it on disk. When a third came back, they were a majority.",
            "etcd-3": "It was dead when the put was made.",
        },
        answer="The leader's log",
    ),
)

questions(
    "membership.quiz",
    Question(
        "Three members, one dead for good. What do you type first?",
        {
            "member add": "etcd refuses it while one is down; and were it accepted, four members would need three.",
            "member remove": "Two of two: nobody to spare, but a mistake in what follows can be taken back.",
            "snapshot restore": "Two of three are well. Nothing is lost.",
        },
        answer="member remove",
    ),
    Question(
        "A learner is in the cluster. What can it do for you?",
        {
            "Be the third vote when a member fails": "It has none until it is promoted, and that needs a majority.",
            "Answer linearizable reads": "It refuses them: rpc not supported for learner.",
            "Have the data when you promote it": "That is all, and that is the point.",
        },
        answer="Have the data when you promote it",
    ),
    Question(
        "Two of three machines burnt down. etcd-1 is alive. How do you get a cluster that takes writes?",
        {
            "member remove, twice": "A change of members is a write. It waits for a second member, for ever.",
            "Start two empty members in their place": "They were not added, and adding needs a majority.",
            "A new cluster, from a snapshot": "With a new identity, and a revision raised beyond all that was seen.",
        },
        answer="A new cluster, from a snapshot",
    ),
    Question(
        "A read returned 5. A later read, begun after that one had ended, returned 4, which had been written before "
        "5. Can both have been linearizable?",
        {
            "No": "Once somebody has seen 5, nobody may see 4 again, unless it is written anew.",
            "Yes, if they went to different members": "To clients there is only one register.",
            "Yes, if the write of 5 timed out": "If it was seen, it had happened, whatever its writer was told.",
        },
        answer="No",
    ),
)

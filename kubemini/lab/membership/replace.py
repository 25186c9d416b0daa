"""membership.replace: 24 clusters of three and five whose member is dead, or dies at the worst moment.

In half of them the first peer URL is mistyped; the cluster must be whole again, and a shop's writes must go on.
"""

from itertools import pairwise
from random import Random
from typing import Any

from kubemini.host import Component, Host
from kubemini.lab import NotYet, Report, ask, exercise
from kubemini.sim import Steps
from kubemini.sim.units import MS, SECOND
from kubemini.study.etcdctl import Etcd, Unknown

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

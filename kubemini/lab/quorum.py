"""Chapter *Quorum*: restore a lost majority without losing data; say what is committed; questions.

`restore` is tried on 20 incidents that differ in who survives, whose disk is gone, and whether the survivor had
missed the last writes. `commit_index` is compared with the paper's rule (§5.3, §5.4.2) on figure 8 and 200 logs.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from statistics import median
from typing import Any

from kubemini.cluster import Cluster, build
from kubemini.faults import FaultError, parse_all, schedule
from kubemini.lab import NotYet, Question, Report, ask, exercise, questions
from kubemini.run import run
from kubemini.scenarios import Scenario, load
from kubemini.sim import Trace
from kubemini.sim.units import SECOND, duration

SEEDS = range(1, 21)
ORDERS = 20
PAGER, VERDICT = 30, 60  # seconds: when the learner may act, when the checker looks
ALLOWED = ("restart", "crash", "pause", "resume", "power_on", "power_off", "heal", "cut")
INCIDENT = Scenario("restore", "Two of three members are down", build("etcd", members=3), until=70 * SECOND)


# -- restore a majority --------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Incident:
    """Who is left, whose disk is intact, whose may be gone, and whether the survivor was cut off before."""

    seed: int
    survivor: str
    intact: str
    other: str
    disk_lost: bool
    behind: bool

    @classmethod
    def of(cls, seed: int) -> "Incident":
        """The incident of a seed."""
        dice = Random(f"restore/{seed}")
        survivor, intact, other = dice.sample(INCIDENT.topology.members, 3)
        return cls(seed, survivor, intact, other, disk_lost=seed % 4 != 0, behind=seed % 2 == 1)

    def members(self) -> list[dict[str, Any]]:
        """What the learner is told."""
        return [
            {
                "name": name,
                "running": name == self.survivor,
                "disk": "lost" if name == self.other and self.disk_lost else "intact",
            }
            for name in INCIDENT.topology.members
        ]

    def story(self) -> list[tuple]:
        """What happens before the pager rings: twenty orders are written, then two members die."""
        host = INCIDENT.topology.host_of
        puts = [(2 + 0.4 * i + (6 if i > 9 else 0), "put", f"order-{i + 1:02}", "paid") for i in range(ORDERS)]
        cut = [(8, "cut", host(self.survivor), f"{host(self.intact)},{host(self.other)}"), (20.5, "heal")]
        death = (20, "lose_disk", host(self.other)) if self.disk_lost else (20, "crash", self.other)
        return [
            *((*put, self.intact) for put in puts),
            *(cut if self.behind else ()),
            (20, "crash", self.intact),
            death,
        ]

    def questions(self) -> list[tuple]:
        """What the checker asks: local reads of the survivor all along, then a write, then every order."""
        control = [(PAGER + 5 * i, "get", "order-01", self.survivor, "serializable") for i in range(6)]
        reads = [(VERDICT + 2, "get", f"order-{i + 1:02}") for i in range(ORDERS)]
        return [*control, (VERDICT, "put", "probe", "1"), *reads]


@exercise("quorum.restore")
def check_restore(answer: Any) -> Report:
    """*answer*: a function from the state of the three members to a list of commands."""
    waits = [_restored(Incident.of(seed), answer) for seed in SEEDS]
    return Report(
        "pass",
        (
            f"{len(waits)} of {len(waits)} incidents: a majority again, {ORDERS} of {ORDERS} orders, no revision lost",
            f"from your command to a leader: {min(waits):.2f} to {max(waits):.2f} s, median {median(waits):.2f} s",
            "all along, the survivor answered serializable reads",
        ),
        "Quorum lost was not data lost: the disk that every write had reached came back, and with it everything.",
        "The third member is still down, so none may fail now. On a real cluster: member remove, then member add.",
    )


def _restored(incident: Incident, answer: Any) -> float:
    """Seconds from the learner's first command to a leader. Raises NotYet with what went wrong."""
    try:
        commands = _commands(ask(answer, incident.members()))
        trace = run(INCIDENT, incident.seed, [*incident.story(), *commands, *incident.questions()])
    except FaultError as error:
        raise NotYet(f"Your commands cannot be carried out: {error}.") from None
    except AssertionError as error:
        raise _lost(incident, commands, f"a member stopped: {error}") from None
    requests = trace.of("request")
    control = [r for r in requests if r.detail["verb"] == "get serializable"]
    if not all(r.detail["outcome"] == "ok" for r in control):
        raise NotYet(
            f"{incident.survivor} was healthy, and under your commands it stopped answering reads: leave it alone.",
            _named(incident, commands),
        )
    probe = next(r for r in requests if r.detail["path"] == "probe")
    if probe.detail["outcome"] != "ok":
        raise NotYet(
            "After your commands there is still no majority: two must be up (M4: the last of three may not decide).",
            _named(incident, commands),
            f"a write at {VERDICT} s: {probe.detail['why']}",
        )
    return _data_intact(incident, commands, trace)


def _commands(found: Any) -> list[tuple]:
    if not isinstance(found, list | tuple) or not all(isinstance(c, list | tuple) and len(c) > 1 for c in found):
        raise NotYet(f'Return a list of commands such as [({PAGER}, "restart", "etcd-1")]; yours is {found!r}.')
    if len(found) > 6:
        raise NotYet(f"{len(found)} commands are more than an emergency needs: six are enough.")
    for at, action, *_ in found:
        if action not in ALLOWED:
            raise NotYet(f"{action!r} is not for you here: repair the cluster with {', '.join(ALLOWED)}.")
        if _seconds(at) < PAGER:
            raise NotYet(f"The pager rings at {PAGER} s: nobody can {action} anything at {at}.")
        if _seconds(at) > VERDICT - 10:
            raise NotYet(f"At {at} it is late: a majority must be there before {VERDICT - 10} s.")
    parse_all(found, by="you")
    return [tuple(command) for command in found]


def _seconds(at: Any) -> float:
    try:
        return duration(at) / SECOND
    except ValueError as error:
        raise NotYet(f"A command begins with an instant: {error}.") from None


def _data_intact(incident: Incident, commands: list[tuple], trace: Trace) -> float:
    there = [r for r in trace.of("request") if r.detail["verb"] == "get" and r.detail.get("answer") == "paid"]
    revision = trace.of("apply", incident.survivor)[-1].detail["revision"]
    if len(there) < ORDERS or revision != ORDERS + 2:
        raise _lost(
            incident,
            commands,
            f"{len(there)} of {ORDERS} orders are left; the next write got revision {revision} instead of {ORDERS + 2}",
        )
    first = min(_seconds(at) for at, *_ in commands)
    leads = [r.at / SECOND for r in trace.of("role") if r.detail["role"] == "leader" and r.at >= first * SECOND]
    return min(leads, default=first) - first


def _lost(incident: Incident, commands: list[tuple], fact: str) -> NotYet:
    return NotYet(
        "Acknowledged orders are gone for good: an empty disk voted (M6: a majority lost is no data lost, until then).",
        _named(incident, commands),
        f"{incident.survivor} {'had missed the last ten orders' if incident.behind else 'had every order'}",
        fact,
        next="Every order was on two disks at least. Start over: which two disks are left?",
        status="fail",
    )


def _named(incident: Incident, commands: list[tuple]) -> str:
    disk = f"{incident.other} on an {'empty' if incident.disk_lost else 'intact'} disk"
    mine = ", ".join(" ".join(str(word) for word in command) for command in commands) or "no command"
    return f"incident {incident.seed}: {incident.intact} down on an intact disk, {disk}; you: {mine}"


# -- the commit rule -----------------------------------------------------------------------------------------------
FIGURE_8 = ([4, 4, 2, 1, 1], [1, 2, 4, 4]), ([3, 3, 3, 1, 1], [1, 2, 2, 4])


def commit_index(match: list[int], terms: list[int]) -> int:
    """The paper's rule: on a majority, and of the leader's own term; what comes before is committed with it."""
    reached = sorted(match, reverse=True)[len(match) // 2]
    return reached if reached and terms[reached - 1] == terms[-1] else 0


@exercise("quorum.commit-index")
def check_commit_index(answer: Any) -> Report:
    """*answer*: a function of each member's match index and the terms of the leader's log."""
    cases = [*_plain_cases(), *FIGURE_8, *_random_logs()]
    for match, terms in cases:
        _compare(answer, match, terms)
    held = sum(_majority_has(match) != commit_index(match, terms) for match, terms in cases)
    return Report(
        "pass",
        (
            f"{len(cases)} of {len(cases)} logs of 1 to 7 members",
            f"in {held} of them a majority holds an entry that must wait, because it is of an older term",
        ),
        "Committed is what a majority has on disk, counted only for entries of the leader's own term.",
        "Figure 8 of the Raft paper shows what goes wrong without the last half of that sentence.",
    )


def _plain_cases() -> list[tuple[list[int], list[int]]]:
    return [
        ([3], [1, 1, 1]),
        ([3, 3, 0], [1, 1, 1]),
        ([3, 2, 1], [1, 1, 1]),
        ([5, 0, 0], [1] * 5),
        ([4, 4, 2, 2], [1] * 4),
    ]


def _random_logs() -> list[tuple[list[int], list[int]]]:
    dice, logs = Random("commit"), []
    for _ in range(200):
        terms = sorted(dice.choice([1, 1, 2, 3]) for _ in range(dice.randint(1, 8)))
        logs.append(([len(terms), *(dice.randint(0, len(terms)) for _ in range(dice.randint(0, 6)))], terms))
    return logs


def _majority_has(match: list[int]) -> int:
    return sorted(match, reverse=True)[len(match) // 2]


def _compare(answer: Callable[..., Any], match: list[int], terms: list[int]) -> None:
    got, right = ask(answer, list(match), list(terms)), commit_index(match, terms)
    if got == right and not isinstance(got, bool):
        return
    counted = _majority_has(match)
    case = f"match {match}, terms {terms}: {right} is committed, you say {got!r}"
    if got == counted:
        raise NotYet(
            f"You count an entry of term {terms[counted - 1]} although the leader leads term {terms[-1]}.",
            case,
            next="A later leader may still overwrite it: commit it only together with an entry of the leader's term.",
        )
    if isinstance(got, int) and got > counted:
        raise NotYet(
            f"Entry {got} is on {sum(m >= got for m in match)} of {len(match)} disks: that is no majority.",
            case,
        )
    raise NotYet(f"With match {match} and terms {terms} the commit index is {right}, not {got!r}.", case)


# -- who still answers? ----------------------------------------------------------------------------------------------
MOMENTS = {"3 of 3 up": 14, "2 of 3 up": 24, "1 of 3 up": 38}  # seconds into the scenario `quorum`
WINDOW = 6  # seconds: etcdctl gives up after 5
VERBS = {"put": "put", "get": "linearizable get", "get serializable": "serializable get"}


def who_answers(seed: int | None = None) -> list[list[str]]:
    """The scenario `quorum`, questioned three times: a row for each question, a column for each moment."""
    scenario = load("quorum")
    cluster = Cluster(scenario.topology, scenario.seed if seed is None else seed, scenario.params)
    cluster.prepare(scenario.manifests, scenario.workload)
    schedule(cluster, parse_all([*scenario.faults, *(q for at in MOMENTS.values() for q in _questions(at))]))
    columns = [["", *VERBS.values(), "watch", "running pods"]]
    for moment, at in MOMENTS.items():
        seen: list[str] = []
        cluster.run_until((at - 1) * SECOND)
        watch = {"key": "asked", "require_leader": True}
        cluster.user.open_stream("etcd-1", "watch", watch, partial(_heard, seen), partial(_closed, seen))
        cluster.run_until((at + WINDOW) * SECOND)
        fates = [_fate(cluster.trace, at, verb) for verb in VERBS]
        columns.append([moment, *fates, seen[0] if seen else "silence", _visits(cluster.trace, at)])
    return [list(row) for row in zip(*columns, strict=True)]


def _questions(at: int) -> list[tuple]:
    """A write and, a moment later, two reads, all through etcd-1."""
    return [
        (at, "put", "asked", f"at {at} s", "etcd-1"),
        (at + 0.1, "get", "asked", "etcd-1"),
        (at + 0.1, "get", "asked", "etcd-1", "serializable"),
    ]


def _heard(seen: list[str], item: Any) -> None:
    seen += [f"event: {event['kv']['value']}" for event in item["events"]]


def _closed(seen: list[str], error: Any) -> None:
    seen.append(str(error))


def _fate(trace: Trace, at: int, verb: str) -> str:
    asked = (r for r in trace.of("request") if r.detail["kind"] == "etcd" and r.detail["verb"] == verb)
    record = next((r for r in asked if at * SECOND <= r.detail["started"] < (at + 1) * SECOND), None)
    if record is None:
        return "still waiting"
    detail = record.detail
    return detail.get("answer", "ok") if detail["outcome"] == "ok" else detail["why"]


def _visits(trace: Trace, at: int) -> str:
    found = [r for r in trace.of("request") if r.detail["kind"] == "service"]
    fates = [r.detail["outcome"] for r in found if at * SECOND <= r.detail["started"] < (at + WINDOW - 1) * SECOND]
    return f"{fates.count('ok')} of {len(fates)} visits ok"


# -- predictions and questions ---------------------------------------------------------------------------------------
PREDICTIONS: dict[str, dict[str, Any]] = {
    "two-of-three": {
        "question": "etcd-2 crashes at 20 s, etcd-3 at 30 s. What becomes of kubectl's writes and of the visits?",
        "choices": [
            "Both go on: one member is left",
            "Writes fail, visits go on",
            "Both stop: the cluster is down",
            "Writes go on, but what the other two held is lost",
        ],
        "answer": 1,
        "explain": "One of three is no majority, so nothing can be written. No visit ever asks etcd.",
    },
    "partition": {
        "question": "Of five members etcd-1 leads. At 10 s it is cut off with etcd-2. Who accepts writes at 20 s?",
        "choices": [
            "Both sides; etcd merges them when the cut heals",
            "The side of the leader",
            "The side of the three, after an election",
            "Neither side, until the cut heals",
        ],
        "answer": 2,
        "explain": "Three of five are a majority, whoever led before. The old leader steps down: nobody confirms it.",
    },
    "slow-disk": {
        "question": "One follower's disk becomes slow at 10 s, the other's too at 25 s. When do writes become slow?",
        "choices": [
            "At 10 s: a write waits for every member",
            "At 10 s a little, at 25 s more: it is the average that counts",
            "At 25 s: a write waits for a majority",
            "Never: followers copy in their own time",
        ],
        "answer": 2,
        "explain": "Leader and fast follower are two of three. Only when both followers are slow, every majority is.",
    },
}

questions(
    "quorum.warm-up",
    Question(
        "The only API server of a cluster is down. What happens to a pod that is running?",
        {
            "It is killed when its node's Lease expires.": "Only the API could tell its kubelet so.",
            "It runs on and answers.": "Nothing between a visitor and a pod asks the API.",
            "It answers only on the node that it runs on.": "Rules for every node were programmed long before.",
        },
        answer="It runs on and answers.",
    ),
    Question(
        "Which programs talk to etcd?",
        {
            "Only the API servers.": "Scheduler, controllers and kubelets see the world through the API.",
            "API servers and scheduler.": "The scheduler binds a pod through the API, like everybody else.",
            "Whoever has something to store.": "Then nobody could check or forbid it; the API server does both.",
        },
        answer="Only the API servers.",
    ),
    Question(
        "Who starts the containers of a new pod?",
        {
            "The scheduler.": "It writes a name into spec.nodeName, and that is all it does.",
            "The kubelet of the chosen node.": "It watches for pods that bear its node's name.",
            "The controller-manager.": "It writes Pod objects; it starts nothing.",
        },
        answer="The kubelet of the chosen node.",
    ),
)

questions(
    "quorum.seen",
    Question(
        "From about 40 s on kubectl's writes no longer wait: each ends at once with EOF. Why?",
        {
            "The API servers have crashed.": "All three run. Ask one at /readyz, and it says what it lacks: etcd.",
            "The load balancer has taken all API servers out.": "None passes its check without etcd.",
            "etcd-1 refuses every write.": "It is not asked any more. Asked, it waits for others until time is up.",
        },
        answer="The load balancer has taken all API servers out.",
    ),
    Question(
        "How many visits to the shop failed in these 75 seconds?",
        {
            "None": "A visit passes a kernel's rules and a pod. Neither asks etcd.",
            "Those between 30 and 50 s": "Look at the strip again: it stays whole.",
            "About a third, from 20 s on": "A third of the members is not a third of the pods.",
        },
        answer="None",
    ),
)

questions(
    "quorum.seen-partition",
    Question(
        "For most of a second two members called themselves leader. What told them apart?",
        {
            "Their terms, 1 and 2": "A message of an older term is refused, and only three of five can commit.",
            "Their revisions": "Both stood at the same one. The newer term decides.",
            "Nothing: there were two truths": "etcd-1 believed in itself, but two of five could commit nothing.",
        },
        answer="Their terms, 1 and 2",
    ),
    Question(
        "The client of this story writes through etcd-1. What had become of the writes of the cut, when it healed?",
        {
            "They were merged into the log.": "A log has one order. There is nothing to merge.",
            "etcd-1 cut them off its log.": "They conflicted with what the majority had committed at the same places.",
            "They were sent again to etcd-4.": "etcd never repeats a write on its own.",
        },
        answer="etcd-1 cut them off its log.",
    ),
)

questions(
    "quorum.quiz",
    Question(
        "Five members, two dead for good. You add a sixth before you remove the dead. How many must agree now?",
        {
            "3": "That was the majority of five; a member that has been added counts, alive or not.",
            "4": "A majority of six is four, and exactly four are alive: none may fail. Remove first, then add.",
            "None: even numbers have no majority": "Even numbers are legal, only wasteful.",
        },
        answer="4",
    ),
    Question(
        "A put ended in a time-out. What do you know?",
        {
            "It failed; I repeat it blindly.": "It may be there already, or come yet: repeated, it may happen twice.",
            "It succeeded; etcd only answered late.": "It may never have reached a majority.",
            "Nothing: read before you write again.": "A linearizable read, once it works, tells what happened.",
        },
        answer="Nothing: read before you write again.",
    ),
    Question(
        "etcd-1 and etcd-2 are cut off from the other three. What can etcd-2 still answer?",
        {
            "Nothing at all.": "What needs no agreement it answers from its own disk.",
            "Serializable reads, perhaps old ones.": "Nobody vouches for them, and nobody needs to.",
            "All reads, but no writes.": "A linearizable read must be confirmed by a majority, or it could be stale.",
        },
        answer="Serializable reads, perhaps old ones.",
    ),
    Question(
        "A client writes to a follower. What happens?",
        {
            "An error that names the leader.": "Some systems do that; an etcd member forwards the request.",
            "The follower forwards it to the leader.": "One hop more; clients may ask any member.",
            "The follower writes it, the leader hears later.": "Then two members could write two truths.",
        },
        answer="The follower forwards it to the leader.",
    ),
)

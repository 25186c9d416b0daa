"""Chapter *Electing one leader*: how often votes split, whom to vote for, timeouts for three sites; questions.

election.split-vote   the closed form, on the 40 cases of the thesis's table and 200 others
election.grant-vote   the rule of a voter, on 30 cases that the book's own Raft machine decides
election.whose-curve  which of seven curves of figure 16 a sample of elections belongs to, 20 times
election.sites        a range of timeouts, tried in 1,000 elections and in a year of lost heartbeats

Invariant: no answer key is written down: each comes from `check.elections`, `etcd.raft` or `study.elections`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from kubemini.check.elections import split_vote
from kubemini.etcd.confchange import Configuration
from kubemini.etcd.log import Entry
from kubemini.etcd.messages import Config, HardState, Message
from kubemini.etcd.raft import Raft
from kubemini.lab import NotYet, Question, Report, ask, exercise, questions
from kubemini.study.elections import WAN, Setting, elections, percentile

SEEDS = range(1, 21)

# The curves of figure 16 as published, read from its vector file (D. Ongaro, 2014, CC BY): medians in milliseconds.
PUBLISHED = {
    (150, 151): 1199,
    (150, 155): 287,
    (150, 175): 141,
    (150, 200): 146,
    (150, 300): 171,
    (12, 24): 30,
    (25, 50): 43,
    (50, 100): 67,
    (100, 200): 120,
}
RANDOMNESS = ((150, 151), (150, 155), (150, 175), (150, 200), (150, 300))
LENGTH = ((12, 24), (25, 50), (50, 100), (100, 200), (150, 300))


# -- how often votes split -------------------------------------------------------------------------------------------
TABLE = [
    (members, members - failed, latency)
    for members in (3, 5, 7, 9)
    for failed in range(1, members // 2 + 1)
    for latency in (0.01, 0.05, 0.1, 0.2)
]


@exercise("election.split-vote")
def check_split_vote(answer: Any) -> Report:
    """*answer*: a function of members, available members and latency (a share of the range of timeouts)."""
    cases = [*TABLE, *_random_clusters()]
    for case in cases:
        _compare(answer, *case)
    return Report(
        "pass",
        (
            f"{len(cases)} of {len(cases)} clusters, to nine digits",
            f"five members, one down, a latency of a fifth of the range: {ask(answer, 5, 4, 0.2):.1%} split",
            f"and with two down: {ask(answer, 5, 3, 0.2):.1%}",
        ),
        "A split takes enough candidates within one latency that too few voters are left for a majority.",
        "Halve the latency, or double the range: which is cheaper?",
    )


def _random_clusters() -> list[tuple[int, int, float]]:
    dice, found = Random("split-vote"), []
    for _ in range(200):
        members = dice.randint(1, 12)
        found.append((members, dice.randint(members // 2 + 1, members), round(dice.random(), 3)))
    return found


def _compare(answer: Callable[..., Any], members: int, available: int, latency: float) -> None:
    got, right = ask(answer, members, available, latency), split_vote(members, available, latency)
    case = f"{members} members, {available} up, latency {latency}: {right:.4f}, you say {got!r}"
    if isinstance(got, bool) or not isinstance(got, int | float):
        raise NotYet(f"A probability is a number; yours is {got!r}.")
    if abs(got - right) < 1e-9:
        return
    if abs(got - split_vote(members, members, latency)) < 1e-9:
        raise NotYet("You let the members that are down time out too: only those that are up can stand.", case)
    if abs(got - (1 - right)) < 1e-9:
        raise NotYet("That is the probability that somebody wins; asked is the other one.", case)
    raise NotYet(
        "That is not how often votes split.",
        case,
        next="Fewest candidates for a split: available - members // 2 + 1. The first stands anyway; how many more?",
    )


# -- whom to vote for --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Voter:
    """What a member holds on disk when it is asked: *voted_for* in *term* (None: nobody), the end of its log."""

    term: int
    voted_for: str | None
    last_term: int
    last_index: int


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody asks for a vote."""

    candidate: str
    term: int
    last_term: int
    last_index: int


NAMES = ("a", "b", "c")  # the voter is c
LOGS = (
    (2, 7),
    (3, 5),
    (3, 7),
    (3, 9),
    (4, 1),
)  # of the candidate: (term, index) of the last entry; the voter's: (3, 7)


def grants(request: Request, voter: Voter) -> bool:
    """What the book's own member answers."""
    terms = [min(index, voter.last_term) for index in range(1, voter.last_index)] + [voter.last_term]
    vote = 0 if voter.voted_for is None else NAMES.index(voter.voted_for) + 1
    raft = Raft(
        Config(
            id=3,
            timeout=lambda _: 10,
            configuration=Configuration(voters=frozenset((1, 2, 3))),
            pre_vote=False,
            check_quorum=False,
            hard_state=HardState(voter.term, vote, 0),
            entries=[Entry(term, index) for index, term in enumerate(terms, start=1)],
        )
    )
    asked = NAMES.index(request.candidate) + 1
    raft.step(Message("MsgVote", asked, 3, request.term, request.last_index, request.last_term))
    return any(m.type == "MsgVoteResp" and not m.reject for m in raft.ready().messages)


def vote_cases() -> list[tuple[Request, Voter]]:
    """Thirty: an older, the same, a newer term; the vote free, given to the candidate, given to another; five logs."""
    situations = [(4, None), (5, None), (5, "a"), (5, "b"), (6, None), (6, "b")]
    return [(Request("a", term, *log), Voter(5, voted_for, 3, 7)) for term, voted_for in situations for log in LOGS]


@exercise("election.grant-vote")
def check_grant_vote(answer: Any) -> Report:
    """*answer*: a function of a `Request` and a `Voter`, True if the vote is given."""
    cases = vote_cases()
    for request, voter in cases:
        _judge(answer, request, voter)
    given = sum(grants(*case) for case in cases)
    return Report(
        "pass",
        (
            f"{len(cases)} of {len(cases)} cases as the book's own members decide them",
            f"{given} votes given, {len(cases) - given} refused",
        ),
        "One vote a term, and only for a log at least as up to date: so a leader of every term has what was committed.",
        "The vote must be on disk before the answer leaves. What goes wrong otherwise?",
    )


def _judge(answer: Callable[..., Any], request: Request, voter: Voter) -> None:
    got, right = ask(answer, request, voter), grants(request, voter)
    if not isinstance(got, bool):
        raise NotYet(f"Return True or False, not {got!r}.")
    if got == right:
        return
    case = f"{request}, {voter}: {right}, you say {got}"
    raise NotYet(_why(request, voter), case)


def _why(request: Request, voter: Voter) -> str:
    """The rule that decides this case."""
    if request.term < voter.term:
        return f"The candidate stands in term {request.term}; this member is in {voter.term}: that election is over."
    if request.term == voter.term and voter.voted_for not in (None, request.candidate):
        return f"This member has voted for {voter.voted_for} in term {voter.term}: a second vote may make two leaders."
    if (request.last_term, request.last_index) < (voter.last_term, voter.last_index):
        if request.last_index > voter.last_index:
            return "A longer log is not a newer one: the term of the last entry decides, then the length."
        return "The candidate's log is less up to date than this member's: what it lacks may have been committed."
    if request.term > voter.term:
        return f"Term {request.term} is new: the vote of term {voter.term} binds nobody there."
    if voter.voted_for == request.candidate:
        return "It has voted for this very candidate: the first answer may have been lost, so it says yes again."
    return "Nothing speaks against this vote: the term is right, the vote is free, the log is up to date."


# -- whose curve it is -----------------------------------------------------------------------------------------------
APART = {range_: PUBLISHED[range_] for range_ in (*LENGTH, (150, 155), (150, 151))}  # medians that differ by a third
SAMPLE = 60


def sample(seed: int) -> tuple[tuple[int, int], list[float]]:
    """A range of the figure, and how long so many elections with it took, in no order."""
    dice = Random(f"figure-16/{seed}")
    secret = dice.choice(list(APART))
    times = [round(time, 1) for time in elections(Setting(secret), SAMPLE, seed)]
    dice.shuffle(times)
    return secret, times


@exercise("election.whose-curve")
def check_figure(answer: Any) -> Report:
    """*answer*: a function of times and of the published medians {range: ms}: the range that the times belong to."""
    off = [_recognised(seed, answer) for seed in SEEDS]
    return Report(
        "pass",
        (
            f"{len(off)} of {len(off)} samples of {SAMPLE} elections",
            f"the median of a sample was {min(off) - 1:+.0%} to {max(off) - 1:+.0%} off the published one",
        ),
        "The book's own machine gives the curves of 2014, and a median is enough to tell them apart.",
        "Which two of the figure's curves could you not tell apart with so few elections?",
    )


def _recognised(seed: int, answer: Any) -> float:
    """The sample's median as a share of the published one. Raises NotYet if *answer* names another range."""
    secret, times = sample(seed)
    got = ask(answer, list(times), dict(APART))
    median = percentile(sorted(times), 0.5)
    if got not in list(APART):
        raise NotYet(f"Return one of the ranges, such as (150, 300), not {got!r}.")
    if got != secret:
        extremes = (min(times), max(times))
        what = "One lucky or unlucky election decides" if _nearest(extremes, got) else "That is another curve"
        said = f"published for {got}: {APART[got]} ms, for {secret}: {APART[secret]} ms"
        raise NotYet(f"{what}: ask when half of them were over.", f"sample {seed}: half within {median:.0f} ms", said)
    return median / APART[secret]


def _nearest(times: Sequence[float], got: tuple[int, int]) -> bool:
    """Whether *got* has the published median next to one of *times*."""
    return any(min(APART, key=lambda range_: abs(APART[range_] - time)) == got for time in times)


# -- timeouts for three sites ----------------------------------------------------------------------------------------
HEARTBEAT, JITTER, LOST = 100, 10, 0.01  # ms, ms, the share of heartbeats that do not arrive
SLOWEST, OFTEN = 1250, 1.0  # ms for 99 % of the elections; false elections a day
DAY = 24 * 3600 * 1000 // HEARTBEAT


def false_elections(low: float, high: float, followers: int = 4) -> float:
    """How often a day a follower gives up a healthy leader, because heartbeats in a row were lost."""
    steps = 1000
    timeouts = (low + (high - low) * (n + 0.5) / steps for n in range(steps))
    return sum(followers * DAY * LOST ** ((timeout - JITTER) // HEARTBEAT) for timeout in timeouts) / steps


@exercise("election.sites")
def check_sites(answer: Any) -> Report:
    """*answer*: the lower and the upper end of the timeouts, in milliseconds."""
    low, high = _range(answer)
    often = false_elections(low, high)
    if often > OFTEN:
        raise NotYet(
            f"{often:,.1f} times a day a follower would give up a healthy leader; at most once is allowed.",
            f"the shortest timeout, {low:g} ms, is over once {(low - JITTER) // HEARTBEAT:.0f} in a row fail to come",
            next="Wait longer before you stand.",
        )
    times = _far_apart(low, high)
    slow = percentile(times, 0.99)
    if slow > SLOWEST:
        splits = "Votes split again and again" if high - low < 250 else "Everybody waits too long"
        raise NotYet(
            f"One election in a hundred takes {_ms(slow)} or longer; {SLOWEST} ms are allowed.",
            f"half of them take less than {_ms(percentile(times, 0.5))}",
            next=f"{splits}: look at the width of the range, {high - low:g} ms, and at its beginning.",
        )
    return Report(
        "pass",
        (
            f"{len(times)} elections under {len(SEEDS)} seeds: half within {_ms(percentile(times, 0.5))}, "
            f"99 of 100 within {_ms(slow)}",
            f"false elections: {often:.2f} a day",
        ),
        "Long enough to forgive lost heartbeats, wide enough to keep candidates apart, and no longer than that.",
        "etcd's rule of thumb: the heartbeat about one round trip, the election timeout at least ten of them.",
    )


def _range(answer: Any) -> tuple[float, float]:
    try:
        low, high = (float(end) for end in answer)
    except (TypeError, ValueError):
        raise NotYet(f"Two numbers are asked for, such as (150, 300); yours is {answer!r}.") from None
    if not HEARTBEAT <= low <= high <= 10_000:
        raise NotYet(f"From {low:g} to {high:g} ms is no range: at least one heartbeat, {HEARTBEAT} ms, and upwards.")
    return low, high


def _far_apart(low: float, high: float) -> Sequence[float]:
    setting: Setting = replace(WAN, timeout=(low, high))
    return sorted(time for seed in SEEDS for time in elections(setting, 50, seed))


def _ms(time: float) -> str:
    return f"{time:.0f} ms" if time < float("inf") else "15 s and more"


# -- predictions and questions ---------------------------------------------------------------------------------------
PREDICTIONS: dict[str, dict[str, Any]] = {
    "crash": {
        "question": "etcd-1 leads; at 5 s it crashes, at 12 s it returns. For how long does nobody lead?",
        "choices": [
            "Not at all: a deputy takes over at once",
            "One to two seconds, until the first member gets impatient",
            "Seven seconds, until etcd-1 is back",
            "For good: four members are no majority of five that could agree",
        ],
        "answer": 1,
        "explain": "Nobody is told of a crash. Each follower waits for its own timeout, and the shortest one ends it.",
    },
    "split": {
        "question": "At 6 s the leader crashes. Within 90 ms three of the four left stand for term 2. Who wins?",
        "choices": [
            "The one that stood first",
            "The one with the most votes, even if they are only two",
            "Nobody in term 2",
            "Two of them; the cluster has two leaders for a while",
        ],
        "answer": 2,
        "explain": "Each has voted for itself, and nobody votes twice in a term. Three of five cannot be had.",
    },
    "rejoin": {
        "question": "etcd-5 was cut off from 5 to 16 s; the others have a leader. What happens when the cut heals?",
        "choices": [
            "Nothing: etcd-5 follows the leader again",
            "The healthy leader gives up, and for a while nobody leads",
            "etcd-5 becomes leader: its term is the highest",
            "etcd-5 is refused until somebody resets it",
        ],
        "answer": 1,
        "explain": "Alone, etcd-5 stood again and again. Its high term deposes the leader, though it wins nothing.",
    },
}

questions(
    "election.warm-up",
    Question(
        "kubectl changes a Deployment. Which program writes it to disk?",
        {
            "The API server": "It checks the request and asks etcd to keep the object.",
            "etcd": "Nothing else in the control plane keeps anything.",
            "The kubelet of each node": "It hears of its own pods, through the API.",
        },
        answer="etcd",
    ),
    Question(
        "The machine of the only API server crashes. What do visitors of a running shop notice?",
        {
            "Nothing": "No visit asks the API.",
            "Errors after 40 s": "Nobody is there who could take a pod out.",
            "Errors at once": "Kernel rules and pods need no API.",
        },
        answer="Nothing",
    ),
    Question(
        "The controller-manager is down. What becomes of a pod that you delete?",
        {
            "It stays": "The kubelet sees the deletion and stops it.",
            "It ends, and no other is made in its place": "Making the next one is a controller's job.",
            "It ends, and the scheduler makes another": "The scheduler places pods; it makes none.",
        },
        answer="It ends, and no other is made in its place",
    ),
)

questions(
    "election.seen-crash",
    Question(
        "Which member became leader, and why that one?",
        {
            "etcd-2, the next by number": "Numbers decide nothing.",
            "etcd-3: its dial was the first to run out": "It asked first, and nobody had a reason to say no.",
            "The one with the longest log": "All logs were equal. A shorter one would have been refused.",
        },
        answer="etcd-3: its dial was the first to run out",
    ),
    Question(
        "At 12 s etcd-1 came back. What did it do?",
        {
            "It led again.": "It had led term 1. Now it is term 2.",
            "It followed etcd-3.": "A message of term 2 told it that its own term was over.",
            "It stood for election.": "It heard a leader before its dial ran out.",
        },
        answer="It followed etcd-3.",
    ),
)

questions(
    "election.seen-split",
    Question(
        "How did term 2 end?",
        {
            "With a leader of two votes.": "A majority of five is three, however many are up.",
            "With nobody; the next dial to run out began term 3.": "New timeouts were drawn, and one was short enough.",
            "With a lot between the candidates.": "The lot is drawn before, by each for itself: the timeout.",
        },
        answer="With nobody; the next dial to run out began term 3.",
    ),
)

questions(
    "election.seen-rejoin",
    Question(
        "How did a member without any vote but its own depose a leader that four others followed?",
        {
            "It had more votes.": "It had one in each of its terms.",
            "With its term.": "Whoever meets a higher term steps down: it might have missed an election.",
            "Its log was longer.": "It was shorter: it had missed eleven seconds.",
        },
        answer="With its term.",
    ),
)

questions(
    "election.quiz",
    Question(
        "Can there be two leaders at the same time?",
        {
            "No, never.": "An old one that is cut off does not know yet that there is a new one.",
            "Yes, but never two of one term.": "Two majorities of a term would share a voter, and it votes once.",
            "Yes, two of one term, after a split vote.": "After a split vote there is none.",
        },
        answer="Yes, but never two of one term.",
    ),
    Question(
        "Your members are 100 ms apart (one way) and time out after 150 to 300 ms. What do you see?",
        {
            "Fast elections": "A vote alone takes 200 ms there and back.",
            "Term after term without a leader": "Candidates stand before they can hear of each other.",
            "Two leaders": "Votes are given once a term, near or far.",
        },
        answer="Term after term without a leader",
    ),
    Question(
        "Why does a voter write its vote to disk before it answers?",
        {
            "So that an auditor can count": "Nobody counts again.",
            "Lest it crash, forget, and vote twice in a term": "Two votes, and that term could have two leaders.",
            "So that the leader can read it": "The answer tells the candidate all it needs.",
        },
        answer="Lest it crash, forget, and vote twice in a term",
    ),
    Question(
        "What does PreVote change?",
        {
            "A member asks whether it could win before it begins a term.": "If not, its term stays as it is.",
            "Elections take one round trip less.": "They take one more.",
            "A member may vote twice.": "A pre-vote binds nobody; real votes are as before.",
        },
        answer="A member asks whether it could win before it begins a term.",
    ),
)

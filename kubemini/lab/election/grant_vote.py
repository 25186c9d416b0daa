"""election.grant-vote: the rule of a voter, on 30 cases.

Invariant: the key is what the book's own Raft machine decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubemini.etcd.raft.confchange import Configuration
from kubemini.etcd.raft.log import Entry
from kubemini.etcd.raft.messages import Config, HardState, Message
from kubemini.etcd.raft.raft import Raft
from kubemini.lab import NotYet, Report, ask, exercise


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

"""Changing who is a member: one voter at a time, or any number through a joint configuration. Pure.

Invariant: the majorities of two successive configurations overlap: either they differ in at most one voter, or between
them lies a joint configuration that needs a majority of both. A configuration is a value; a change makes a new one.
Ongaro and Ousterhout 2014 §6, Ongaro's thesis §4; checked against the tables of etcd-io/raft's confchange package.
Models raft confchange Changer.Simple, Changer.EnterJoint, Changer.LeaveJoint.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

VOTER, LEARNER, REMOVE, UPDATE = "voter", "learner", "remove", "update"
AUTO, IMPLICIT, EXPLICIT = "auto", "implicit", "explicit"


class ConfChangeError(ValueError):
    """A change that this configuration does not allow."""


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What becomes of one member: ``voter``, ``learner``, ``remove``, or ``update`` (nothing that Raft minds)."""

    kind: str
    member: int


@dataclass(frozen=True, slots=True)
class ConfChange:
    """An entry of the log that changes the membership. Without changes it leaves a joint configuration.

    *transition* ``auto`` is joint only if it must be and then leaves by itself, ``implicit`` is joint and leaves by
    itself, ``explicit`` is joint until it is told to leave. *simple*: of the old kind that knows no joint consensus.
    *context* is the driver's own: whatever it wants to find beside the change when it applies it.
    """

    changes: tuple[MemberChange, ...] = ()
    transition: str = AUTO
    simple: bool = False
    context: Any = None

    @property
    def leaves_joint(self) -> bool:
        """Whether it asks to leave a joint configuration."""
        return not self.changes and self.transition == AUTO

    @property
    def enters_joint(self) -> bool:
        """Whether it needs, or wants, joint consensus."""
        return self.transition != AUTO or len(self.changes) > 1


@dataclass(frozen=True)
class Configuration:
    """Who votes (*outgoing*: in the half of a joint configuration that is on its way out), who only listens.

    *learners_next* are voters on their way out that will be learners when the joint configuration is left.
    """

    voters: frozenset[int] = frozenset()
    outgoing: frozenset[int] = frozenset()
    learners: frozenset[int] = frozenset()
    learners_next: frozenset[int] = frozenset()
    auto_leave: bool = False

    @cached_property
    def majorities(self) -> tuple[frozenset[int], ...]:
        """The sets of voters of which a decision needs a majority each."""
        return (self.voters, self.outgoing) if self.outgoing else (self.voters,)

    @cached_property
    def all_voters(self) -> tuple[int, ...]:
        """Everyone who votes in either half."""
        return tuple(sorted(self.voters | self.outgoing))

    @cached_property
    def members(self) -> tuple[int, ...]:
        """Everyone who is sent the log."""
        return tuple(sorted(self.voters | self.outgoing | self.learners))


NOBODY = Configuration()


def configuration(voters: Iterable[int], learners: Iterable[int] = ()) -> Configuration:
    """A configuration that is not joint."""
    return Configuration(frozenset(voters), learners=frozenset(learners))


def apply(before: Configuration, change: ConfChange) -> tuple[Configuration, frozenset[int]]:
    """The configuration after *change*, and the members that begin anew though they may have been members before."""
    if change.leaves_joint:
        return leave_joint(before), frozenset()
    if change.enters_joint:
        return enter_joint(before, change.changes, change.transition != EXPLICIT)
    return simple(before, change.changes)


def simple(before: Configuration, changes: Iterable[MemberChange]) -> tuple[Configuration, frozenset[int]]:
    """One step: at most one voter more or less, so that old and new majorities overlap by themselves."""
    if before.outgoing:
        raise ConfChangeError("can't apply simple config change in joint config")
    draft = _Draft(before)
    draft.apply(changes)
    if len(before.voters ^ draft.voters) > 1:
        raise ConfChangeError("more than one voter changed without entering joint config")
    return draft.result(), frozenset(draft.anew)


def enter_joint(
    before: Configuration, changes: Iterable[MemberChange], auto_leave: bool = False
) -> tuple[Configuration, frozenset[int]]:
    """The first of two steps: until `leave_joint`, both the old and the new voters must agree."""
    if before.outgoing:
        raise ConfChangeError("config is already joint")
    if not before.voters:
        raise ConfChangeError("can't make a zero-voter config joint")
    draft = _Draft(replace(before, outgoing=before.voters, auto_leave=auto_leave))
    draft.apply(changes)
    return draft.result(), frozenset(draft.anew)


def leave_joint(before: Configuration) -> Configuration:
    """The second step: the old voters no longer count, and those demoted become learners."""
    if not before.outgoing:
        raise ConfChangeError("can't leave a non-joint config")
    return Configuration(before.voters, learners=before.learners | before.learners_next)


class _Draft:
    """A configuration while its changes are made, one after the other."""

    def __init__(self, before: Configuration):
        self.voters, self.outgoing = set(before.voters), before.outgoing
        self.learners, self.learners_next = set(before.learners), set(before.learners_next)
        self.auto_leave = before.auto_leave
        self.anew: set[int] = set()

    def apply(self, changes: Iterable[MemberChange]) -> None:
        acts = {VOTER: self.add_voter, LEARNER: self.add_learner, REMOVE: self.remove, UPDATE: self.update}
        for change in changes:
            if change.member:  # 0 is nobody: a change that was refused later than it was proposed
                acts[change.kind](change.member)
        if not self.voters:
            raise ConfChangeError("removed all voters")

    def result(self) -> Configuration:
        learners, learners_next = frozenset(self.learners), frozenset(self.learners_next)
        return Configuration(frozenset(self.voters), self.outgoing, learners, learners_next, self.auto_leave)

    def is_member(self, member: int) -> bool:
        return member in self.voters or member in self.outgoing or member in self.learners

    def add_voter(self, member: int) -> None:
        if not self.is_member(member):
            self.anew.add(member)
        self.learners.discard(member)
        self.learners_next.discard(member)
        self.voters.add(member)

    def add_learner(self, member: int) -> None:
        """A voter of the old half stays one until the joint configuration is left."""
        if member in self.learners:
            return
        if not self.is_member(member):
            self.anew.add(member)
        self.remove(member)
        (self.learners_next if member in self.outgoing else self.learners).add(member)

    def remove(self, member: int) -> None:
        for group in (self.voters, self.learners, self.learners_next):
            group.discard(member)

    def update(self, member: int) -> None:
        """Something about the member that Raft does not keep."""

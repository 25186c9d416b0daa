"""VRRP as keepalived does it: who of several hosts holds one address. Pure: facts in, deeds out, one deadline.

Theory of operation. A master says every *advert* that it is there, with its priority. A backup waits
three of these and a *skew*, which is shorter the higher its priority; each advertisement of a priority that
is no lower than its own winds that clock up again. So three things make a backup take the address:
silence (host off, cut, master hung), a last advertisement of priority 0 (the master ends in peace: only the
skew is left), and advertisements of a lower priority, which it does not count: that is preemption. A
master that hears a higher priority gives the address up; one that hears a lower one says at once who is
master, and tells the net again where the address is.
Nobody asks whether anybody else holds the address: two that cannot hear each other both do.
A failing check script lowers the priority, it does not end anything. The script is counted as HAProxy
counts its checks, but for the first result, which alone decides.
Invariant: the address is held exactly while the state is MASTER.
RFC 3768 (VRRP version 2), section 6.4; keepalived 2.2.7, run beside this (tests/real/frontdoor).
Models keepalived keepalived/vrrp/vrrp.c vrrp_state_backup
Models keepalived keepalived/vrrp/vrrp.c vrrp_state_master_rx
Models keepalived keepalived/vrrp/vrrp.c vrrp_state_goto_master
Models keepalived keepalived/vrrp/vrrp_track.c vrrp_set_effective_priority
Models keepalived keepalived/vrrp/vrrp_scheduler.c vrrp_script_child_thread
Simplified: one address; no authentication, no FAULT state (a host whose cable is out would leave the game).
"""

from dataclasses import dataclass, field
from enum import StrEnum

from kubemini.loadbalancer.decide.health import ServerHealth

BACKUP, MASTER = "BACKUP", "MASTER"
STOP = 0  # the priority of a last advertisement
HIGHEST = 254  # 255 is for the owner of the address, who needs no election


class Deed(StrEnum):
    """What is to be done, in the order in which it was decided."""

    SAY = "send an advertisement"
    TAKE = "put the address on this host"
    DROP = "take the address off this host"
    ANNOUNCE = "tell the net that the address is here"


@dataclass(frozen=True, slots=True)
class Advertisement:
    """*priority* of a master; *rank* stands for its own address, of which the higher wins among equals."""

    priority: int
    rank: int


def skew(priority: int, second: int) -> int:
    """How much longer than three advertisements a backup waits: (256 - priority) / 256 s."""
    return (256 - priority) * second // 256


@dataclass(slots=True)
class Router:
    """One keepalived's view. Instants and durations in µs; *second* is one, in the same unit.

    *weight* is added to the priority while the script fails.
    """

    base: int
    rank: int
    advert: int
    second: int
    weight: int
    script: ServerHealth
    preempt: bool = True
    state: str = BACKUP
    deadline: int = 0  # a backup takes the address then, a master says that it is there
    checked: bool = False
    deeds: list[Deed] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.script.value = self.script.rise - 1  # one success is enough

    @property
    def priority(self) -> int:
        """The priority that is in force: with the weight of a failing script, from 1 to 254."""
        failing = self.checked and not self.script.up
        return max(1, min(HIGHEST, self.base + self.weight * failing))

    @property
    def patience(self) -> int:
        """How long a backup waits for the next advertisement."""
        return 3 * self.advert + skew(self.priority, self.second)

    def begin(self, now: int) -> None:
        """Whoever is meant to be master begins as a backup as well."""
        self.deadline = now + self.patience

    def due(self, now: int) -> None:
        """The deadline has come."""
        self.deadline = now + self.advert
        self.deeds.append(Deed.SAY)
        if self.state == BACKUP:
            self.state = MASTER
            self.deeds += [Deed.TAKE, Deed.ANNOUNCE]

    def hear(self, now: int, heard: Advertisement) -> None:
        """An advertisement of another has arrived."""
        if self.state == MASTER:
            self._rival(now, heard)
        elif heard.priority == STOP:
            self.deadline = now + skew(self.priority, self.second)
        elif heard.priority >= self.priority or not self.preempt:
            self.deadline = now + self.patience

    def _rival(self, now: int, heard: Advertisement) -> None:
        if heard.priority == STOP:
            self.deeds.append(Deed.SAY)
        elif (heard.priority, heard.rank) < (self.priority, self.rank):
            self.deeds += [Deed.SAY, Deed.ANNOUNCE]
        else:
            self.state = BACKUP
            self.deadline = now + self.patience
            self.deeds.append(Deed.DROP)

    def yields_to(self, other: "Router") -> bool:
        """Whether the advertisements of *other*, a master, change nothing here but the clock."""
        return self.state == BACKUP and (other.priority >= self.priority or not self.preempt)

    def judge(self, passed: bool) -> bool:
        """The script has ended; whether that changes the priority. A backup's clock goes with it."""
        before, patience = self.priority, self.patience
        self.checked = True
        self.script.passed() if passed else self.script.failed()
        if self.state == BACKUP:
            self.deadline += self.patience - patience
        return self.priority != before

    def end(self) -> None:
        """Told to end, or its parent process is gone: a master says so, and gives the address up."""
        if self.state == MASTER:
            self.state = BACKUP
            self.deeds += [Deed.SAY, Deed.DROP]

"""keepalived: it keeps one address on one of several balancers (decide/vrrp.py), and checks the balancer beside it.

Theory of operation. `Router` decides; this carries out: it sends advertisements, sets the clock, puts the
address on the host and off it, and every *interval* runs the check script, kubeadm's curl of
https://localhost/healthz through the balancer of this host.
Whoever is killed leaves nothing behind: keepalived's parent process dies, the child that speaks VRRP is told
so by the kernel (PR_SET_PDEATHSIG), says goodbye and takes the address off, as if it had been told to stop.
Only power, a cut, and standing still are silent; who stands still keeps the address.
A pair that agrees costs nothing. What has been said and checked meanwhile is counted when somebody
could tell (`settle`, told by `Network.watchers` and by the other balancer): a master need not speak while
all who hear it would only wind up their clock; a backup need not wind it up while it hears its master; a
check need not run while nothing on its way is missing, or while the balancer itself is.
Invariant: what is left out changed nothing (tests/loadbalancer/test_keepalived.py).
kubeadm docs/ha-considerations.md; keepalived 2.2.7, run beside this (tests/real/frontdoor).
Models keepalived keepalived/vrrp/vrrp_scheduler.c vrrp_script_thread
Simplified: one script; a gratuitous ARP is one, not five; a check rests although packets may be lost.
"""

from typing import Any

from kubemini.host import Component, Host, Timer
from kubemini.loadbalancer.checks import HEALTHZ
from kubemini.loadbalancer.decide.health import ServerHealth
from kubemini.loadbalancer.decide.vrrp import BACKUP, MASTER, STOP, Advertisement, Deed, Router
from kubemini.sim import Sim, Steps
from kubemini.sim.units import SECOND
from kubemini.wire import Network
from kubemini.wire.connections import Limits
from kubemini.wire.network import BARE


class Keepalived(Component):
    """One keepalived; the *peers* are all in the order of their priorities, the *way* is what a check passes."""

    def __init__(
        self,
        sim: Sim,
        net: Network,
        host: Host,
        name: str,
        address: list[str],
        peers: list[str],
        balancer: list[str],
        way: list[str],
    ):
        super().__init__(sim, net, host, name)
        (self.address,), (self.balancer,) = address, balancer
        self.peers = [peer for peer in peers if peer != name]
        self.place = peers.index(name)
        self.way = way
        net.addresses.declare(self.address, host.name, self.balancer)
        net.watchers.append(self.settle)

    def boot(self) -> None:
        p = self.net.params
        base = p.keepalived_backup_priority if self.place else p.keepalived_priority
        script = ServerHealth(p.keepalived_rise, p.keepalived_fall)
        self.router = Router(
            base, self.place, p.keepalived_advert_int, SECOND, p.keepalived_weight, script, not p.keepalived_nopreempt
        )
        early = self._ran_before()
        self.router.begin(self.sim.now - early % p.keepalived_advert_int)
        self.clock: Timer | None = None
        self.wound = 0  # the instant that the clock is set to
        self.next_check: Timer | None = None
        self.began = self.sim.now - early
        self.master = ""  # whose advertisements wind up the clock, though they are left out
        self.silent = False  # a master whose advertisements are left out
        self._check()
        self.settle()

    def _ran_before(self) -> int:
        """A story does not begin with the start of its balancers: for how long these have run, both alike."""
        p = self.net.params
        most = max(p.keepalived_advert_int, p.keepalived_check_interval)
        return self.sim.draws("keepalived/start").between(0, 0, most - 1) if self.incarnation == 1 else 0

    # -- what happens ------------------------------------------------------------------------------------------------
    def receive(self, source: str, payload: Any) -> None:
        self._count()
        self.router.hear(self.sim.now, payload)
        self._carry_out(f"hears priority {payload.priority} of {source}")

    def _due(self) -> None:
        self.clock = None
        self.router.due(self.sim.now)
        self._carry_out("has heard no advertisement in time")

    def on_sigterm(self) -> None:
        self._goodbye()
        super().on_sigterm()

    def crash(self) -> None:
        if self.up and not self.paused:
            self._goodbye()
        super().crash()

    def shutdown(self) -> None:
        self.net.addresses.drop(self.address, self.host.name)

    def _goodbye(self) -> None:
        self.router.end()
        self._carry_out("ends", STOP)

    # -- what is done ------------------------------------------------------------------------------------------------
    def _carry_out(self, why: str, priority: int | None = None) -> None:
        router, host = self.router, self.host.name
        deeds, router.deeds = router.deeds, []
        for deed in deeds:
            if deed is Deed.SAY:
                said = Advertisement(router.priority if priority is None else priority, self.place)
                for peer in self.peers:
                    self.net.send(self, peer, BARE, self.net.components[peer].arrive, self.name, said)
            elif deed is Deed.ANNOUNCE:
                self._announce()
                self.after(self.net.params.keepalived_garp_master_delay, self._announce)
            else:
                held = deed is Deed.TAKE
                (self.net.addresses.take if held else self.net.addresses.drop)(self.address, host)
                self._record(why)
                self.sim.record(self.name, "address", address=self.address, held=held)
        self._settle_all()
        if {Deed.TAKE, Deed.DROP} & set(deeds):
            self.net.changed()

    def _announce(self) -> None:
        if self.router.state == MASTER:
            self.net.announce(self.address, self.host)

    def _record(self, why: str) -> None:
        self.sim.record(self.name, "vrrp", state=self.router.state, priority=self.router.priority, why=why)

    # -- the check script --------------------------------------------------------------------------------------------
    def _check(self) -> None:
        self.next_check = None
        self.spawn(self._script())
        self._set_check()

    def _script(self) -> Steps:
        limit = self.net.params.keepalived_check_timeout
        curl, until = self.connection(self.balancer, Limits(limit, 0, 0, None), kept=False), self.sim.now + limit
        reply = yield curl.dial()
        if reply.ok:
            reply = yield curl.call("request", HEALTHZ, until - self.sim.now)
        curl.close()
        self._count()
        if self.router.judge(reply.ok):
            self._record(f"check {'succeeded' if reply.ok else 'failed'}")
        self._settle_all()

    def _set_check(self) -> None:
        """The script runs at its times, counted from the start, however long it takes."""
        if self.next_check is None:
            period = self.net.params.keepalived_check_interval
            self.next_check = self.after(period - (self.sim.now - self.began) % period, self._check)

    def _foregone(self) -> bool:
        """Whether the next check can be told, and would change nothing."""
        script, there = self.router.script, self.net.components[self.balancer]
        if not self.router.checked:
            return False
        if script.value == 0:
            return not there.up or there.paused
        return script.full and not self.net.severed and all(map(self._in_order, [self.balancer, *self.way]))

    def _in_order(self, name: str) -> bool:
        there = self.net.components[name]
        both = self.net.reachable(self.host.name, there.host.name) and self.net.reachable(
            there.host.name, self.host.name
        )
        return there.up and there.listens and there.calm and not there.paused and both

    # -- what is left out --------------------------------------------------------------------------------------------
    def _settle_all(self) -> None:
        self.settle()
        for peer in self._others():
            peer.settle()

    def _others(self) -> list["Keepalived"]:
        """The others that run, standing still or not."""
        found = [self.net.components[peer] for peer in self.peers]
        return [peer for peer in found if isinstance(peer, Keepalived) and peer.up]

    def settle(self) -> None:
        """Something may have changed: count what was left out, and see what can be left out from now on."""
        if not self.up:
            return
        self._count()
        awake = not self.paused
        self.master = self._heard() if awake else ""
        self.silent = awake and self._speaks_in_vain()
        self._wind(self.router.deadline if awake and not self.master and not self.silent else None)
        if awake and not self._foregone():
            self._set_check()
        elif self.next_check is not None:
            self.next_check.cancel()
            self.next_check = None

    def _wind(self, deadline: int | None) -> None:
        """Set the clock to *deadline*; None: to nothing."""
        if self.clock is not None and self.wound != deadline:
            self.clock.cancel()
            self.clock = None
        if self.clock is None and deadline is not None:
            self.wound = deadline
            self.clock = self.after(max(0, deadline - self.sim.now), self._due)

    def _heard(self) -> str:
        """The master whose advertisements wind up the clock, and do nothing else."""
        for peer in self._others():
            speaks = not peer.paused and peer.router.state == MASTER
            if speaks and self.net.reachable(peer.host.name, self.host.name) and self.router.yields_to(peer.router):
                return peer.name
        return ""

    def _speaks_in_vain(self) -> bool:
        """Whether this is a master whose next advertisement would change nothing."""
        if self.router.state == BACKUP:
            return False
        hear = [peer for peer in self._others() if self.net.reachable(self.host.name, peer.host.name)]
        return all(peer.router.yields_to(self.router) for peer in hear)

    def _count(self) -> None:
        """What was not said has been said."""
        router, now = self.router, self.sim.now
        if self.silent:
            router.deadline = _next_turn(router, now)
        elif self.master:
            master = self.net.components[self.master]
            assert isinstance(master, Keepalived)
            router.deadline = _next_turn(master.router, now) - router.advert + router.patience


def _next_turn(master: Router, now: int) -> int:
    """When a *master* that has been left alone since its deadline speaks next."""
    overdue = max(0, now - master.deadline)
    return master.deadline + (-(-overdue // master.advert)) * master.advert

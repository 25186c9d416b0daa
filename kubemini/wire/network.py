"""The network: named hosts, links with latency, loss and cuts.

A packet travels from component to component. Between two hosts it takes the link's latency and can be lost or cut
off; inside a host it takes the loopback's and cannot. Packets of one pair of components arrive in order, as on TCP:
datagrams among themselves, and those of calls and streams, which are other connections.
A datagram to a program that does not run is lost (no connection stands); a call is refused by its host.
Latency and loss are counter-based: a function of (seed, pair, stream, number of the packet).
A lost packet of a connection is sent again after about 200 ms, 400 ms, 800 ms …, each time with the same chance to be
lost, until the pings of its connection would have gone unanswered: then the connection, and what it carried, is gone.
What is sent meanwhile waits behind it, and goes with it.
A cut holds datagrams back until it heals: see cuts.py; what travels over no connection at all (BARE) is lost.
Simplified: no bandwidth and no queues; acknowledgements are never lost, so a cut of one direction leaves the other as
it is, where TCP would soon want for acknowledgements.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol

from kubemini.params import Params
from kubemini.sim.engine import DELIVERY, Sim
from kubemini.wire.addresses import PROBING, Addresses
from kubemini.wire.cuts import Cut, Held, Room
from kubemini.wire.station import Place, Station

RETRY = 1 << 40  # the draws of a packet's loss, and of that of each of its copies, lie so far apart
# each has draws of its own, so a skipped heartbeat shifts nobody else's
MESSAGE, HEARTBEAT, CONNECTION, BARE = range(4)


class Channel:
    """What is known of one ordered pair of components: counters, draws, latency, the last arrivals."""

    __slots__ = (
        "arrive",
        "aside",
        "cut",
        "destination",
        "draws",
        "last",
        "loopback",
        "low",
        "pair",
        "priorities",
        "sent",
        "source",
        "stuck",
        "width",
    )

    def __init__(self, sim: Sim, source: Station, destination: Station, latency: tuple[int, int]):
        self.source, self.destination = source, destination
        self.arrive = destination.arrive  # looked up once, used with every datagram
        self.loopback = source.host is destination.host
        self.pair = (source.host.name, destination.host.name)
        self.set_latency(*latency)
        self.last = [0, 0]  # of a datagram, of a connection's packet
        self.cut: Cut | None = None  # of this direction, if there was a connection to be cut
        self.aside = 0  # until then heartbeats go by connections of their own, and entries wait for theirs
        self.stuck = 0  # until then the connection gets nothing through, though nobody has noticed
        self.sent = [0, 0, 0, 0]
        name = f"net/{source.name}/{destination.name}/"
        self.draws = [sim.draws(name + purpose) for purpose in ("message", "heartbeat", "connection", "bare")]
        first = DELIVERY + (destination.index << 62) + (source.index << 46)
        self.priorities = [first + (purpose << 44) for purpose in (MESSAGE, HEARTBEAT, CONNECTION, BARE)]

    def set_latency(self, low: int, high: int) -> None:
        """From now on a packet takes *low* to *high* microseconds."""
        self.low, self.width = low, high - low + 1

    @property
    def ends(self) -> tuple[int, int]:
        """Which incarnations of its two programs it is between."""
        return self.source.incarnation, self.destination.incarnation

    @property
    def longest(self) -> int:
        """The longest that a packet takes, in microseconds."""
        return self.low + self.width - 1

    def has_datagrams(self, now: int) -> bool:
        """Whether a datagram is still under way at the instant *now*."""
        return self.last[False] > now


class Tap(Protocol):
    """Who listens at the wire; `cluster.listening.Listener` is the only one."""

    def packet(self, channel: Channel, arrival: int, act: Callable[..., Any], args: tuple) -> None:
        """A packet of a connection has been sent; ``act(*args)`` is what it does at *arrival*."""

    def request(self, source: str, to: str, arrives: int, id: int, method: str, payload: Any) -> None:
        """A request has been sent."""

    def answer(self, source: str, to: str, arrives: int, id: int, reply: Any) -> None:
        """An answer has been sent."""

    def event(self, source: str, to: str, arrives: int, id: int, item: Any) -> None:
        """An item of a stream has been sent."""


class Network:
    """All links of a cluster. Hosts are named; every change goes through here and lands in the trace."""

    def __init__(self, sim: Sim, params: Params | None = None):
        self.sim = sim
        self.params = params or Params()
        self.components: dict[str, Station] = {}
        self.channels: dict[tuple[str, str], Channel] = {}
        self.severed: set[tuple[str, str]] = set()  # ordered pairs of hosts
        self.latencies: dict[tuple[str, str], tuple[int, int]] = {}
        self.losses: dict[tuple[str, str], float] = {}
        self.near_all: set[str] = set()  # hosts to and from which a packet takes no longer than within one
        self.packets = 0
        self.addresses = Addresses()
        self.tap: Tap | None = None
        self.watchers: list[Callable[[], None]] = []  # told when reachability may have changed

    @property
    def room(self) -> Room:
        """What a member has room for towards each of its peers."""
        params = self.params
        return Room(params.etcd_stream_buffer, params.tcp_send_buffer, params.etcd_peer_write_timeout)

    # -- who is there ------------------------------------------------------------------------------------------
    def attach(self, component: Station) -> int:
        """Register *component* under its name; its number orders simultaneous deliveries."""
        assert component.name not in self.components, f"two components are called {component.name}"
        self.components[component.name] = component
        return len(self.components)

    def channel(self, source: Station, target: str) -> Channel:
        """The channel from *source* to the component named *target*."""
        key = (source.name, target)
        found = self.channels.get(key)
        if found is None:
            assert target in self.components, f"no component is called {target}"
            destination = self.components[target]
            found = self.channels[key] = Channel(self.sim, source, destination, self._latency(source, destination))
        return found

    def _latency(self, source: Station, destination: Station) -> tuple[int, int]:
        pair = source.host.name, destination.host.name
        if source.host is destination.host or not self.near_all.isdisjoint(pair):
            return self.params.loopback_latency
        return self.latencies.get(pair) or self.params.network_latency

    # -- virtual addresses -------------------------------------------------------------------------------------
    def at(self, here: Place, target: str) -> str:
        """The program that *target* is for host *here*: itself, or whoever has that address; empty: nobody."""
        if target not in self.addresses.doors:
            return target
        return self.addresses.find(
            target, here.name, self.sim.now, lambda host: self.answers(here.name, host), self._reachable_time(here)
        )

    def _reachable_time(self, here: Place) -> int:
        """For how long *here* trusts what it knows of a neighbour."""
        base = self.params.arp_reachable_time
        return self.sim.draws(f"arp/{here.name}").between(0, base // 2, base // 2 + base)

    def answers(self, here: str, there: str) -> bool:
        """Whether host *there* has power, hears *here* and can be heard."""
        on = any(station.host.powered for station in self.components.values() if station.host.name == there)
        return on and self.reachable(here, there) and self.reachable(there, here)

    def announce(self, address: str, host: Place) -> None:
        """Every host that hears *host* learns that *address* is there."""
        around = dict.fromkeys(station.host.name for station in self.components.values() if station.host.powered)
        hear = (there for there in around if self.reachable(host.name, there))
        self.addresses.announce(address, host.name, hear, self.sim.now)
        self.changed()

    # -- sending -----------------------------------------------------------------------------------------------
    def send(self, source: Station, target: str, purpose: int, act: Callable[..., Any], *args: Any) -> int | None:
        """Let ``act(*args)`` happen when a packet reaches *target*; the instant of arrival, or None if lost."""
        channel = self.channels.get((source.name, target)) or self.channel(source, target)
        return self.transmit(channel, purpose, act, args)

    def transmit(self, channel: Channel, purpose: int, act: Callable[..., Any], args: tuple) -> int | None:
        """`send` for those who know the channel."""
        sent, connection = channel.sent, purpose == CONNECTION
        n = sent[purpose]
        sent[purpose] = n + 1
        self.packets += 1
        if not (channel.destination.host.powered if connection else channel.destination.up):
            return None
        draws, sim = channel.draws[purpose], self.sim
        arrival = sim.now + channel.low + draws.u(n) % channel.width  # `latency`
        if not channel.loopback:
            if self.severed and channel.pair in self.severed:
                if channel.cut is not None and purpose < CONNECTION:
                    held = Held(act, args, channel.priorities[purpose] + n) if purpose == MESSAGE else None
                    channel.cut.hold(channel.ends, held, sim.now, self.room)
                return None
            p = self.losses.get(channel.pair, 0.0) if self.losses else 0.0
            if p and not connection and draws.happens(n ^ RETRY, p):
                return None
            if p and connection:
                late = self._sent_again(channel, n, p, arrival)
                if late is None:
                    return None
                arrival += late
        if purpose == HEARTBEAT and channel.aside > arrival:
            pass  # it overtakes
        elif arrival <= channel.last[connection]:
            arrival = channel.last[connection] + 1
            channel.last[connection] = arrival
        else:
            channel.last[connection] = arrival
        if connection and self.tap is not None:
            self.tap.packet(channel, arrival, act, args)
        sim.at(arrival, channel.priorities[purpose] + n, act, args)
        return arrival

    def _sent_again(self, channel: Channel, n: int, p: float, arrival: int) -> int | None:
        """How much later than at *arrival* the *n*-th packet of a connection gets through; None: the connection breaks.

        The timeout doubles with each try, RFC 6298 section 5.5. Linux would try for 15 minutes (tcp_retries2).
        """
        now, draws, params = self.sim.now, channel.draws[CONNECTION], self.params
        if now < channel.stuck:
            return None
        if arrival <= channel.last[True]:
            return 0  # it waits behind a packet that is sent again, and goes with it
        patience = params.http2_read_idle_timeout + params.http2_ping_timeout
        late, timeout, tries = 0, params.tcp_retransmission_timeout, 1
        while draws.happens(n ^ tries * RETRY, p):
            late, timeout, tries = late + timeout, 2 * timeout, tries + 1
            if late > patience:
                channel.stuck = now + patience
                return None
        return late

    def latency(self, channel: Channel, purpose: int, n: int) -> int:
        """How long the *n*-th packet of its *purpose* takes, whenever it is sent."""
        return channel.low + channel.draws[purpose].u(n) % channel.width

    # -- faults ------------------------------------------------------------------------------------------------
    @property
    def untouched(self) -> bool:
        """Whether no link has been cut, slowed down or made lossy: then a packet always arrives, and in time."""
        return not (self.severed or self.latencies or any(self.losses.values()))

    def reachable(self, a: str, b: str) -> bool:
        """Whether a packet from host *a* would reach host *b* now."""
        return a == b or ((a, b) not in self.severed and self.losses.get((a, b), 0.0) < 1)

    def cut(self, a: Iterable[str], b: Iterable[str], one_way: bool = False) -> None:
        """Nothing passes from hosts *a* to hosts *b* any more, nor back unless *one_way*."""
        self.sim.end_rests()
        a, b = list(a), list(b)
        for x in a:
            for y in b:
                if x != y:
                    self.severed.add((x, y))
                    if not one_way:
                        self.severed.add((y, x))
        for channel in self.channels.values():
            if channel.cut is None and channel.pair in self.severed:
                channel.cut = Cut(self.sim.now, channel.ends)
        self.sim.record("network", "cut", a=a, b=b, one_way=one_way)
        self.changed()

    def heal(self) -> None:
        """Every cut is gone; what it held back is sent again when TCP next tries."""
        self.sim.end_rests()
        self.severed.clear()
        self.sim.record("network", "heal")
        for channel in self.channels.values():
            cut, channel.cut = channel.cut, None
            if cut is not None:
                self._let_pass(channel, cut)
        self.changed()

    def _let_pass(self, channel: Channel, cut: Cut) -> None:
        """What was held back goes with TCP's next try, and all that follows comes behind it."""
        params = self.params
        now, forgotten = self.sim.now, cut.since + self._reachable_time(channel.source.host) + PROBING
        passes = cut.passes(channel.ends, now, params.tcp_retransmission_timeout, forgotten)
        if passes is None:
            return
        if cut.noticed(now, self.room):
            channel.aside = passes
        arrival = max(passes + channel.low, channel.last[False] + 1)
        for held in cut.held:
            self.sim.at(arrival, held.priority, held.act, held.args)
            arrival += 1
        channel.last[False] = arrival

    def set_latency(self, a: str, b: str, low: int, high: int) -> None:
        """Packets between hosts *a* and *b* take *low* to *high* microseconds, both ways."""
        self.sim.end_rests()
        self.latencies[a, b] = self.latencies[b, a] = (low, high)
        for channel in self.channels.values():
            if channel.pair in ((a, b), (b, a)) and not channel.loopback:
                channel.set_latency(low, high)
        self.sim.record("network", "latency", a=a, b=b, low=low, high=high)
        self.changed()

    def set_loss(self, a: str, b: str, p: float) -> None:
        """A share *p* of the packets between hosts *a* and *b* is lost, both ways; all of them: a cut."""
        self.sim.end_rests()
        self.losses[a, b] = self.losses[b, a] = p
        self.sim.record("network", "loss", a=a, b=b, p=p)
        self.changed()

    def changed(self) -> None:
        """Reachability may have changed: connections take note."""
        for watcher in list(self.watchers):
            watcher()

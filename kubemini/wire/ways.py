"""How a connection to a virtual address goes on when that moves: its two directions, asked anew for each packet.

A client's packet goes to whoever it believes to have the address by then. If that is another host than the
one that accepted the connection, its kernel knows nothing of it, and resets it. The other way a server's
kernel sends nothing in the name of an address that its host has no more; if the address comes back before
the client has sent anything, nobody has noticed.
Invariant: a connection to a program by its own name never comes here (tcp.Pipe, without a way).
Linux ip_route_output_key: a source address must be one of the host's own. RFC 9293 section 3.5.2: a segment
for a connection that does not exist is answered with a reset.
"""

from collections.abc import Callable
from typing import Any, Protocol

from kubemini.wire.network import Network
from kubemini.wire.station import Place, Station


class Way(Protocol):
    """One direction of a connection, when its other end is not a fixed one."""

    astray: Callable[..., Any]

    def there(self) -> Station | None:
        """Whom a packet would reach now."""

    def again(self) -> int | None:
        """When that may be another though nothing is told of it; None: not by itself."""


class ToAddress:
    """From a client on host *here*; what arrives at a stranger is ``astray(stranger)`` there."""

    def __init__(self, net: Network, here: Place, address: str, astray: Callable[[Station], None]):
        self.net, self.here, self.address, self.astray = net, here, address, astray

    def there(self) -> Station | None:
        name = self.net.at(self.here, self.address)
        return self.net.components[name] if name else None

    def again(self) -> int | None:
        return self.net.addresses.until(self.address, self.here.name)


class FromAddress:
    """From *server*, which was dialled by its *address*, back to *client*."""

    def __init__(self, net: Network, server: Station, address: str, client: Station):
        self.net, self.server, self.address, self.client = net, server, address, client
        self.astray = client.arrive  # never: there is one client

    def there(self) -> Station | None:
        held = self.server.host.name in self.net.addresses.held[self.address]
        return self.client if held else None

    def again(self) -> int | None:
        return None

"""GET and LIST of ComponentStatuses: nothing is stored; the server goes and looks, at all of them at once.

Models k/k pkg/registry/core/componentstatus REST.List REST.Get
Simplified: who lets a client in is well, though a real program also says of its own that it has lost its lease; they
are told in one order, where the real server tells them as they answer.
"""

import simpy

from kubemini.api import errors
from kubemini.api.errors import ApiError
from kubemini.api.objects import Obj
from kubemini.apiserver.core import Core, Request
from kubemini.apiserver.decide import checks
from kubemini.apiserver.decide.parts import statuses
from kubemini.apiserver.decide.parts.statuses import ETCD, PORTS
from kubemini.apiserver.health import KEY
from kubemini.apiserver.reading import selection
from kubemini.sim import Steps
from kubemini.sim.units import SECOND
from kubemini.wire.calls import GREET, REFUSED

HANDSHAKE, PROBE = 10 * SECOND, 20 * SECOND


def show(core: Core, asked: Request) -> Steps:
    """The status of one program, or of all."""
    info = asked.info
    if info.verb == "watch":
        return errors.method_not_supported(asked.kind, info.verb)
    if info.verb == "get":
        if info.name not in statuses.NAMES:
            return statuses.no_such_program(info.name)
        [found] = yield from _looked(core, (info.name,))
        return found
    matches = selection(asked.kind, info)
    if isinstance(matches, ApiError):
        return matches
    found = yield from _looked(core, statuses.NAMES)
    return statuses.listed([one for one in found if matches is None or matches(one)])


def _looked(core: Core, names: tuple[str, ...]) -> Steps:
    """How those called *names* are."""
    begun = {name: _knock(core, name) for name in names if name in PORTS}
    found: dict[str, Obj] = {}
    if ETCD in names:
        found[ETCD] = yield from _etcd(core)
    for name, event in begun.items():
        reply = (yield event) if event is not None else None
        refused = reply is None or reply.error == REFUSED
        found[name] = statuses.of_program(name, reply is not None and reply.ok, refused)
    return [found[name] for name in names]


def _knock(core: Core, program: str) -> simpy.Event | None:
    """Dial the *program* of this machine; None if there is none."""
    me = core.component
    here = [name for name, one in me.net.components.items() if one.host is me.host and _is(name, program)]
    return me.call(here[0], GREET, None, HANDSHAKE) if here else None


def _is(name: str, program: str) -> bool:
    return name.rpartition("-")[0] == program


def _etcd(core: Core) -> Steps:
    client = core.health.etcd[checks.ETCD].etcd
    reply = yield from client.range(KEY, timeout=PROBE)
    return statuses.of_etcd(client.connected, reply.error)

"""What an API server sees to by itself: the default ServiceCIDR, ``kubernetes``, and that IPAddresses are right.

Invariant: whoever asks for ServiceCIDRs finds it; before, nobody can tell whether it is there, for addresses are given
by it all the same (``decide/allocation/cidrs.py``).
Models k/k pkg/controlplane/controller/defaultservicecidr Controller.sync
Models k/k pkg/registry/core/service/ipallocator/controller RepairIPAddress
Simplified: in a story it is written when somebody first asks for ServiceCIDRs (`Flags.bootstraps`: at the start); one
that has been deleted is back with the next question, not within 10 s; a flag of two families does not widen one that is
there. IPAddresses are looked at only after somebody has written one through this server: a minute later, and when the
repair loop would come by (every 3 min); no Events tell of it.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import IP_ADDRESS, SERVICE, SERVICE_CIDR
from kubemini.api.objects import Obj, evolve_many, get
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.core import Core
from kubemini.apiserver.decide import identity
from kubemini.apiserver.decide.allocation import cidrs, repair, services
from kubemini.sim import Steps
from kubemini.sim.units import SECOND


def ensure_default(core: Core) -> Steps:
    """Write the default ServiceCIDR if there is none; returns None, or why it cannot be known."""
    found = yield from core.storage.get(SERVICE_CIDR, "", cidrs.DEFAULT_NAME)
    if not isinstance(found, ApiError):
        return None
    if found.code != 404:
        return found
    now = core.sim.now
    made = evolve_many(
        cidrs.default(core.params.service_cluster_ip_range, now),
        (("metadata", "uid"), identity.uid(core.rng)),
        (("metadata", "creationTimestamp"), timestamp(now)),
    )
    written = yield from core.storage.create(SERVICE_CIDR, "", cidrs.DEFAULT_NAME, made)
    if isinstance(written, ApiError):
        return None if written.code == 409 else written
    core.tell(SERVICE_CIDR, written)
    return None


def written_by_hand(core: Core) -> None:
    """Somebody has written an IPAddress, or deleted one: look whether all is right, later."""
    component = core.component
    until_the_loop = repair.PERIOD - core.sim.now % repair.PERIOD
    for delay in (repair.YOUNG + SECOND, until_the_loop):
        component.after(delay, lambda: component.spawn(_mend(core)))


def _mend(core: Core) -> Steps:
    """Compare the IPAddresses with the Services, and set right what is wrong."""
    unready = yield from core.cache(SERVICE).wait()
    found = yield from core.storage.list(IP_ADDRESS)
    if unready is not None or isinstance(found, ApiError):
        return
    addresses, _ = found
    for wrong in repair.repairs(core.cache(SERVICE).items(), addresses, core.sim.now):
        yield from core.storage.repair(wrong)


def held_by_others(core: Core, service: Obj) -> Steps:
    """The keys of addresses and ports that *service* would have and another has; a failure to read is no news."""
    mine = services.holder(service)
    found: set[str] = set()
    for key in services.keys(service):
        reply = yield from core.storage.client(IP_ADDRESS).range(key, timeout=core.params.request_timeout)
        there = reply.value["kvs"] if reply.ok else ()
        found.update(kv["key"] for kv in there if get(kv["value"], "spec", "parentRef") != mine)
    return found

"""What an API server sees to by itself: the default ServiceCIDR, ``kubernetes``, and that IPAddresses are right.

Invariant: whoever asks for ServiceCIDRs finds it; before, nobody can tell whether it is there, for addresses are given
by it all the same (``decide/allocation/cidrs.py``).
Models k/k pkg/controlplane/controller/defaultservicecidr Controller.sync
Models k/k pkg/registry/core/service/ipallocator/controller RepairIPAddress
Simplified: in a story it is written when somebody first asks for ServiceCIDRs (`Flags.bootstraps`: at the start); one
that has been deleted is back with the next question, not within 10 s; a flag of two families does not widen one that is
there. IPAddresses are looked at only after somebody has written one through this server: at once, 6 s later, and then
with the Services a minute later, and when the repair loop would come by (every 3 min). Node ports are never wrong,
for no crash comes between two writes.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import EVENT, IP_ADDRESS, SERVICE, SERVICE_CIDR
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
    now = core.sim.wall
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
    later = (0, False), (repair.CHANGING + SECOND, False), (repair.YOUNG + SECOND, True), (until_the_loop, True)
    for delay, services_too in later:
        component.after(delay, lambda all=services_too: component.spawn(_mend(core, all)))


def _mend(core: Core, services_too: bool) -> Steps:
    """Compare the IPAddresses with the Services, and set right what is wrong."""
    unready = yield from core.cache(SERVICE).wait()
    found = yield from core.storage.list(IP_ADDRESS)
    if unready is not None or isinstance(found, ApiError):
        return
    yield from core.storage.learns_of_cidrs()
    cidrs_there = core.storage.cidrs.found.values()
    ranges = [cidr for obj in cidrs_there for cidr in get(obj, "spec", "cidrs") or ()]
    ranges = ranges or list(core.params.service_cluster_ip_range)
    wrong = repair.wrong(list(core.cache(SERVICE).items()), found[0], ranges, core.sim.wall, services_too)
    for number, said in enumerate(wrong.said if core.params.record_events else ()):
        yield from _tell(core, repair.event(said, core.component.name, core.sim.wall, number))
    for one in wrong.repairs:
        yield from core.storage.repair(one)


def _tell(core: Core, event: Obj) -> Steps:
    """Write an Event; one that cannot be written is lost."""
    meta = event["metadata"]
    made = evolve_many(
        event,
        (("metadata", "uid"), identity.uid(core.rng)),
        (("metadata", "creationTimestamp"), timestamp(core.sim.wall)),
    )
    written = yield from core.storage.create(EVENT, meta["namespace"], meta["name"], made)
    if not isinstance(written, ApiError):
        core.tell(EVENT, written)


def held_by_others(core: Core, service: Obj) -> Steps:
    """The keys of addresses and ports that *service* would have and another has; a failure to read is no news."""
    mine = services.holder(service)
    found: set[str] = set()
    for key in services.keys(service):
        reply = yield from core.storage.client(IP_ADDRESS).range(key, timeout=core.params.request_timeout)
        there = reply.value["kvs"] if reply.ok else ()
        found.update(kv["key"] for kv in there if get(kv["value"], "spec", "parentRef") != mine)
    return found

"""The default ServiceCIDR, which an API server sees to: ``kubernetes``, from its --service-cluster-ip-range.

Invariant: whoever asks for ServiceCIDRs finds it; before, nobody can tell whether it is there, for addresses are given
by it all the same (``decide/allocation/cidrs.py``).
Models k/k pkg/controlplane/controller/defaultservicecidr Controller.sync
Simplified: in a story it is written when somebody first asks for ServiceCIDRs (`Flags.bootstraps`: at the start); one
that has been deleted is back with the next question, not within 10 s; a flag of two families does not widen one that is
there; its addresses are not mended if somebody deletes them by hand.
"""

from kubemini.api.errors import ApiError
from kubemini.api.kinds import SERVICE_CIDR
from kubemini.api.objects import evolve_many
from kubemini.api.timestamps import timestamp
from kubemini.apiserver.core import Core
from kubemini.apiserver.decide import identity
from kubemini.apiserver.decide.allocation import cidrs
from kubemini.sim import Steps


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

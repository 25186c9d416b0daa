"""What one API server is started with, beyond what all programs share in params.py.

Models k/k pkg/kubeapiserver/options BuiltInAuthenticationOptions BuiltInAuthorizationOptions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.apiserver.decide.access.users import UserInfo
from kubemini.apiserver.decide.audit.policy import Policy
from kubemini.sim.units import MINUTE

Webhook = Callable[[dict[str, Any]], Any]
RBAC, NODE = "RBAC", "Node"
SERVICE_ACCOUNT = "ServiceAccount"
KUBEADM_ADDRESSES = ("InternalIP", "ExternalIP", "Hostname")
ADDRESSES = ("Hostname", "InternalDNS", "InternalIP", "ExternalDNS", "ExternalIP")


@dataclass(frozen=True, slots=True)
class Flags:
    """The defaults are those of a story: whoever is inside of the cluster is believed, and may do everything.

    ``tokens``         --token-auth-file: bearer token → user
    ``authorization``  --authorization-mode, such as (NODE, RBAC); none: every request is allowed
    ``fairness``       --enable-priority-and-fairness
    ``service_account_key``  --service-account-signing-key-file: what its tokens of service accounts are signed with
    ``disabled_plugins``  --disable-admission-plugins; a story has no service accounts; its nodes are trusted, and ready
    ``watches_all``    --watch-cache: of every kind from the start, as the real one; else of a kind when first asked of
    ``bootstraps``     whether it writes its default ServiceCIDR at its start; in a story, when somebody asks for it
    ``managed_fields`` whether each object has owners from its creation on; in a story, from the first who names himself
    ``marks_first``    whether a pod that may go at once is marked before it goes, as upstream does it: two revisions
    ``webhooks``       NAMESPACE/NAME of a Service, or a URL → the program that answers an AdmissionReview
    ``extensions``     NAMESPACE/NAME of a Service → the program that answers for groups whose APIService names it
    ``audit``          --audit-policy-file: of which requests the trace tells, and how much; None: of none
    ``kubelet_addresses``  --kubelet-preferred-address-types; of a story as kubeadm sets it
    ``compaction``     --etcd-compaction-interval (µs): what is older than so much is forgotten; 0: nothing is
    """

    tokens: Mapping[str, UserInfo] = field(default_factory=dict)
    authorization: tuple[str, ...] = ()
    fairness: bool = False
    service_account_key: bytes = b"kubemini"
    disabled_plugins: tuple[str, ...] = (SERVICE_ACCOUNT, "NodeRestriction", "TaintNodesByCondition")
    watches_all: bool = False
    bootstraps: bool = False
    managed_fields: bool = False
    marks_first: bool = False
    compaction: int = 0
    audit: Policy | None = None
    kubelet_addresses: tuple[str, ...] = KUBEADM_ADDRESSES
    webhooks: Mapping[str, Webhook] = field(default_factory=dict)
    extensions: Mapping[str, str] = field(default_factory=dict)


def as_real(tokens: Mapping[str, UserInfo]) -> Flags:
    """What a real server does by default, with the authorizers that kubeadm gives it: for clients from outside."""
    return Flags(
        tokens=tokens,
        authorization=(NODE, RBAC),
        fairness=True,
        disabled_plugins=(),
        watches_all=True,
        bootstraps=True,
        managed_fields=True,
        marks_first=True,
        compaction=5 * MINUTE,
        kubelet_addresses=ADDRESSES,
    )

"""What the chains of a Service are called: a hash, so that a name fits, and in nftables the words behind it.

Invariant: a name depends on the Service port (and endpoint) alone, so it is the same on every node and
after every restart.
Models k/k pkg/proxy/iptables portProtoHash, servicePortEndpointChainName
Models k/k pkg/proxy/nftables hashAndTruncate, servicePortChainNameBase,
    servicePortEndpointChainNameBase
"""

import base64
import hashlib

SVC, SVL, EXT, FW, SEP = "KUBE-SVC-", "KUBE-SVL-", "KUBE-EXT-", "KUBE-FW-", "KUBE-SEP-"
SERVICE, LOCAL, EXTERNAL, FIREWALL = "service-", "local-", "external-", "firewall-"
ENDPOINT, AFFINITY = "endpoint-", "affinity-"
LONGEST = 240  # bytes of a name in nftables behind its prefix


def hashed(text: str, letters: int) -> str:
    """The first *letters* (a multiple of eight) of the base32 of *text*'s SHA-256."""
    return base64.b32encode(hashlib.sha256(text.encode()).digest()[: letters * 5 // 8]).decode()


def chain(prefix: str, port_id: str, protocol: str, endpoint: str = "") -> str:
    """A chain in iptables, where a name has at most 28 characters: *prefix* and 16 letters.

    *port_id* is ``ns/name:port`` or ``ns/name``, *endpoint* ``ip:port`` for ``KUBE-SEP-``.
    """
    return prefix + hashed(port_id + protocol.lower() + endpoint, 16)


def base(namespace: str, name: str, protocol: str, port_name: str, endpoint: str = "") -> str:
    """What follows the prefix in nftables: 8 letters and the text that they are the hash of.

    A port without a name leaves the last part empty: ``PFISGYVC-default/web/tcp/``.
    """
    text = f"{namespace}/{name}/{protocol.lower()}/{port_name}"
    if endpoint:
        ip, _, port = endpoint.rpartition(":")
        text += f"__{ip.strip('[]').replace(':', '.')}/{port}"
    whole = f"{hashed(text, 8)}-{text}"
    return whole if len(whole) <= LONGEST else whole[: LONGEST - 3] + "..."

"""The rules of a real kube-proxy beside ours: what differs, chain by chain, in the judge's normal form.

The order of rules counts in every chain but those that Services share, where it is chance; but the way to
the node ports ends KUBE-SERVICES. In nftables mode chains of Services that are gone stand empty for a second
and until the next change: they are left out.
"""

from collections import defaultdict
from itertools import takewhile

from kubemini.api.labels import SERVICE_NAME
from kubemini.network.decide.rules import saved, table
from kubemini.network.decide.rules.plan import plans
from kubemini.network.decide.services.node import ProxyConfig
from kubemini.network.decide.services.ports import IPV4
from tests.oracles.network import compare as judge
from tests.real.kubeproxy.worlds import CLUSTER_CIDR, SERVICE_CIDRS

SHARED = ("KUBE-SERVICES", "KUBE-NODEPORTS", "KUBE-EXTERNAL-SERVICES", "KUBE-PROXY-FIREWALL")


def ours(mode, options, node, services, slices, family=IPV4):
    """Our rules of a family for the objects of an API server, in the form of the recordings."""
    of = defaultdict(list)
    for one in slices:
        meta = one["metadata"]
        of[meta["namespace"], meta["labels"].get(SERVICE_NAME)].append(one)
    keyed = [(service, (service["metadata"]["namespace"], service["metadata"]["name"])) for service in services]
    planned = [plan for service, key in keyed for plan in plans(service, of[key], node, family)]
    config = ProxyConfig(mode, cluster_cidr=CLUSTER_CIDR, service_cidrs=SERVICE_CIDRS, **options)
    if mode == "iptables":
        return saved.listed(saved.written(planned, config, node, family))
    return table.objects(table.written(planned, config, node, family))


def differences(mode, real, mine):
    """(path, the real one's, ours) of all that differs."""
    if mode == "nftables":
        return judge.nftables({"want": _alive(real)}, mine)
    shared, base = (
        [[line for line in lines if _shared(line) is kind] for lines in (real, mine)] for kind in (True, False)
    )
    last = [_last(lines) for lines in (real, mine)]
    return [
        *judge.iptables({"want": shared[0], "base": False}, shared[1]),
        *judge.iptables({"want": base[0], "base": True}, base[1]),
        *([("the last of nat KUBE-SERVICES", *last)] if last[0] != last[1] else []),
    ]


def _shared(line):
    return line.split()[2 if " -A " in line else 1].lstrip(":") in SHARED


def _last(lines):
    """The ways to the node ports that end KUBE-SERVICES: one for all addresses, or one each in any order."""
    rules = [line for line in lines if line.startswith("nat -A KUBE-SERVICES ")]
    return sorted(takewhile(lambda line: line.endswith(" -j KUBE-NODEPORTS"), reversed(rules)))


def _alive(objects):
    """Without the empty chains that a Service has left."""
    return [o for o in objects if o["lines"] or "/" not in o.get("name", "")]

"""loopback: switch ``lo`` on in the pod; without it 127.0.0.1 does not answer there.

Models containernetworking/plugins plugins/main/loopback cmdAdd
"""

from kubemini.network.decide.cni.calls import Call, Plugin, Result, previous
from kubemini.network.decide.cni.host.errors import NotThere, PluginError
from kubemini.network.decide.cni.host.namespaces import NO_ADDRESS, Host, Namespace


def _pod(host: Host, call: Call) -> Namespace:
    try:
        return host.namespace(call.netns)
    except NotThere as error:
        raise PluginError(str(error)) from None


def add(host: Host, call: Call) -> Result:
    """Switch lo on. PluginError: it has an address that is none of loopback's."""
    pod = _pod(host, call)
    pod.set_up("lo")
    addresses = sorted(pod.links["lo"].addresses, key=lambda a: ":" in a)
    for address in addresses:
        if not address.startswith(("127.", "::1/")):
            plain = address.split("/")[0]
            raise PluginError(f'loopback interface found with non-loopback address "{plain}"')
    if (result := previous(call)) is not None:
        return result
    first = {":" in address: address for address in reversed(addresses)}
    ips = [{"interface": 0, "address": first[family]} for family in sorted(first)]
    interfaces = [{"name": "lo", "mac": NO_ADDRESS, "sandbox": call.netns}]
    return {"cniVersion": call.config.get("cniVersion", ""), "interfaces": interfaces, "ips": ips}


def delete(host: Host, call: Call) -> None:
    """Switch lo off, if there is a namespace."""
    if call.netns in host.pods:
        host.pods[call.netns].set_down("lo")


def check(host: Host, call: Call) -> None:
    """Whether lo is on."""
    if not _pod(host, call).links["lo"].up:
        raise PluginError("loopback interface is down")


PLUGIN = Plugin(add, delete, check)

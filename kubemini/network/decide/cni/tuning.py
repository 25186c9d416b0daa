"""tuning: sysctls of the pod's network; MTU, hardware address and queue of its interface; chained after another.

Invariant: DEL puts the interface back as a file remembers it; sysctls stay.
Models containernetworking/plugins plugins/meta/tuning cmdAdd
Simplified: a sysctl that no call has set is not known to be there or not.
"""

import json
from typing import Any

from kubemini.network.decide.cni.calls import Call, Plugin, Result, arguments, chained
from kubemini.network.decide.cni.host.errors import NotThere, PluginError
from kubemini.network.decide.cni.host.namespaces import Host, Link, Namespace

DIRECTORY = "/run/cni/tuning"
ATTRIBUTES = {"mac": "mac", "promisc": "promiscuous", "mtu": "mtu", "allmulti": "all_multicast", "txQLen": "queue"}


def _settings(call: Call) -> dict[str, Any]:
    """What the configuration wants of the interface: {key of the configuration: value}."""
    found = {key: call.config[key] for key in ATTRIBUTES if call.config.get(key) is not None}
    mac = (call.config.get("runtimeConfig") or {}).get("mac") or arguments(call.args, ("MAC",)).get("MAC")
    found |= {"mac": mac} if mac else {}
    by_args = (call.config.get("args") or {}).get("cni") or {}
    found |= {key: by_args[key] for key in ATTRIBUTES if by_args.get(key) is not None}
    return {k: v for k, v in found.items() if v or k in ("allmulti", "txQLen")}


def _sysctls(call: Call) -> dict[str, str]:
    """The sysctls by path below /proc/sys. PluginError: one that is not of the network."""
    by_args = ((call.config.get("args") or {}).get("cni") or {}).get("sysctl") or {}
    found = {}
    for key, value in {**(call.config.get("sysctl") or {}), **by_args}.items():
        path = key.replace(".", "/").replace("IFNAME", call.ifname, 1)
        if not path.startswith("net/"):
            name = key.replace(".", "/")
            raise PluginError(f'invalid net sysctl key: "{name}"')
        found[path] = value
    return found


def _there(pod: Namespace, sysctls: dict[str, str]) -> dict[str, str]:
    """The same, if the interfaces that they are of are there. PluginError: one is not."""
    for path in sysctls:
        _, _, *rest = path.split("/")
        if rest[:1] == ["conf"] and rest[1] not in ("all", "default", *pod.links):
            raise PluginError(f"open /proc/sys/{path}: no such file or directory")
    return sysctls


def _pod(host: Host, call: Call) -> Namespace:
    try:
        return host.namespace(call.netns)
    except NotThere as error:
        raise PluginError(str(error)) from None


def _backup(call: Call) -> str:
    directory = call.config.get("dataDir") or DIRECTORY
    return f"{directory}/{call.container}_{call.ifname}.json"


def add(host: Host, call: Call) -> Result:
    """Set what is asked for; what was there before goes into a file."""
    settings = _settings(call)
    if "/" in call.ifname:
        raise PluginError(f"Interface name ({call.ifname}) contains an invalid character /")
    result = chained(call, "Required prevResult missing")
    pod = _pod(host, call)
    pod.sysctls.update(_there(pod, _sysctls(call)))
    if not settings:
        return result
    if call.ifname not in pod.links:
        raise PluginError(f'failed to get "{call.ifname}": Link not found')
    link = pod.links[call.ifname]
    before = {key: getattr(link, ATTRIBUTES[key]) for key in ATTRIBUTES if key in settings}
    host.files[_backup(call)] = json.dumps(before, indent=1)
    for key, value in settings.items():
        setattr(link, ATTRIBUTES[key], value)
    for part in result.get("interfaces", ()) if "mac" in settings else ():
        if part["name"] == call.ifname:
            part["mac"] = settings["mac"]
    return result


def delete(host: Host, call: Call) -> None:
    """Put the interface back as it was; if it is gone, there is nothing to do."""
    _settings(call)
    pod = host.pods.get(call.netns)
    if pod and call.ifname in pod.links and _backup(call) in host.files:
        for key, value in json.loads(host.files.pop(_backup(call))).items():
            setattr(pod.links[call.ifname], ATTRIBUTES[key], value)


def check(host: Host, call: Call) -> None:
    """Whether everything is still as configured. PluginError: the first thing that is not."""
    settings = _settings(call)
    chained(call, "Required prevResult missing")
    pod = _pod(host, call)
    for path, value in _there(pod, _sysctls(call)).items():
        now = pod.sysctls.get(path, "0")
        if now != value:
            raise PluginError(f"Error: Tuning configured value of /proc/sys/{path} is {value}, current value is {now}")
    if call.ifname not in pod.links:
        raise PluginError(f"Cannot find container link {call.ifname}")
    _check_link(call.ifname, pod.links[call.ifname], settings)


def _check_link(name: str, link: Link, settings: dict[str, Any]) -> None:
    said = {
        "mac": f"Ethernet of {name}",
        "mtu": f"MTU of {name}",
        "allmulti": f"all-multicast mode of {name}",  # where the real one prints the address of the wanted value
        "txQLen": f"Transmit Queue Length of {name}",
    }
    promiscuous = bool(settings.get("promisc"))
    for key in ("mac", "promisc", "mtu", "allmulti", "txQLen"):
        now = getattr(link, ATTRIBUTES[key])
        if key == "promisc" and now != promiscuous:
            raise PluginError(
                f"Error: Tuning link {name} configured promisc is {str(promiscuous).lower()}, "
                f"current value is {int(now)}"
            )
        if key in said and key in settings and settings[key] != now:
            wanted, now = (str(v).lower() if isinstance(v, bool) else v for v in (settings[key], now))
            raise PluginError(f"Error: Tuning configured {said[key]} is {wanted}, current value is {now}")


PLUGIN = Plugin(add, delete, check)

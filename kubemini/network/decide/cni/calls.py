"""A call of a CNI plugin and its answer: what stands in the environment, versions, and how a result is printed.

Models containernetworking/cni pkg/skel getCmdArgsFromEnv
Models containernetworking/cni pkg/types/100 Result
Simplified: STATUS and GC ask for version 1.1.0 of the specification, CHECK for 0.4.0, the other commands for any.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kubemini.network.decide.cni.host.addresses import ip_interface
from kubemini.network.decide.cni.host.errors import (
    DECODING_FAILURE,
    INCOMPATIBLE_VERSION,
    INVALID_ENVIRONMENT,
    INVALID_NETWORK_CONFIG,
    PluginError,
)
from kubemini.network.decide.cni.host.namespaces import Host

CURRENT = "1.1.0"
VERSIONS = ("0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", CURRENT)
NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.\-]*")
NEEDED = {  # what a command must find in the environment
    "ADD": ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    "CHECK": ("CNI_CONTAINERID", "CNI_NETNS", "CNI_IFNAME"),
    "DEL": ("CNI_CONTAINERID", "CNI_IFNAME"),
    "GC": (),
    "STATUS": (),
    "VERSION": (),
}
SINCE = {"CHECK": "0.4.0", "GC": CURRENT, "STATUS": CURRENT}

Result = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call: the command, the network configuration from stdin, and the environment."""

    command: str
    config: dict[str, Any] = field(default_factory=dict)
    container: str = ""
    netns: str = ""
    ifname: str = "eth0"
    args: str = ""  # CNI_ARGS: "IgnoreUnknown=1;IP=10.244.1.7"

    @property
    def network(self) -> str:
        """The name of the network."""
        return str(self.config.get("name", ""))


@dataclass(frozen=True, slots=True)
class Plugin:
    """A plugin: what it does for each command; None: it knows the command and does nothing."""

    add: Callable[[Host, Call], Result]
    delete: Callable[[Host, Call], None]
    check: Callable[[Host, Call], None] | None = None
    gc: Callable[[Host, Call], None] | None = None
    status: Callable[[Host, Call], None] | None = None
    versions: tuple[str, ...] = VERSIONS


def answer(plugin: Plugin, host: Host, call: Call) -> dict[str, Any] | None:
    """Run *plugin*: what it prints, or None. PluginError: it failed; *host* stays as far as it had come."""
    if not call.command:
        return None  # it says what it is, to people
    environment(call)
    if call.command == "VERSION":
        return {"cniVersion": CURRENT, "supportedVersions": list(plugin.versions)}
    configuration(call)
    version = call.config.get("cniVersion") or "0.1.0"
    since = SINCE.get(call.command, VERSIONS[0])
    if _numbers(version) < _numbers(since):
        raise PluginError(f"config version does not allow {call.command}", INCOMPATIBLE_VERSION)
    if since != VERSIONS[0] and _numbers(version) > _numbers(CURRENT):
        raise PluginError(f"plugin version does not allow {call.command}", INCOMPATIBLE_VERSION)
    if version not in plugin.versions:
        supported = " ".join(f'"{v}"' for v in plugin.versions)
        details = f'config is "{version}", plugin supports [{supported}]'
        raise PluginError("incompatible CNI versions", INCOMPATIBLE_VERSION, details)
    if call.command == "ADD":
        return printed(plugin.add(host, call), version)
    does = {"DEL": plugin.delete, "CHECK": plugin.check, "GC": plugin.gc, "STATUS": plugin.status}[call.command]
    if does:
        does(host, call)
    return None


def environment(call: Call) -> None:
    """Whether the environment holds what the command needs. PluginError: it does not."""
    given = {"CNI_CONTAINERID": call.container, "CNI_NETNS": call.netns, "CNI_IFNAME": call.ifname}
    needed = NEEDED.get(call.command, ())
    if "CNI_CONTAINERID" in needed and call.container and not NAME.fullmatch(call.container):
        raise PluginError("invalid characters in containerID", INVALID_ENVIRONMENT, call.container)
    if "CNI_IFNAME" in needed and call.ifname:
        _interface_name(call.ifname)
    missing = [name for name in needed if not given[name]]
    if missing:
        raise PluginError(f"required env variables [{','.join(missing)}] missing", INVALID_ENVIRONMENT)
    if call.command not in NEEDED:
        configuration(call)
        raise PluginError(f"unknown CNI_COMMAND: {call.command}", INVALID_ENVIRONMENT)


def _interface_name(name: str) -> None:
    if len(name) > 15:
        raise PluginError(
            "interface name is too long", INVALID_ENVIRONMENT, "interface name should be less than 16 characters"
        )
    if name in (".", ".."):
        raise PluginError("interface name is . or ..", INVALID_ENVIRONMENT)
    if any(c in "/:" or c.isspace() for c in name):
        raise PluginError("interface name contains / or : or whitespace characters", INVALID_ENVIRONMENT)


def configuration(call: Call) -> None:
    """Whether the configuration names a network. PluginError: it does not, or not well."""
    if not call.network:
        raise PluginError("missing network name", INVALID_NETWORK_CONFIG)
    if not NAME.fullmatch(call.network):
        raise PluginError("invalid characters found in network name", INVALID_NETWORK_CONFIG, call.network)


def _numbers(version: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in version.split("."))
    except ValueError:
        raise PluginError(f"invalid version: {version}", DECODING_FAILURE) from None


def arguments(text: str, known: tuple[str, ...]) -> dict[str, str]:
    """CNI_ARGS as a dictionary. PluginError: a pair is none, or names what the plugin does not know."""
    found, unknown = {}, []
    for pair in text.split(";") if text else ():
        key, *value = pair.split("=")
        if len(value) != 1:
            raise PluginError(f'ARGS: invalid pair "{pair}"')
        if key not in (*known, "IgnoreUnknown"):
            unknown.append(pair)
        elif reason := _unreadable(key, value[0]):
            raise PluginError(f'ARGS: error parsing value of pair "{pair}": {reason}')
        else:
            found[key] = value[0]
    if unknown and found.get("IgnoreUnknown", "0").lower() not in ("1", "true"):
        listed = " ".join(f'"{pair}"' for pair in unknown)
        raise PluginError(f"ARGS: unknown args [{listed}]")
    return found


def _unreadable(key: str, value: str) -> str:
    """Why a value of CNI_ARGS makes no sense, or ""."""
    if key == "IgnoreUnknown" and value.lower() not in ("1", "true", "0", "false"):
        return f"boolean unmarshal error: invalid input {value.lower()}"
    if key == "IP" and value:
        try:
            ip_interface(value)
        except ValueError:
            return f"invalid IP address {value}"
    return ""


def previous(call: Call) -> Result | None:
    """The result of the plugin before this one in the chain, in today's form; None: there is none."""
    given = call.config.get("prevResult")
    if given is None:
        return None
    return current(json.loads(json.dumps(given)))


def chained(call: Call, refusal: str) -> Result:
    """The previous result, for a plugin that needs one. PluginError, in the words of *refusal*: there is none."""
    result = previous(call)
    if result is None:
        raise PluginError(refusal)
    return result


def current(result: Result) -> Result:
    """A result in the form of any version, in today's."""
    ips = [{k: v for k, v in ip.items() if k != "version"} for ip in result.get("ips", ())]
    routes = list(result.get("routes", ()))
    for old in (result[key] for key in ("ip4", "ip6") if key in result):
        ips.append({"address": old["ip"]} | {k: old[k] for k in ("gateway",) if k in old})
        routes += old.get("routes", ())
    whole = {"interfaces": result.get("interfaces"), "ips": ips, "routes": routes, "dns": result.get("dns")}
    return {key: value for key, value in whole.items() if value}


def printed(result: Result, version: str) -> dict[str, Any]:
    """A result as it is printed for a configuration of *version*: older ones spell it in other ways.

    One that says its version already (loopback's) is taken to be of that form, and is not.
    """
    if "cniVersion" in result:
        return result
    shown = {"cniVersion": version} | {key: value for key, value in result.items() if value}
    if version in ("0.1.0", "0.2.0"):
        return _oldest(result, version)
    if version < "1":
        shown |= {"dns": result.get("dns", {})}
        shown["ips"] = [{"version": str(ip_interface(ip["address"]).version)} | ip for ip in result["ips"]]
    return shown


def _oldest(result: Result, version: str) -> dict[str, Any]:
    """Before 0.3.0 there was one address a family, with its routes, and no interfaces."""
    shown: dict[str, Any] = {"cniVersion": version}
    for ip in result.get("ips", ()):
        family = ip_interface(ip["address"]).version
        routes = [r for r in result.get("routes", ()) if ip_interface(r["dst"]).version == family]
        gateway = {"gateway": ip["gateway"]} if "gateway" in ip else {}
        one = {"ip": ip["address"]} | gateway | ({"routes": routes} if routes else {})
        shown.setdefault(f"ip{family}", one)
    return shown | {"dns": result.get("dns", {})}

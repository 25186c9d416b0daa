"""host-local: addresses from ranges of this host, kept as one file an address.

Invariant: the address given is the one **after the last given**, not the lowest free; it wraps at the end of the last
range, and gateways are never given. What is on disk is all it knows.
Models containernetworking/plugins plugins/ipam/host-local/backend/allocator IPAllocator.Get
Models containernetworking/plugins plugins/ipam/host-local/backend/disk Store.Reserve
"""

from collections.abc import Iterator
from typing import Any

from kubemini.network.decide.cni.calls import Call, Plugin, Result, arguments
from kubemini.network.decide.cni.host.addresses import ip_address
from kubemini.network.decide.cni.host.errors import PluginError
from kubemini.network.decide.cni.host.namespaces import Host
from kubemini.network.decide.cni.ranges import Range, Set, containing, load, shown

DIRECTORY = "/var/lib/cni/networks"
LINE = "\r\n"  # between container and interface, whatever the system


def _directory(call: Call) -> str:
    return f"{call.config['ipam'].get('dataDir') or DIRECTORY}/{call.network}"


def _key(container: str, ifname: str) -> str:
    return container.strip() + LINE + ifname


def _opened(host: Host, call: Call) -> dict[str, str]:
    """The files of the network: {name: text}. Opening them leaves a lock file."""
    start = _directory(call) + "/"
    host.files.setdefault(start + "lock", "")
    return {path.removeprefix(start): text for path, text in host.files.items() if path.startswith(start)}


def _mine(files: dict[str, str], call: Call, *, also_old: bool = False) -> list[str]:
    """The files that name this container and interface; older plugins wrote the container alone."""
    keys = {_key(call.container, call.ifname)} | ({call.container.strip()} if also_old else set())
    return [name for name, text in files.items() if text.strip() in keys]


def _wanted(call: Call) -> list[Any]:
    """The addresses that somebody asked for: CNI_ARGS, then the configuration, then the runtime."""
    by_args = arguments(call.args, ("IP",)).get("IP")
    given = [*([by_args] if by_args else [])]
    given += ((call.config.get("args") or {}).get("cni") or {}).get("ips", ())
    given += (call.config.get("runtimeConfig") or {}).get("ips", ())
    try:
        return [ip_address(text.split("/")[0]) for text in given]
    except ValueError as error:
        raise PluginError(f"invalid IP address {str(error).split(' ')[0].strip(chr(39))}") from None


def add(host: Host, call: Call) -> Result:
    """An address of every set of ranges."""
    sets, wanted = load(call), _wanted(call)
    result: Result = {"ips": [], "routes": list(call.config["ipam"].get("routes") or ())}
    if path := call.config["ipam"].get("resolvConf"):
        result["dns"] = _resolv_conf(host, path)
    _opened(host, call)
    for number, ranges in enumerate(sets):
        asked = next((ip for ip in wanted if containing(ranges, ip)), None)
        wanted = [ip for ip in wanted if ip != asked]
        try:
            result["ips"].append(_get(host, call, ranges, number, asked))
        except PluginError as error:
            if number:
                delete(host, call)
            raise PluginError(f"failed to allocate for range {number}: {error.message}") from None
    if wanted:
        delete(host, call)
        raise PluginError("failed to allocate all requested IPs: " + " ".join(str(ip) for ip in wanted))
    return result


def _get(host: Host, call: Call, ranges: Set, number: int, asked: Any) -> dict[str, str]:
    """One address of a set. PluginError: none is free, or the container has one already."""
    files = _opened(host, call)
    if asked is not None:
        home = containing(ranges, asked)
        assert home is not None, "only asked of a set that contains it"
        if asked == home.gateway:
            raise PluginError(f"requested ip {asked} is subnet's gateway")
        if str(asked) in files:
            raise PluginError(f"requested IP address {asked} is not available in range set {shown(ranges)}")
        return _reserve(host, call, asked, home, number)
    for name in sorted(_mine(files, call, also_old=True)):
        if not name.startswith("l") and containing(ranges, ip_address(name)):
            raise PluginError(f"{name} has been allocated to {call.container}, duplicate allocation is not allowed")
    last = files.get(f"last_reserved_ip.{number}")
    for address, home in in_turn(ranges, ip_address(last) if last else None):
        if str(address) not in files:
            return _reserve(host, call, address, home, number)
    raise PluginError(f"no IP addresses available in range set: {shown(ranges)}")


def _reserve(host: Host, call: Call, address: Any, home: Range, number: int) -> dict[str, str]:
    directory = _directory(call)
    host.files[f"{directory}/{address}"] = _key(call.container, call.ifname)
    host.files[f"{directory}/last_reserved_ip.{number}"] = str(address)
    return {"address": f"{address}/{home.subnet.prefixlen}", "gateway": str(home.gateway)}


def in_turn(ranges: Set, last: Any) -> Iterator[tuple[Any, Range]]:
    """The addresses of a set in the order in which they are tried, after *last*; each once, gateways left out."""
    where = next((i for i, r in enumerate(ranges) if last is not None and last in r), None)
    index, current, start = (0, None, None) if where is None else (where, last, None)
    while True:
        if current is None:
            current = start = ranges[index].first
        else:
            if current == ranges[index].last:
                index = (index + 1) % len(ranges)
                current = ranges[index].first
            else:
                current += 1
            if current == start:
                return
            start = start or current
        if current != ranges[index].gateway:
            yield current, ranges[index]


def delete(host: Host, call: Call) -> None:
    """Release what the container has; nothing is no error."""
    load(call)
    arguments(call.args, ("IP",))
    files = _opened(host, call)
    for name in _mine(files, call) or _mine(files, call, also_old=True):
        del host.files[f"{_directory(call)}/{name}"]


def check(host: Host, call: Call) -> None:
    """Whether the container has any address. PluginError: it has none."""
    load(call)
    if not _mine(_opened(host, call), call, also_old=True):
        raise PluginError(f"host-local: Failed to find address added by container {call.container}")


def collect(host: Host, call: Call) -> None:
    """GC: release every address whose container and interface are not among the valid attachments."""
    load(call)
    valid = {_key(a["containerID"], a["ifname"]) for a in call.config.get("cni.dev/valid-attachments") or ()}
    old = {key.split(LINE)[0] for key in valid}
    for name, text in _opened(host, call).items():
        owner = text.strip()
        kept = owner in valid or (LINE not in owner and owner in old)
        if name != "lock" and not name.startswith("last_reserved_ip.") and not kept:
            del host.files[f"{_directory(call)}/{name}"]


def _resolv_conf(host: Host, path: str) -> dict[str, Any]:
    if path not in host.files:
        raise PluginError(f"open {path}: no such file or directory")
    found: dict[str, Any] = {}
    for line in host.files[path].splitlines():
        key, *rest = line.split() or [""]
        if rest and key == "domain":
            found["domain"] = rest[0]
        elif rest and key == "nameserver":
            found.setdefault("nameservers", []).append(rest[0])
        elif rest and key in ("search", "options"):
            found.setdefault(key, []).extend(rest)
    return found


PLUGIN = Plugin(add, delete, check, gc=collect)

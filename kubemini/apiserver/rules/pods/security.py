"""Who a pod's programs run as, and what they may do.

Models k/k pkg/apis/core/validation validatePodSpecSecurityContext, ValidateSecurityContext, validateSysctls,
validateSeccompProfileField, ValidateAppArmorProfileField, validateOS, validateLinux, validateWindows,
validateHostUsers.
Simplified: of Windows' own options only their place is judged.
"""

import re
from collections.abc import Iterator

from kubemini.api.objects import Obj, get
from kubemini.apiserver.rules.causes import Wrong, duplicate, forbidden, invalid, required, supported, too_long
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.volumes.sources import descending

LARGEST_ID = 2**31 - 1
NO_ID = f"must be between 0 and {LARGEST_ID}, inclusive"
PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
LONGEST_SYSCTL, LONGEST_PROFILE = 253, 4095
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
SYSCTL = rf"^({_SEGMENT}[\./])*{_SEGMENT}$"
POD_LINUX = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "fsGroup",
    "fsGroupChangePolicy",
    "sysctls",
    "runAsUser",
    "runAsGroup",
    "supplementalGroups",
    "supplementalGroupsPolicy",
    "seLinuxChangePolicy",
)
CONTAINER_LINUX = (
    "appArmorProfile",
    "seLinuxOptions",
    "seccompProfile",
    "capabilities",
    "readOnlyRootFilesystem",
    "privileged",
    "allowPrivilegeEscalation",
    "procMount",
    "runAsUser",
    "runAsGroup",
)
CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
NO_WINDOWS, NO_LINUX = "windows options cannot be set for a linux pod", "cannot be set for a windows pod"


def of_pod(context: Obj | None, path: str) -> Wrong:
    """What all containers share."""
    context = context or {}
    for field in ("fsGroup", "runAsUser", "runAsGroup"):
        yield from _id(context.get(field), f"{path}.{field}")
    for number, group in enumerate(context.get("supplementalGroups") or ()):
        yield from _id(group, f"{path}.supplementalGroups[{number}]")
    yield from _sysctls(context, f"{path}.sysctls")
    if context.get("fsGroupChangePolicy") is not None:
        policies = ("Always", "OnRootMismatch")
        yield from supported(f"{path}.fsGroupChangePolicy", context["fsGroupChangePolicy"], policies)
    yield from _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    yield from _apparmor(context.get("appArmorProfile"), f"{path}.appArmorProfile")
    if context.get("supplementalGroupsPolicy") is not None:
        policy = context["supplementalGroupsPolicy"]
        yield from supported(f"{path}.supplementalGroupsPolicy", policy, ("Merge", "Strict"))
    if context.get("seLinuxChangePolicy") is not None:
        policy = context["seLinuxChangePolicy"]
        yield from supported(f"{path}.seLinuxChangePolicy", policy, ("MountOption", "Recursive"))


def of_container(context: Obj | None, path: str, host_users: bool) -> Wrong:
    """What one container has of its own; *host_users*: the pod's users are the machine's."""
    if context is None:
        return
    for field in ("runAsUser", "runAsGroup"):
        yield from _id(context.get(field), f"{path}.{field}")
    mount = context.get("procMount")
    if mount is not None:
        yield from supported(f"{path}.procMount", mount, ("Default", "Unmasked"))
        if host_users and mount == "Unmasked":
            yield invalid(f"{path}.procMount", mount, "`hostUsers` must be false to use `Unmasked`")
    yield from _seccomp(context.get("seccompProfile"), f"{path}.seccompProfile")
    if context.get("allowPrivilegeEscalation") is False:
        shown, no = internal(context, "core.SecurityContext"), "cannot set `allowPrivilegeEscalation` to false and"
        if context.get("privileged"):
            yield invalid(path, shown, f"{no} `privileged` to true")
        if "CAP_SYS_ADMIN" in (get(context, "capabilities", "add") or ()):
            yield invalid(path, shown, f"{no} `capabilities.Add` CAP_SYS_ADMIN")
    yield from _apparmor(context.get("appArmorProfile"), f"{path}.appArmorProfile")


def _id(value: int | None, path: str) -> Wrong:
    if value is not None and not 0 <= value <= LARGEST_ID:
        yield invalid(path, value, NO_ID)


def _sysctls(context: Obj, path: str) -> Wrong:
    """Settings of the kernel."""
    seen: list[str] = []
    for number, item in enumerate(context.get("sysctls") or ()):
        where, name = f"{path}[{number}].name", item.get("name", "")
        if not name:
            yield required(where)
        elif len(name) > LONGEST_SYSCTL or not re.fullmatch(SYSCTL, name):
            yield invalid(where, name, f"must have at most {LONGEST_SYSCTL} characters and match regex {SYSCTL}")
        elif name in seen:
            yield duplicate(where, name)
        seen.append(name)


def _seccomp(profile: Obj | None, path: str) -> Wrong:
    """Which calls of the kernel it may make."""
    if profile is None:
        return
    type, local, where = profile.get("type", ""), profile.get("localhostProfile"), f"{path}.localhostProfile"
    if not type:
        yield required(f"{path}.type", "type is required when seccompProfile is set")
    else:
        yield from supported(f"{path}.type", type, PROFILES)
    if type == "Localhost" and local is None:
        yield required(where, "must be set when seccomp type is Localhost")
    elif type == "Localhost" and local is not None:
        yield from descending(local, where)
    elif local is not None:
        yield invalid(where, internal(profile, "core.SeccompProfile"), "can only be set when seccomp type is Localhost")


def _apparmor(profile: Obj | None, path: str) -> Wrong:
    if profile is None:
        return
    type, local, where = profile.get("type", ""), profile.get("localhostProfile"), f"{path}.localhostProfile"
    if not type:
        yield required(f"{path}.type", "type is required when appArmorProfile is set")
    elif type not in PROFILES:
        yield from supported(f"{path}.type", type, PROFILES)
    elif type != "Localhost":
        if local is not None:
            yield invalid(where, local, "can only be set when AppArmor type is Localhost")
    elif not (local or "").strip() and (local or "") == (local or "").strip():
        yield required(where, "must be set when AppArmor type is Localhost")
    elif local is not None:
        if local.strip() != local:
            yield invalid(where, local, "must not be padded with whitespace")
        if len(local) > LONGEST_PROFILE:
            yield too_long(where, LONGEST_PROFILE)


def host_users(spec: Obj, path: str) -> Wrong:
    """A pod with users of its own shares no other names with the machine."""
    if spec.get("hostUsers") is not False:
        return
    for field, shown in (("hostNetwork", "hostNetwork"), ("hostPID", "HostPID"), ("hostIPC", "HostIPC")):
        if spec.get(field):
            yield forbidden(f"{path}.{shown}", "when `hostUsers` is false")
    for container, where in each_container(spec, path):
        if container.get("volumeDevices"):
            yield forbidden(f"{where}.volumeDevices", "when `hostUsers` is false")


def each_container(spec: Obj, path: str) -> Iterator[tuple[Obj, str]]:
    """(container, its path) of all containers. Models k/k pkg/apis/core/pods VisitContainersWithPath"""
    for field in CONTAINERS:
        for number, container in enumerate(spec.get(field) or ()):
            yield container, f"{path}.{field}[{number}]"


def operating_system(spec: Obj, path: str) -> Wrong:
    """A pod that says for which system it is has no settings of another."""
    if spec.get("os") is None:
        return
    name = spec["os"].get("name", "")
    if not name:
        yield required(f"{path}.os.name")
    elif name not in ("linux", "windows"):
        yield from supported(f"{path}.os", name, ("linux", "windows"))
    elif name == "linux":
        if get(spec, "securityContext", "windowsOptions") is not None:
            yield forbidden(f"{path}.securityContext.windowsOptions", NO_WINDOWS)
        for container, where in each_container(spec, path):
            if get(container, "securityContext", "windowsOptions") is not None:
                yield forbidden(f"{where}.securityContext.windowsOptions", NO_WINDOWS)
    else:
        yield from _for_windows(spec, path)


def _for_windows(spec: Obj, path: str) -> Wrong:
    for field in POD_LINUX:
        value = get(spec, "securityContext", field)
        if value is not None and not (field == "sysctls" and not value):
            yield forbidden(f"{path}.securityContext.{field}", NO_LINUX)
    for field in ("hostUsers", "hostPID", "hostIPC", "shareProcessNamespace"):
        value = spec.get(field)
        if value if field in ("hostPID", "hostIPC") else value is not None:
            yield forbidden(f"{path}.{field}", NO_LINUX)
    for container, where in each_container(spec, path):
        for field in CONTAINER_LINUX:
            if get(container, "securityContext", field) is not None:
                yield forbidden(f"{where}.securityContext.{field}", NO_LINUX)

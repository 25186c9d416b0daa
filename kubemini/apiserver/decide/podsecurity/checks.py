"""The checks of the Pod Security Standards, one function each: a pod → why it is forbidden, or None.

`CHECKS` says from which minor version on a check, or a newer form of it, holds, and which check of baseline a check of
restricted replaces.
Models k/pod-security-admission policy DefaultChecks CheckAllowPrivilegeEscalation CheckAppArmorProfile CheckSysctls.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from kubemini.api.objects import get

BASELINE, RESTRICTED = "baseline", "restricted"
Spec = Mapping[str, Any]


class Forbidden(NamedTuple):
    """Why: in short, and with what it is about."""

    reason: str
    detail: str

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason


Test = Callable[[Mapping[str, Any], Spec], Forbidden | None]  # (metadata, spec)


@dataclass(frozen=True, slots=True)
class Check:
    """``forms``: (minor version since when, test), newest last; ``replaces``: a check of baseline."""

    id: str
    level: str
    forms: tuple[tuple[int, Test], ...]
    replaces: str = ""

    def at(self, minor: int) -> Test | None:
        """What is tested in version 1.*minor*; None: it is not checked yet."""
        return next((test for since, test in reversed(self.forms) if since <= minor), None)


# -- words ---------------------------------------------------------------------------------------------------------


def _quoted(items: Iterable[str]) -> str:
    return ", ".join(f'"{item}"' for item in items)


def _many(word: str, items: Iterable[Any]) -> str:
    return word if len(list(items)) == 1 else f"{word}s"


def _named(bad: list[str]) -> str:
    return f"{_many('container', bad)} {_quoted(bad)}"


def _setters(pod: bool, bad: list[str]) -> str:
    """Who says it: the pod, some containers, or both; empty if nobody does."""
    return " and ".join((["pod"] if pod else []) + ([_named(bad)] if bad else []))


def _containers(spec: Spec) -> list[Mapping[str, Any]]:
    return [one for field in ("initContainers", "containers", "ephemeralContainers") for one in spec.get(field) or ()]


def _said(one: Mapping[str, Any], *path: str) -> Any:
    return get(one, "securityContext", *path)


def _saying(spec: Spec, wrong: Callable[[Mapping[str, Any]], bool]) -> list[str]:
    return [one.get("name", "") for one in _containers(spec) if wrong(one)]


# -- baseline ------------------------------------------------------------------------------------------------------
CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
SYSCTLS = {
    0: """kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range
    net.ipv4.ip_unprivileged_port_start""",
    27: "net.ipv4.ip_local_reserved_ports",
    29: """net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl
    net.ipv4.tcp_keepalive_probes""",
    32: "net.ipv4.tcp_rmem net.ipv4.tcp_wmem",
    37: "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat",
}
SELINUX = ("", "container_t", "container_init_t", "container_kvm_t")
APPARMOR_KEY = "container.apparmor.security.beta.kubernetes.io/"
SECCOMP_KEYS = "seccomp.security.alpha.kubernetes.io/pod", "container.seccomp.security.alpha.kubernetes.io/"
PROFILES = ("RuntimeDefault", "Localhost")


def app_armor(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Only the runtime's own profile, or one of the host."""
    types = {_said(one, "appArmorProfile", "type") for one in (spec, *_containers(spec))} - {None, *PROFILES}
    pod = _said(spec, "appArmorProfile", "type") in types
    setters = _setters(pod, _saying(spec, lambda one: _said(one, "appArmorProfile", "type") in types))
    notes = sorted(
        f'{key}="{value}"'
        for key, value in (meta.get("annotations") or {}).items()
        if key.startswith(APPARMOR_KEY) and value not in ("", "runtime/default") and not value.startswith("localhost/")
    )
    values = [*sorted(types), *notes]
    who = " and ".join([*([setters] if setters else []), *([_many("annotation", notes)] if notes else [])])
    if not who:
        return None
    detail = f"{who} must not set AppArmor profile type to {_quoted(values)}"
    return Forbidden(_many("forbidden AppArmor profile", values), detail)


def capabilities(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """No capability that containers lack by default."""

    def added(one: Mapping[str, Any]) -> set[str]:
        return set(_said(one, "capabilities", "add") or ()) - CAPABILITIES

    bad = _saying(spec, lambda one: bool(added(one)))
    forbidden = sorted(set().union(*map(added, _containers(spec))))
    detail = f"{_named(bad)} must not include {_quoted(forbidden)} in securityContext.capabilities.add"
    return Forbidden("non-default capabilities", detail) if bad else None


def host_namespaces(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """No network, processes or memory of the host."""
    found = [f"{field}=true" for field in ("hostNetwork", "hostPID", "hostIPC") if spec.get(field)]
    return Forbidden("host namespaces", ", ".join(found)) if found else None


def host_paths(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """No files of the host."""
    found = [one.get("name", "") for one in spec.get("volumes") or () if one.get("hostPath") is not None]
    return Forbidden("hostPath volumes", f"{_many('volume', found)} {_quoted(found)}") if found else None


def host_ports(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """No ports of the host."""

    def host_port_of(one: Mapping[str, Any]) -> set[str]:
        return {str(port["hostPort"]) for port in one.get("ports") or () if port.get("hostPort")}

    bad = _saying(spec, lambda one: bool(host_port_of(one)))
    ports = sorted(set().union(*map(host_port_of, _containers(spec))))
    uses = "uses" if len(bad) == 1 else "use"
    return Forbidden("hostPort", f"{_named(bad)} {uses} {_many('hostPort', ports)} {', '.join(ports)}") if bad else None


def probe_hosts(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Probes and hooks ask the pod itself, no other host."""

    def other_hosts(one: Mapping[str, Any]) -> set[str]:
        lifecycle = one.get("lifecycle") or {}
        handlers = [one.get(field) for field in ("livenessProbe", "readinessProbe", "startupProbe")]
        handlers += [lifecycle.get("postStart"), lifecycle.get("preStop")]
        hosts = {get(each or {}, how, "host") for each in handlers for how in ("httpGet", "tcpSocket")}
        return {host for host in hosts if host}

    bad = sorted(set(_saying(spec, lambda one: bool(other_hosts(one)))))
    hosts = sorted(set().union(*map(other_hosts, _containers(spec))))
    uses = "uses" if len(bad) == 1 else "use"
    detail = f"{_named(bad)} {uses} {_many('probe or lifecycle host', hosts)} {_quoted(hosts)}"
    return Forbidden("probe or lifecycle host", detail) if bad else None


def privileged(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """No container that may do all that its host may."""
    bad = _saying(spec, lambda one: bool(_said(one, "privileged")))
    return Forbidden("privileged", f"{_named(bad)} must not set securityContext.privileged=true") if bad else None


def proc_mount(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """/proc stays masked."""
    types = {_said(one, "procMount") for one in _containers(spec)} - {None, "Default"}
    bad = _saying(spec, lambda one: _said(one, "procMount") in types)
    detail = f"{_named(bad)} must not set securityContext.procMount to {_quoted(sorted(types))}"
    return Forbidden("procMount", detail) if bad else None


def selinux(allowed: tuple[str, ...], meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Types of containers only, and no user or role."""
    types, user, role = set[str](), False, False

    def wrong(one: Mapping[str, Any]) -> bool:
        nonlocal user, role
        options = _said(one, "seLinuxOptions")
        if options is None:
            return False
        type = options.get("type") or ""
        types.update({type} - set(allowed))
        user, role = user or bool(options.get("user")), role or bool(options.get("role"))
        return type not in allowed or bool(options.get("user")) or bool(options.get("role"))

    pod = wrong(spec)
    who = _setters(pod, _saying(spec, wrong))
    said = [f"{_many('type', types)} {_quoted(sorted(types))}"] if types else []
    said += ["user may not be set"] if user else []
    said += ["role may not be set"] if role else []
    detail = f"{who} set forbidden securityContext.seLinuxOptions: {'; '.join(said)}"
    return Forbidden("seLinuxOptions", detail) if who else None


def seccomp_notes(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """As annotations said it before 1.19."""
    notes = meta.get("annotations") or {}
    keys = [SECCOMP_KEYS[0], *(SECCOMP_KEYS[1] + one.get("name", "") for one in _containers(spec))]
    allowed = ("runtime/default", "docker/default")
    bad = {
        key for key in keys if key in notes and notes[key] not in allowed and not notes[key].startswith("localhost/")
    }
    found = sorted(f'{key}="{notes[key]}"' for key in bad)
    detail = f"forbidden {_many('annotation', found)} {', '.join(found)}"
    return Forbidden("seccompProfile", detail) if found else None


def seccomp(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Only the runtime's own profile, or one of the host."""

    def wrong(one: Mapping[str, Any]) -> bool:
        return _said(one, "seccompProfile") is not None and _said(one, "seccompProfile", "type") not in PROFILES

    who = _setters(wrong(spec), _saying(spec, wrong))
    types = {_said(one, "seccompProfile", "type") or "" for one in (spec, *_containers(spec)) if wrong(one)}
    detail = f"{who} must not set securityContext.seccompProfile.type to {_quoted(sorted(types))}"
    return Forbidden("seccompProfile", detail) if who else None


def sysctls(minor: int, meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Only settings of the kernel that stay inside of the pod."""
    allowed = {name for since, names in SYSCTLS.items() if since <= minor for name in names.split()}
    found = [one["name"] for one in _said(spec, "sysctls") or () if one.get("name") not in allowed]
    return Forbidden("forbidden sysctls", ", ".join(found)) if found else None


def host_process(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """No process of a Windows host."""

    def wrong(one: Mapping[str, Any]) -> bool:
        return bool(_said(one, "windowsOptions", "hostProcess"))

    who = _setters(wrong(spec), _saying(spec, wrong))
    return (
        Forbidden("hostProcess", f"{who} must not set securityContext.windowsOptions.hostProcess=true") if who else None
    )


# -- restricted ----------------------------------------------------------------------------------------------------
PLAIN = {
    "name",
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "image"),
    *("persistentVolumeClaim", "projected", "secret"),
}


def escalation(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """A process never gets more rights than its parent."""
    bad = _saying(spec, lambda one: _said(one, "allowPrivilegeEscalation") is not False)
    detail = f"{_named(bad)} must set securityContext.allowPrivilegeEscalation=false"
    return Forbidden("allowPrivilegeEscalation != false", detail) if bad else None


def all_dropped(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """All capabilities are dropped, and only NET_BIND_SERVICE comes back."""

    def added(one: Mapping[str, Any]) -> set[str]:
        return set(_said(one, "capabilities", "add") or ()) - {"NET_BIND_SERVICE"}

    keeping = _saying(spec, lambda one: "ALL" not in (_said(one, "capabilities", "drop") or ()))
    adding = _saying(spec, lambda one: bool(added(one)))
    forbidden = sorted(set().union(*map(added, _containers(spec))))
    said = [f'{_named(keeping)} must set securityContext.capabilities.drop=["ALL"]'] if keeping else []
    if adding:
        said.append(f"{_named(adding)} must not include {_quoted(forbidden)} in securityContext.capabilities.add")
    return Forbidden("unrestricted capabilities", "; ".join(said)) if said else None


def volumes(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Only volumes that hold nothing of the host; one that names no source is an empty directory."""
    bad = [one for one in spec.get("volumes") or () if one.keys() - PLAIN]
    types = sorted({key for one in bad for key in one.keys() - PLAIN})
    names = [one.get("name", "") for one in bad]
    uses = "uses" if len(bad) == 1 else "use"
    kinds = f"{_many('restricted volume type', types)} {_quoted(types)}"
    detail = f"{_many('volume', bad)} {_quoted(names)} {uses} {kinds}"
    return Forbidden("restricted volume types", detail) if bad else None


def no_root(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """The pod, or each container, says that it is not root."""
    pod = _said(spec, "runAsNonRoot")
    who = _setters(pod is False, _saying(spec, lambda one: _said(one, "runAsNonRoot") is False))
    if who:
        return Forbidden("runAsNonRoot != true", f"{who} must not set securityContext.runAsNonRoot=false")
    silent = [] if pod else _saying(spec, lambda one: _said(one, "runAsNonRoot") is None)
    detail = f"pod or {_named(silent)} must set securityContext.runAsNonRoot=true"
    return Forbidden("runAsNonRoot != true", detail) if silent else None


def no_user_0(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """Nobody runs as user 0."""
    who = _setters(_said(spec, "runAsUser") == 0, _saying(spec, lambda one: _said(one, "runAsUser") == 0))
    return Forbidden("runAsUser=0", f"{who} must not set runAsUser=0") if who else None


def seccomp_set(meta: Mapping[str, Any], spec: Spec) -> Forbidden | None:
    """The pod, or each container, has a seccomp profile."""
    found = seccomp(meta, spec)
    if found is not None or _said(spec, "seccompProfile") is not None:
        return found
    silent = _saying(spec, lambda one: _said(one, "seccompProfile") is None)
    must = 'must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"'
    return Forbidden("seccompProfile", f"pod or {_named(silent)} {must}") if silent else None


def _not_on_windows(test: Test) -> Test:
    return lambda meta, spec: None if get(spec, "os", "name") == "windows" else test(meta, spec)


def _not_with_own_users(test: Test) -> Test:
    """A pod in a user namespace of its own is not root on the host, whatever it is inside."""
    return lambda meta, spec: None if spec.get("hostUsers") is False else test(meta, spec)


CHECKS = (
    Check("appArmorProfile", BASELINE, ((0, app_armor),)),
    Check("capabilities_baseline", BASELINE, ((0, capabilities),)),
    Check("hostNamespaces", BASELINE, ((0, host_namespaces),)),
    Check("hostPathVolumes", BASELINE, ((0, host_paths),)),
    Check("hostPorts", BASELINE, ((0, host_ports),)),
    Check("hostProbesAndHostLifecycle", BASELINE, ((34, probe_hosts),)),
    Check("privileged", BASELINE, ((0, privileged),)),
    Check("procMount", BASELINE, ((0, proc_mount), (35, _not_with_own_users(proc_mount)))),
    Check(
        "seLinuxOptions",
        BASELINE,
        ((0, partial(selinux, SELINUX)), (31, partial(selinux, (*SELINUX, "container_engine_t")))),
    ),
    Check("seccompProfile_baseline", BASELINE, ((0, seccomp_notes), (19, seccomp))),
    Check("sysctls", BASELINE, tuple((minor, partial(sysctls, minor)) for minor in SYSCTLS)),
    Check("windowsHostProcess", BASELINE, ((0, host_process),)),
    Check("allowPrivilegeEscalation", RESTRICTED, ((8, escalation), (25, _not_on_windows(escalation)))),
    Check(
        "capabilities_restricted",
        RESTRICTED,
        ((22, all_dropped), (25, _not_on_windows(all_dropped))),
        "capabilities_baseline",
    ),
    Check("procMount_restricted", RESTRICTED, ((35, proc_mount),), "procMount"),
    Check("restrictedVolumes", RESTRICTED, ((0, volumes),), "hostPathVolumes"),
    Check("runAsNonRoot", RESTRICTED, ((0, no_root), (35, _not_with_own_users(no_root)))),
    Check("runAsUser", RESTRICTED, ((23, no_user_0), (35, _not_with_own_users(no_user_0)))),
    Check(
        "seccompProfile_restricted",
        RESTRICTED,
        ((19, seccomp_set), (25, _not_on_windows(seccomp_set))),
        "seccompProfile_baseline",
    ),
)

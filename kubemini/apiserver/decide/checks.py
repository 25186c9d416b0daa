"""The checks behind /livez, /readyz and /healthz: their names, in order, and the page that shows them.

A page lists every check; the answer is 200 if all pass, else 500 with the page. Of the many hooks that must have run
after a start, those that take time stand here: what fails while a server starts, stage by stage.
Invariant: a page has each check once, and its last line says which page it is.
Models k/apiserver pkg/server/healthz handleRootHealth. Order and stages are as a kube-apiserver 1.37.2 shows them.
Simplified: only the hooks that were seen failing fail.
"""

from collections.abc import Collection, Mapping, Sequence

LIVEZ, READYZ, HEALTHZ = "/livez", "/readyz", "/healthz"
PATHS = (LIVEZ, READYZ, HEALTHZ)
ETCD, ETCD_READINESS, INFORMER_SYNC, SHUTDOWN = "etcd", "etcd-readiness", "informer-sync", "shutdown"
HOOK = "poststarthook/"
ROLES = HOOK + "rbac/bootstrap-roles"
PRIORITIES = HOOK + "scheduling/bootstrap-system-priority-classes"
COMPLETION = "autoregister-completion"
_EARLY = """start-apiserver-admission-initializer generic-apiserver-start-informers
priority-and-fairness-config-consumer
priority-and-fairness-filter storage-object-count-tracker-hook start-apiextensions-informers
start-apiextensions-controllers crd-informer-synced start-system-namespaces-controller
peer-endpoint-reconciler-controller start-cluster-authentication-info-controller
start-kube-apiserver-identity-lease-controller start-kube-apiserver-identity-lease-garbage-collector storage-readiness
start-legacy-token-tracking-controller start-service-ip-repair-controllers rbac/bootstrap-roles
scheduling/bootstrap-system-priority-classes priority-and-fairness-config-producer bootstrap-controller
start-kubernetes-service-cidr-controller start-kube-aggregator-informers apiservice-status-local-available-controller
apiservice-status-remote-available-controller apiservice-registration-controller apiservice-discovery-controller
kube-apiserver-autoregistration"""
_LATE = "apiservice-openapi-controller apiservice-openapiv3-controller"
HOOKS = (*(HOOK + name for name in _EARLY.split()), COMPLETION, *(HOOK + name for name in _LATE.split()))
ORDER: Mapping[str, tuple[str, ...]] = {
    LIVEZ: ("ping", "log", "loopback-serving-certificate", ETCD, *HOOKS),
    READYZ: ("ping", "log", ETCD, ETCD_READINESS, INFORMER_SYNC, *HOOKS, SHUTDOWN),
    HEALTHZ: ("ping", "log", "loopback-serving-certificate", ETCD, *HOOKS),
}

# what fails from the moment the server listens; then until the informers have synced; then one after the other
_UNSYNCED = """start-apiextensions-controllers crd-informer-synced start-kube-apiserver-identity-lease-controller
start-service-ip-repair-controllers priority-and-fairness-config-producer bootstrap-controller
start-kubernetes-service-cidr-controller apiservice-registration-controller apiservice-discovery-controller"""
SYNCING = (INFORMER_SYNC, *(HOOK + name for name in _UNSYNCED.split()), COMPLETION, PRIORITIES, ROLES)
BOOTSTRAPPING = (PRIORITIES, ROLES)
LAST = (ROLES,)


def asked(path: str) -> tuple[str, str] | None:
    """The page that *path* is, or belongs to, and the check that is asked for alone; None if it is neither."""
    found = next((page for page in PATHS if path == page or path.startswith(f"{page}/")), None)
    if found is None:
        return None
    check = path.removeprefix(found).removeprefix("/")
    return (found, check) if path == found or check in ORDER[found] else None


def page(path: str, failed: Collection[str], verbose: bool = False, excluded: Sequence[str] = ()) -> tuple[bool, str]:
    """Whether all is well, and what *path* shows when the checks *failed*; "ok" is said in short unless *verbose*.

    Of the *excluded* checks it does not matter whether they fail.
    """
    order = ORDER[path]
    lines = [_line(name, failed, excluded) for name in order]
    strange = ", ".join(f'"{name}"' for name in sorted(set(excluded)) if name not in order)
    if strange:
        lines.append(f"warn: some health checks cannot be excluded: no matches for {strange}")
    well = not any(name in failed and name not in excluded for name in order)
    if well and not verbose:
        return True, "ok"
    end = "\n" if well else ""  # that of a refusal comes by itself
    return well, "\n".join([*lines, f"{path[1:]} check {'passed' if well else 'failed'}"]) + end


def _line(name: str, failed: Collection[str], excluded: Sequence[str]) -> str:
    if name in excluded:
        return f"[+]{name} excluded: ok"
    return f"[-]{name} failed: reason withheld" if name in failed else f"[+]{name} ok"


def failing(path: str, failed: Collection[str]) -> list[str]:
    """Those of *failed* that *path* asks for, in its order."""
    return [name for name in ORDER[path] if name in failed]

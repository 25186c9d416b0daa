"""ServiceAccount: every pod speaks for an account of its namespace, and gets a token of it mounted.

Who is not allowed to mount other secrets than those of the account is refused them.
Models k/k plugin/pkg/admission/serviceaccount Plugin.Admit Plugin.Validate.
Simplified: an account that the server has not heard of is refused at once; the real one looks into etcd first, ten
times for ``default``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from kubemini.api import names
from kubemini.api.errors import ApiError
from kubemini.api.kinds import KNOWN, POD, Kind
from kubemini.api.objects import Obj, evolve, evolve_many, get
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.decide.access.nodes import used_by
from kubemini.apiserver.decide.attributes import CREATE, UPDATE, Attributes

NAME = "ServiceAccount"
ACCOUNT = KNOWN["v1", "ServiceAccount"]
DEFAULT = "default"
VOLUME = "kube-api-access-"
PATH = "/var/run/secrets/kubernetes.io/serviceaccount"
MIRROR = "kubernetes.io/config.mirror"
ENFORCED = "kubernetes.io/enforce-mountable-secrets"
TRUE = ("1", "t", "T", "TRUE", "true", "True")
LIFETIME = 3607  # seconds; a client-go that never reads the file again is noticed by it
TOKEN_VOLUME = {
    "defaultMode": 0o644,
    "sources": [
        {"serviceAccountToken": {"path": "token", "expirationSeconds": LIFETIME}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
            }
        },
    ],
}


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The accounts, for pods."""
    return (ACCOUNT,) if _looks_at(asked) else ()


def admit(asked: Attributes) -> "Obj | ApiError | None":
    """A new pod with its account, the token's volume and the account's pull secrets; or why it has no account."""
    pod = asked.obj
    if pod is None or not _looks_at(asked) or asked.operation != CREATE:
        return pod
    if _mirrors(pod):
        return _mirror_refused(asked, pod) or pod
    if not get(pod, "spec", "serviceAccountName"):
        pod = evolve_many(pod, (("spec", "serviceAccountName"), DEFAULT), (("spec", "serviceAccount"), DEFAULT))
    account = _account(asked, pod)
    if isinstance(account, ApiError):
        return account
    if _mounts(account, pod):
        pod = _with_token(asked, pod)
    secrets = account.get("imagePullSecrets") or []
    if secrets and not get(pod, "spec", "imagePullSecrets"):
        pod = evolve(pod, ("spec", "imagePullSecrets"), [{"name": one.get("name", "")} for one in secrets])
    return pod


def validate(asked: Attributes) -> ApiError | None:
    """Why the pod may not speak for this account, or mount that."""
    pod = asked.obj
    if pod is None or not _looks_at(asked):
        return None
    if asked.operation == CREATE and _mirrors(pod):
        return _mirror_refused(asked, pod)
    if not get(pod, "spec", "serviceAccountName"):
        name = get(pod, "metadata", "name") or ""
        return forbid(asked, f"no service account specified for pod {asked.namespace}/{name}")
    account = _account(asked, pod)
    if isinstance(account, ApiError):
        return account
    if get(account, "metadata", "annotations", ENFORCED) not in TRUE:
        return None
    wrong = next(_not_mountable(account, pod, asked.operation == CREATE), None)
    return forbid(asked, wrong) if wrong else None


def _looks_at(asked: Attributes) -> bool:
    if asked.kind != POD:
        return False
    return (asked.operation, asked.subresource) in ((CREATE, ""), (UPDATE, "ephemeralcontainers"))


def _mirrors(pod: Obj) -> bool:
    return MIRROR in (get(pod, "metadata", "annotations") or {})


def _account(asked: Attributes, pod: Obj) -> Obj | ApiError:
    name = pod["spec"]["serviceAccountName"]
    found = asked.known.get(ACCOUNT, asked.namespace, name)
    wrong = names.path_segment(name)
    why = f'invalid resource name "{name}": [{" ".join(wrong)}]' if wrong else f'serviceaccount "{name}" not found'
    missing = f"error looking up service account {asked.namespace}/{name}: {why}"
    return found if found is not None else forbid(asked, missing)


def _mounts(account: Obj, pod: Obj) -> bool:
    own, said = get(pod, "spec", "automountServiceAccountToken"), account.get("automountServiceAccountToken")
    return bool(own if own is not None else True if said is None else said)


def _with_token(asked: Attributes, pod: Obj) -> Obj:
    volumes = list(get(pod, "spec", "volumes") or ())
    held = next((one["name"] for one in volumes if str(one.get("name")).startswith(VOLUME)), "")
    mount = {"name": held or VOLUME + asked.suffix(), "readOnly": True, "mountPath": PATH}
    edits: list[tuple[tuple[Any, ...], Any]] = []
    for field in ("initContainers", "containers"):
        for place, container in enumerate(get(pod, "spec", field) or ()):
            mounts = list(container.get("volumeMounts") or ())
            if all(one.get("mountPath") != PATH for one in mounts):
                edits.append((("spec", field, place, "volumeMounts"), [*mounts, mount]))
    if edits and not held:
        edits.append((("spec", "volumes"), [*volumes, {"name": mount["name"], "projected": TOKEN_VOLUME}]))
    return evolve_many(pod, *edits) if edits else pod


def _mirror_refused(asked: Attributes, pod: Obj) -> ApiError | None:
    spec = pod.get("spec") or {}
    if spec.get("serviceAccountName"):
        return forbid(asked, "a mirror pod may not reference service accounts")
    sources = [
        source
        for volume in spec.get("volumes") or ()
        for source in (volume, *(get(volume, "projected", "sources") or ()))
    ]
    if any(resource == "secrets" for resource, _, _ in used_by(pod)):
        return forbid(asked, "a mirror pod may not reference secrets")
    if any(source.get("serviceAccountToken") for source in sources):
        return forbid(asked, "a mirror pod may not use ServiceAccountToken volume projections")
    return None


def _containers(spec: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for field, called in (("initContainers", "init container"), ("containers", "container")):
        yield from ((called, one) for one in spec.get(field) or ())


def _secrets_of(container: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(how it refers to it, secret) of every secret that *container* takes into its environment."""
    found = []
    for one in container.get("env") or ():
        secret = get(one, "valueFrom", "secretKeyRef")
        if secret:
            found.append((f"envVar {one.get('name', '')}", secret.get("name", "")))
    found += [
        ("envFrom", one["secretRef"].get("name", "")) for one in container.get("envFrom") or () if one.get("secretRef")
    ]
    return found


def _not_mountable(account: Obj, pod: Obj, new: bool) -> Iterator[str]:
    name, spec = account["metadata"]["name"], pod.get("spec") or {}
    allowed = {one.get("name") for one in account.get("secrets") or ()}
    why = f"is not allowed because service account {name} does not reference that secret"
    if not new:
        for container in spec.get("ephemeralContainers") or ():
            yield from _not_allowed("ephemeral container", container, allowed, why)
        return
    for volume in spec.get("volumes") or ():
        secret = get(volume, "secret", "secretName") or ""
        if volume.get("secret") and secret not in allowed:
            yield f'volume with secret.secretName="{secret}" {why}'
    for called, container in _containers(spec):
        yield from _not_allowed(called, container, allowed, why)
    pulled = {one.get("name") for one in account.get("imagePullSecrets") or ()}
    for place, one in enumerate(spec.get("imagePullSecrets") or ()):
        if one.get("name") not in pulled:
            text = f'imagePullSecrets[{place}].name="{one.get("name", "")}" is not allowed because service account'
            yield f"{text} {name} does not reference that imagePullSecret"


def _not_allowed(called: str, container: Mapping[str, Any], allowed: set[Any], why: str) -> Iterator[str]:
    for how, secret in _secrets_of(container):
        if secret not in allowed:
            yield f'{called} {container.get("name", "")} with {how} referencing secret.secretName="{secret}" {why}'

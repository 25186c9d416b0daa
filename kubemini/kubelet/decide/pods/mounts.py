"""What lies in a volume that comes from the API: names, links, modes and contents. Pure.

A ConfigMap, Secret, downwardAPI or projected volume holds a dated folder, a link ``..data`` to it, and for each name a
link into that; so all files change at once.
Models k/k pkg/volume/util AtomicWriter.Write; k/k pkg/volume/configmap MakePayload; k/k pkg/volume/secret MakePayload
Models k/k pkg/volume/downwardapi CollectData; k/k pkg/volume/emptydir emptyDir.SetUpAt
Models k/k pkg/volume VolumeOwnership.ChangePermissions (modes alone: a file here has no group)
Models k/k pkg/kubelet/clustertrustbundle InformerManager.GetTrustAnchorsByName GetTrustAnchorsBySigner
Models k/k pkg/kubelet/token Manager.requiresRefresh Manager.expired
Simplified: trust anchors stand in the order of their bytes.
"""

import re
from base64 import b64decode as decode
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from kubemini.api.labels import matches
from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import timestamp
from kubemini.containers import Device, File, Files, Folder, Link, Node
from kubemini.kubelet.decide.variables import amount, field_of
from kubemini.sim.units import HOUR, SECOND

DATED, DATA = "..", "..data"
MODE, EMPTY = 0o644, 0o777
TMPFS = "tmpfs"
TYPES = {
    "Directory": "directory",
    "File": "file",
    "Socket": "socket file",
    "CharDevice": "character device",
    "BlockDevice": "block device",
}
KINDS = ("configMap", "secret", "downwardAPI", "projected")
ROOT_CA = "kube-root-ca.crt"
TOKEN, BUNDLE = "token", "clustertrustbundle"  # kinds of what is found, by the path that it gets
READS, WRITES, ENTERS = 0o440, 0o660, 0o2110  # what a group may do
BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
CERTIFICATE = f"{BEGIN}([^-]*){END}"


OLDEST = 24 * HOUR  # of a token, maxTTL of the kubelet's token manager; the rest of its life in which it is renewed:
LAST = 20  # percent of it
SOONER = (0, 9 * SECOND)  # and by chance so much before that, maxJitter


class Token(NamedTuple):
    """One of the pod's account, which lasts *lasts* s until the date *expires* (µs)."""

    text: bytes
    lasts: int
    expires: int
    sooner: int

    def renewed_in(self, now: int) -> int:
        """How long it goes on being good enough, µs; not for a moment, if it has been issued after *now*."""
        issued = self.expires - self.lasts * SECOND
        due = min(issued + OLDEST, self.expires - self.lasts * LAST // 100 * SECOND) - self.sooner
        return max(0, due - now) if now >= issued else 0


class Missing(Exception):
    """Something that a volume needs is not there; the text is the kubelet's."""


def needs(volume: Obj) -> Iterator[tuple[str, str]]:
    """(kind, name) of every object that *volume* is made of."""
    for source in _sources(volume):
        if "configMap" in source:
            yield "configmap", source["configMap"]["name"]
        elif "secret" in source:
            yield "secret", source["secret"].get("secretName") or source["secret"]["name"]


def tokens(volume: Obj) -> list[Obj]:
    """What *volume* says of each token of the pod's account that lies in it."""
    return [source["serviceAccountToken"] for source in _sources(volume) if "serviceAccountToken" in source]


def token_key(wanted: Obj) -> tuple[str, int]:
    """For whom a token is, and how many seconds it lasts: those that agree in this are one."""
    return wanted.get("audience") or "", int(wanted.get("expirationSeconds") or 3600)


def expired(key: tuple[str, int], account: str, namespace: str, bound: Obj, why: str) -> str:
    """What the kubelet says if a token has expired and there is no other."""
    audiences = f'[]string{{"{key[0]}"}}' if key[0] else "[]string(nil)"
    words = {"Kind": "kind", "APIVersion": "apiVersion", "Name": "name", "UID": "uid"}
    to = ", ".join(f'{word}:"{bound[field]}"' for word, field in words.items())
    named = f'"{account}"/"{namespace}"/{audiences}/{key[1]}/v1.BoundObjectReference{{{to}}}'
    return f"token {named} expired and refresh failed: {why}"


def bundles(volume: Obj) -> list[Obj]:
    """What *volume* says of each file of trust anchors in it."""
    return [source["clusterTrustBundle"] for source in _sources(volume) if "clusterTrustBundle" in source]


def _sources(volume: Obj) -> list[Obj]:
    projected = volume.get("projected")
    return list(projected.get("sources") or ()) if projected is not None else [volume]


def contents(
    pod: Obj,
    volume: Obj,
    found: Mapping[tuple[str, str], Any],
    now: int,
    allocatable: Mapping[str, str] = MappingProxyType({}),
) -> Folder:
    """The folder that *volume* of *pod* is; what is none of the API's begins empty. Raises Missing."""
    group = get(pod, "spec", "securityContext", "fsGroup")
    if not comes_from_the_api(volume):
        kind = TMPFS if get(volume, "emptyDir", "medium") == "Memory" else "ext2/ext3"
        return _shared(Folder(mode=EMPTY, kind=kind), group, WRITES)
    payload: dict[str, tuple[bytes, int]] = {}
    mode = _mode(volume)
    for source in _sources(volume):
        payload |= _payload(pod, source, found, mode, allocatable)
    return _shared(_written(payload, now, "ext2/ext3" if volume.get("configMap") else TMPFS), group, READS)


def _shared(folder: Folder, group: Any, mask: int) -> Folder:
    """*folder*, which the group of the pod's files may use, if it has one."""
    for _, node in Files(folder).walk("/") if group is not None else ():
        if not isinstance(node, Link):
            node.mode |= mask | (ENTERS if isinstance(node, Folder) else 0)
    return folder


def comes_from_the_api(volume: Obj) -> bool:
    """Whether what lies in it is the API's: nobody writes to it."""
    return any(volume.get(kind) is not None for kind in KINDS)


def tells_of_the_pod(volume: Obj) -> bool:
    """Whether what lies in it is the pod's own fields."""
    return any("downwardAPI" in source for source in _sources(volume))


def wrong_type(path: str, type: str, node: Node | None) -> str:
    """Why what lies at *path* of the node is not what a hostPath asks for; "": it is.

    Models k/k pkg/volume/hostpath checkTypeInternal
    """
    word = TYPES.get(type.removesuffix("OrCreate"), "")
    fits = {"directory": Folder, "file": File, "character device": Device}.get(word)
    return (
        f"hostPath type check failed: {path} is not a {word}" if word and not (fits and isinstance(node, fits)) else ""
    )


def _mode(volume: Obj) -> int:
    return next((int(volume[kind].get("defaultMode") or MODE) for kind in KINDS if volume.get(kind)), MODE)


def _payload(
    pod: Obj, source: Obj, found: Mapping[tuple[str, str], Any], mode: int, allocatable: Mapping[str, str]
) -> dict[str, tuple[bytes, int]]:
    """{path: (data, mode)} of one source."""
    for kind, key in (("configmap", "configMap"), ("secret", "secret")):
        if key in source:
            return _of_object(kind, source[key], found, mode)
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or ()
        return {one["path"]: (_told(pod, one, allocatable).encode(), int(one.get("mode") or mode)) for one in items}
    if "serviceAccountToken" in source:
        path = source["serviceAccountToken"].get("path", "token")
        return {path: (found[TOKEN, path], mode)}
    if "clusterTrustBundle" in source:
        wanted = source["clusterTrustBundle"]
        return {wanted["path"]: (_anchors(wanted, found[BUNDLE, wanted["path"]]), mode)}
    return {}


def _anchors(wanted: Obj, all_bundles: Iterable[Obj]) -> bytes:
    """The certificates of the bundles that are *wanted*, each once. Raises Missing."""
    name, signer, selector = wanted.get("name"), wanted.get("signerName"), wanted.get("labelSelector")
    if name is not None:
        mine = [one for one in all_bundles if one["metadata"]["name"] == name]
        why = f'while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "{name}" not found'
    else:
        signed = [one for one in all_bundles if get(one, "spec", "signerName") == signer]
        mine = [one for one in signed if matches(selector, one["metadata"].get("labels"))]
        why = "combination of signerName and labelSelector matched zero ClusterTrustBundles"
    if not mine and not wanted.get("optional"):
        raise Missing(why)
    found = {decode(block) for one in mine for block in re.findall(CERTIFICATE, one["spec"]["trustBundle"])}
    return "".join(f"{BEGIN}\n{_in_lines(der)}\n{END}\n" for der in sorted(found)).encode()


def _in_lines(der: bytes) -> str:
    """In base64, 64 letters a line, as PEM has it."""
    return "\n".join(re.findall(".{1,64}", b64encode(der).decode()))


def _told(pod: Obj, item: Obj, allocatable: Mapping[str, str]) -> str:
    """What the downward API says in a file."""
    if "resourceFieldRef" in item:
        return amount(pod, {}, item["resourceFieldRef"], allocatable)
    return field_of(pod, get(item, "fieldRef", "fieldPath", default=""))


def _of_object(kind: str, source: Obj, found: Mapping[tuple[str, str], Any], mode: int) -> dict[str, tuple[bytes, int]]:
    name = source.get("secretName") or source["name"]
    obj = found.get((kind, name))
    if obj is None:
        if source.get("optional") or name == ROOT_CA:
            return {}
        raise Missing(f'{kind} "{name}" not found')
    data = values(kind, obj)
    if not source.get("items"):
        return {key: (value, mode) for key, value in data.items()}
    payload = {}
    for item in source["items"]:
        if item["key"] in data:
            payload[item["path"]] = data[item["key"]], int(item.get("mode") or mode)
        elif not source.get("optional"):
            what = "configmap" if kind == "configmap" else "secret"
            raise Missing(
                f"{what} references non-existent {'config' if kind == 'configmap' else 'secret'} key: {item['key']}"
            )
    return payload


def values(kind: str, obj: Obj) -> dict[str, bytes]:
    """The keys of a ConfigMap or Secret with their bytes."""
    if kind == "secret":
        return {key: decode(text) for key, text in (obj.get("data") or {}).items()}
    texts = {key: text.encode() for key, text in (obj.get("data") or {}).items()}
    return texts | {key: decode(text) for key, text in (obj.get("binaryData") or {}).items()}


def same(one: Folder, other: Folder) -> bool:
    """Whether the files in two volumes are the same, whenever they were written."""
    return _payload_of(one) == _payload_of(other)


def _payload_of(volume: Folder) -> list[tuple[str, bytes, int]]:
    data = volume.inside.get(DATA)
    dated = volume.inside.get(data.to) if isinstance(data, Link) else None
    found = Files(dated).walk("/") if isinstance(dated, Folder) else ()
    return [(path, node.data, node.mode) for path, node in found if isinstance(node, File)]


def _written(payload: Mapping[str, tuple[bytes, int]], now: int, kind: str) -> Folder:
    dated = Folder()
    name = f"..{timestamp(now).replace(':', '_').replace('-', '_').replace('T', '_').rstrip('Z')}.{now % 1_000_000:09d}"
    volume = Folder({name: dated, DATA: Link(name)}, EMPTY, kind)
    for path, (data, mode) in payload.items():
        *above, last = path.split("/")
        at = dated
        for part in above:
            inner = at.inside.setdefault(part, Folder())
            assert isinstance(inner, Folder), "no file is a folder too"
            at = inner
        at.inside[last] = File(data, mode=mode)
        volume.inside.setdefault(path.split("/")[0], Link(f"{DATA}/{path.split('/')[0]}"))
    return volume

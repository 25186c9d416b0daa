"""What lies in a volume that comes from the API: names, links, modes and contents. Pure.

A ConfigMap, Secret, downwardAPI or projected volume holds a dated folder, a link ``..data`` to it, and for each name a
link into that; so all files change at once.
Models k/k pkg/volume/util AtomicWriter.Write; k/k pkg/volume/configmap MakePayload; k/k pkg/volume/secret MakePayload
Models k/k pkg/volume/downwardapi CollectData
Simplified: no service account tokens: their file holds a word.
"""

from base64 import b64decode as decode
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubemini.api.objects import Obj, get
from kubemini.api.timestamps import timestamp
from kubemini.containers import File, Folder, Link

DATED, DATA = "..", "..data"
MODE = 0o644
ROOT_CA = "kube-root-ca.crt"


class Missing(Exception):
    """Something that a volume needs is not there; the text is the kubelet's."""


@dataclass(slots=True)
class Needs:
    """What of the API a volume is made of; *found*: what there is of it."""

    found: dict[tuple[str, str], Any] = field(default_factory=dict)

    def of_volume(self, volume: Obj) -> Iterator[tuple[str, str]]:
        """(kind, name) of everything."""
        for source in _sources(volume):
            if "configMap" in source:
                yield "configmap", source["configMap"]["name"]
            elif "secret" in source:
                yield "secret", source["secret"].get("secretName") or source["secret"]["name"]


def _sources(volume: Obj) -> list[Obj]:
    projected = volume.get("projected")
    return list(projected.get("sources") or ()) if projected is not None else [volume]


def contents(pod: Obj, volume: Obj, found: Mapping[tuple[str, str], Any], now: int) -> Folder:
    """The folder that *volume* of *pod* is. Raises Missing."""
    payload: dict[str, tuple[bytes, int]] = {}
    mode = _mode(volume)
    sources = _sources(volume)
    for source in sources:
        payload |= _payload(pod, source, found, mode)
    atomic = any(kind in source for source in sources for kind in ("configMap", "secret", "downwardAPI"))
    return _written(payload, now) if atomic or volume.get("projected") else Folder()


def _mode(volume: Obj) -> int:
    kinds = ("configMap", "secret", "downwardAPI", "projected")
    return next((int(volume[kind].get("defaultMode") or MODE) for kind in kinds if volume.get(kind)), MODE)


def _payload(pod: Obj, source: Obj, found: Mapping[tuple[str, str], Any], mode: int) -> dict[str, tuple[bytes, int]]:
    """{path: (data, mode)} of one source."""
    for kind, key in (("configmap", "configMap"), ("secret", "secret")):
        if key in source:
            return _of_object(kind, source[key], found, mode)
    if "downwardAPI" in source:
        items = source["downwardAPI"].get("items") or ()
        return {one["path"]: (of_field(pod, one).encode(), int(one.get("mode") or mode)) for one in items}
    if "serviceAccountToken" in source:
        return {source["serviceAccountToken"].get("path", "token"): (b"token", mode)}
    return {}


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


def of_field(pod: Obj, item: Obj) -> str:
    """What the downward API says of a field of *pod*, in a file. Models k/k pkg/fieldpath ExtractFieldPathAsString"""
    path = get(item, "fieldRef", "fieldPath", default="")
    value = get(pod, *path.split(".")) if "[" not in path else get(pod, *path.partition("[")[0].split("."))
    if "[" in path:
        return str((value or {}).get(path.partition("['")[2].rstrip("']"), ""))
    if path in ("metadata.labels", "metadata.annotations"):
        return "\n".join(f'{key}="{text}"' for key, text in sorted((value or {}).items()))
    return str(value or "")


def _written(payload: Mapping[str, tuple[bytes, int]], now: int) -> Folder:
    dated = Folder()
    name = f"..{timestamp(now).replace(':', '_').replace('-', '_').replace('T', '_').rstrip('Z')}.{now % 1_000_000:09d}"
    volume = Folder({name: dated, DATA: Link(name)})
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

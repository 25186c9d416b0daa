"""In which order ports and subsets stand: that of a hash of how Go would print them. Pure.

Models k/utils dump ForHash; k/k pkg/util/hash DeepHashObject
"""

from collections.abc import Iterable

from kubemini.api.objects import Obj, get

START, PRIME, MASK = 0x6C62272E07BB014262B821756295C58D, (1 << 88) + 0x13B, (1 << 128) - 1
TARGET = {  # the fields of an object reference, in Go's order
    "kind": "Kind:(string)",
    "namespace": "Namespace:(string)",
    "name": "Name:(string)",
    "uid": "UID:(types.UID)",
    "apiVersion": "APIVersion:(string)",
    "resourceVersion": "ResourceVersion:(string)",
    "fieldPath": "FieldPath:(string)",
}


def fnv(text: str) -> int:
    """FNV-1a of 128 bits."""
    found = START
    for byte in text.encode():
        found = ((found ^ byte) * PRIME) & MASK
    return found


def of_slice_port(name: str, number: int, protocol: str, application: str | None) -> int:
    """The hash of a port of an EndpointSlice."""
    parts = f"Name:(*string){name} Protocol:(*v1.Protocol){protocol} Port:(*int32){number}"
    return fnv(f"(v1.EndpointPort){{{parts} AppProtocol:(*string){_or_nil(application)}}}")


def of_port(port: Obj) -> int:
    """The hash of a port of Endpoints."""
    return fnv(f"(v1.EndpointPort){_port(port)}")


def of_subset(subset: Obj) -> int:
    """The hash of a subset of Endpoints."""
    sides = [
        f"{go}:([]v1.EndpointAddress){_list(map(_address, subset.get(side) or ()))}"
        for go, side in (("Addresses", "addresses"), ("NotReadyAddresses", "notReadyAddresses"))
    ]
    ports = f"Ports:([]v1.EndpointPort){_list(map(_port, subset.get('ports') or ()))}"
    return fnv(f"(v1.EndpointSubset){{{' '.join([*sides, ports])}}}")


def _port(port: Obj) -> str:
    name, protocol = port.get("name") or "", port.get("protocol") or ""
    said = f"Name:(string){name} Port:(int32){port['port']} Protocol:(v1.Protocol){protocol}"
    return f"{{{said} AppProtocol:(*string){_or_nil(port.get('appProtocol'))}}}"


def _address(address: Obj) -> str:
    target = address.get("targetRef")
    of = "<nil>" if target is None else f"{{{' '.join(go + get(target, k, default='') for k, go in TARGET.items())}}}"
    said = f"IP:(string){address['ip']} Hostname:(string){address.get('hostname') or ''}"
    return f"{{{said} NodeName:(*string){_or_nil(address.get('nodeName'))} TargetRef:(*v1.ObjectReference){of}}}"


def _list(texts: Iterable[str]) -> str:
    found = list(texts)
    return f"[{' '.join(found)}]" if found else "<nil>"


def _or_nil(text: str | None) -> str:
    return "<nil>" if text is None else text

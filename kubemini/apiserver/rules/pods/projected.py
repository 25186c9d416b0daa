"""Projected volumes: files of several origins in one folder.

Models k/k pkg/apis/core/validation validateProjectionSources, ValidateUserAnnotations.
"""

from kubemini.api import names
from kubemini.api.objects import Obj
from kubemini.apiserver.rules.causes import Wrong, each, forbidden, invalid, required, supported
from kubemini.apiserver.rules.gostructs import internal
from kubemini.apiserver.rules.metadata import label_selector
from kubemini.apiserver.rules.pods.files import key_as_file, mode, pod_file
from kubemini.apiserver.rules.signers import of_kubernetes, signer_name
from kubemini.apiserver.rules.volumes.sources import unreserved

SOURCES = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
SHORTEST_TOKEN, LONGEST_TOKEN = 600, 2**32  # seconds
SHORTEST, LONGEST, LONGEST_OF_KUBERNETES = 3600, 91 * 24 * 3600, 24 * 3600  # seconds that a certificate may be good for
KEYS = ("RSA3072", "RSA4096", "ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519")
CERTIFICATE_PATHS = ("credentialBundlePath", "keyPath", "certificateChainPath")
NO_PATH = "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"
TWICE = "conflicting duplicate paths"


def projected(source: Obj, path: str) -> Wrong:
    """Files of several origins in one folder; no two have the same path."""
    yield from mode(source, "defaultMode", path)
    paths: list[str] = []
    for number, part in enumerate(source.get("sources") or ()):
        where, given = f"{path}.sources[{number}]", 0
        for kind in SOURCES:
            if part.get(kind) is not None:
                given += 1
                yield from _part(kind, part[kind], path, f"{where}.{kind}", paths)
        if given > 1:
            yield forbidden(where, "may not specify more than 1 volume type per source")


def _part(kind: str, part: Obj, path: str, where: str, paths: list[str]) -> Wrong:
    if kind == "serviceAccountToken":
        yield from _token(part, path, where)
        return
    if kind == "clusterTrustBundle":
        yield from _bundle(part, path, where, paths)
        return
    if kind == "podCertificate":
        yield from _certificate(part, path, where, paths)
        return
    if kind != "downwardAPI" and not part.get("name"):
        yield required(f"{where}.name")
    for number, item in enumerate(part.get("items") or ()):
        yield from pod_file(item, where) if kind == "downwardAPI" else key_as_file(item, f"{where}.items[{number}]")
        taken = item.get("path", "")
        if taken and taken in paths:
            yield invalid(path, taken if kind == "downwardAPI" else part.get("name", ""), TWICE)
        paths += [taken] if taken else []


def _token(part: Obj, path: str, where: str) -> Wrong:
    seconds = part.get("expirationSeconds")
    if seconds is None:
        yield required(f"{where}.expirationSeconds")
    else:
        if seconds < SHORTEST_TOKEN:
            yield invalid(f"{where}.expirationSeconds", seconds, "may not specify a duration less than 10 minutes")
        if seconds > LONGEST_TOKEN:
            text = "may not specify a duration larger than 2^32 seconds"
            yield invalid(f"{where}.expirationSeconds", seconds, text)
    if not part.get("path"):
        yield required(f"{path}.path")
    else:
        yield from unreserved(part["path"], f"{path}.path")


def _bundle(part: Obj, path: str, where: str, paths: list[str]) -> Wrong:
    name, signer = part.get("name"), part.get("signerName")
    if name is not None and signer is not None:
        shown = internal(part, "core.ClusterTrustBundleProjection")
        yield invalid(where, shown, "only one of name and signerName may be used")
    elif name is not None:
        if not name:
            yield required(f"{where}.name", "must be a valid object name")
        wrong = names.dns_subdomain(name.rpartition(":")[2])
        yield from each([f"not a valid clustertrustbundlename: {text}" for text in wrong], f"{where}.name", name)
        if part.get("labelSelector") is not None:
            text = "labelSelector must be unset if name is specified"
            yield invalid(f"{where}.labelSelector", part["labelSelector"], text)
    elif signer is not None:
        if not signer:
            yield required(f"{where}.signerName", "must be a valid signer name")
        yield from signer_name(signer, f"{where}.signerName")
        yield from label_selector(part.get("labelSelector"), f"{where}.labelSelector")
    else:
        yield required(where, "either name or signerName must be specified")
    file = part.get("path", "")
    if not file:
        yield required(f"{where}.path")
    yield from _taken(file, f"{where}.path", path, paths)


def _certificate(part: Obj, path: str, where: str, paths: list[str]) -> Wrong:
    signer, seconds = part.get("signerName", ""), part.get("maxExpirationSeconds")
    yield from signer_name(signer, f"{where}.signerName")
    yield from user_annotations(part.get("userAnnotations"), f"{where}.userAnnotations")
    yield from supported(f"{where}.keyType", part.get("keyType", ""), KEYS)
    if seconds is not None:
        longest = LONGEST_OF_KUBERNETES if of_kubernetes(signer) else LONGEST
        if seconds < SHORTEST:
            text = f"if provided, maxExpirationSeconds must be >= {SHORTEST}"
            yield invalid(f"{where}.maxExpirationSeconds", seconds, text)
        if seconds > longest:
            text = f"if provided, maxExpirationSeconds must be <= {longest}"
            yield invalid(f"{where}.maxExpirationSeconds", seconds, text)
    given = [field for field in CERTIFICATE_PATHS if part.get(field)]
    for field in given:
        yield from _taken(part[field], f"{where}.{field}", path, paths)
    if not given:
        yield required(where, NO_PATH)


def _taken(file: str, where: str, path: str, paths: list[str]) -> Wrong:
    yield from unreserved(file, where)
    if file in paths:
        yield invalid(path, file, TWICE)
    paths.append(file)


def user_annotations(given: Obj | None, path: str) -> Wrong:
    """What a signer is told besides: keys with a domain."""
    for key in given or {}:
        key = key.lower()
        if not key:
            yield required(path)
            continue
        wrong = names.qualified_name(key)
        yield from each(wrong, path, key)
        if not wrong and "/" not in key:
            yield invalid(path, key, 'must be a domain-prefixed key (such as "acme.io/foo")')

"""ClusterTrustBundles: whom to trust.

Models k/k pkg/registry/certificates/clustertrustbundle strategy; k/k pkg/apis/certificates/validation
ValidateClusterTrustBundle, validateTrustBundle; k/k pkg/apis/core/validation ValidateClusterTrustBundleName.
"""

from kubemini.api import names
from kubemini.api.kinds import KNOWN
from kubemini.api.objects import Obj, get
from kubemini.apiserver.columns import NAME, Column, text_at
from kubemini.apiserver.kinds.certificates import pem
from kubemini.apiserver.rules.causes import IMMUTABLE, Wrong, each, invalid, too_long
from kubemini.apiserver.rules.signers import signer_name
from kubemini.apiserver.served import ServedKind, serve

LARGEST = 1024 * 1024  # bytes
WHERE, OMITTED = "spec.trustBundle", "<value omitted>"


def rules(obj: Obj) -> Wrong:
    """Its name says who signs."""
    name, signer = obj["metadata"].get("name") or "", get(obj, "spec", "signerName") or ""
    yield from each(_wrong_name(name, signer) if name else (), "metadata.name", name)
    if signer:
        yield from signer_name(signer, "spec.signerName")


def _wrong_name(name: str, signer: str) -> list[str]:
    if not signer:
        if ":" in name:
            return ['ClusterTrustBundle without signer name must not have ":" in its name']
        return names.dns_subdomain(name)
    prefix = signer.replace("/", ":") + ":"
    if not name.startswith(prefix):
        return [f"ClusterTrustBundle for signerName {signer} must be named with prefix {prefix}"]
    return names.dns_subdomain(name.removeprefix(prefix))


def create_rules(obj: Obj) -> Wrong:
    """What it holds are certificates of authorities, each once."""
    text = get(obj, "spec", "trustBundle") or ""
    if len(text.encode()) > LARGEST:
        yield too_long(WHERE, LARGEST)
        return
    found = pem.blocks(text)
    wrong = [why for number, block in enumerate(found) if (why := _wrong_block(block, number))]
    yield from each(wrong, WHERE, OMITTED)
    if wrong:
        return
    if not found:
        yield invalid(WHERE, OMITTED, "at least one trust anchor must be provided")
    for data in dict.fromkeys(block.data for block in found):
        places = [str(number) for number, block in enumerate(found) if block.data == data]
        if len(places) > 1:
            yield invalid(WHERE, OMITTED, f"duplicate trust anchor (indices [{' '.join(places)}])")


def _wrong_block(block: pem.Block, number: int) -> str:
    if block.type != "CERTIFICATE":
        return f"entry {number} has bad block type: {block.type}"
    if block.has_headers:
        return f"entry {number} has PEM block headers"
    authority = pem.authority(block.data)
    if authority is None:
        return f"entry {number} does not parse as X.509"
    return "" if authority else f"entry {number} does not have the CA bit set"


def changes(new: Obj, old: Obj) -> Wrong:
    """Who signs stays; what stays is not read again."""
    if get(new, "spec", "trustBundle") != get(old, "spec", "trustBundle"):
        yield from create_rules(new)
    signer = get(new, "spec", "signerName") or ""
    if signer != (get(old, "spec", "signerName") or ""):
        yield invalid("spec.signerName", signer, IMMUTABLE)


serve(
    ServedKind(
        KNOWN["certificates.k8s.io/v1", "ClusterTrustBundle"],
        versioned=True,
        name_rule=lambda name: [],
        fields=("spec.signerName",),
        rules=rules,
        create_rules=create_rules,
        changes=changes,
        columns=(NAME, Column("SignerName", text_at("spec", "signerName"))),
    )
)

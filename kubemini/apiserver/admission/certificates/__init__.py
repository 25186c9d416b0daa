"""Plugins about certificates: who may approve, sign and attest in the name of which signer."""

from dataclasses import replace

from kubemini.api.cel.functions.access import Question
from kubemini.api.kinds import KNOWN
from kubemini.apiserver.decide.attributes import Attributes

REQUEST = KNOWN["certificates.k8s.io/v1", "CertificateSigningRequest"]
BUNDLE = KNOWN["certificates.k8s.io/v1", "ClusterTrustBundle"]


def may(asked: Attributes, verb: str, signer: str) -> bool:
    """Whether the writer may *verb* for that signer, or for all signers of its domain.

    Models k/k pkg/certauthorization IsAuthorizedForSignerName
    """
    ask = asked.may
    if ask is None:
        return True
    domain = signer.partition("/")[0]
    asking = Question(ask, "ResourceCheck", group=REQUEST.group, resource="signers", verb=verb)
    return any(ask(replace(asking, name=name)).allowed for name in (signer, f"{domain}/*"))

"""CertificateSubjectRestriction: nobody becomes a member of system:masters by a certificate for clients.

Models k/k plugin/pkg/admission/certificates/subjectrestriction Plugin.Validate.
"""

from kubemini.api.errors import ApiError
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.admission.certificates import REQUEST
from kubemini.apiserver.decide.access.users import MASTERS
from kubemini.apiserver.decide.attributes import CREATE, Attributes
from kubemini.apiserver.kinds.certificates import pem

NAME = "CertificateSubjectRestriction"
CLIENT = "kubernetes.io/kube-apiserver-client"


def validate(asked: Attributes) -> ApiError | None:
    """Why it may not be asked for, or None."""
    obj = asked.obj
    if (asked.kind, asked.subresource, asked.operation) != (REQUEST, "", CREATE) or obj is None:
        return None
    if obj["spec"].get("signerName") != CLIENT:
        return None
    (block, *_) = pem.of_base64(obj["spec"]["request"])
    if MASTERS not in pem.organizations(block.data):
        return None
    return forbid(asked, f"use of {CLIENT} signer with {MASTERS} group is not allowed")

"""CertificateApproval: who approves a request may do so for its signer, too.

Judged by the request as it was: a write of /approval that names another signer wins nothing.
Models k/k plugin/pkg/admission/certificates/approval Plugin.Validate.
"""

from kubemini.api.errors import ApiError
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.admission.certificates import REQUEST, may
from kubemini.apiserver.decide.attributes import UPDATE, Attributes

NAME = "CertificateApproval"


def validate(asked: Attributes) -> ApiError | None:
    """Why the writer may not approve it, or None."""
    if (asked.kind, asked.subresource, asked.operation) != (REQUEST, "approval", UPDATE) or asked.old is None:
        return None
    signer = asked.old["spec"]["signerName"]
    if may(asked, "approve", signer):
        return None
    return forbid(asked, f'user not permitted to approve requests with signerName "{signer}"')

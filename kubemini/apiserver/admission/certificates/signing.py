"""CertificateSigning: who writes a certificate, or a condition, into a request may sign for its signer, too.

Models k/k plugin/pkg/admission/certificates/signing Plugin.Validate.
"""

from kubemini.api.errors import ApiError
from kubemini.api.objects import get
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.admission.certificates import REQUEST, may
from kubemini.apiserver.decide.attributes import UPDATE, Attributes

NAME = "CertificateSigning"
JUDGED = ("certificate", "conditions")


def validate(asked: Attributes) -> ApiError | None:
    """Why the writer may not sign it, or None."""
    new, old = asked.obj, asked.old
    if (asked.kind, asked.subresource, asked.operation) != (REQUEST, "status", UPDATE) or new is None or old is None:
        return None
    if all((get(new, "status", part) or None) == (get(old, "status", part) or None) for part in JUDGED):
        return None
    signer = old["spec"]["signerName"]
    if may(asked, "sign", signer):
        return None
    return forbid(asked, f'user not permitted to sign requests with signerName "{signer}"')

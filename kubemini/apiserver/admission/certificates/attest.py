"""ClusterTrustBundleAttest: who says which authorities a signer stands for may attest for that signer.

Models k/k plugin/pkg/admission/certificates/ctbattest Plugin.Validate.
"""

from kubemini.api.errors import ApiError
from kubemini.api.objects import get
from kubemini.apiserver.admission import forbid
from kubemini.apiserver.admission.certificates import BUNDLE, may
from kubemini.apiserver.decide.access.escalation import only_fades
from kubemini.apiserver.decide.attributes import CREATE, UPDATE, Attributes

NAME = "ClusterTrustBundleAttest"


def validate(asked: Attributes) -> ApiError | None:
    """Why the writer may not attest, or None."""
    new = asked.obj
    if asked.kind != BUNDLE or asked.operation not in (CREATE, UPDATE) or new is None:
        return None
    signer = get(new, "spec", "signerName") or ""
    if not signer or only_fades(new, asked.old) or may(asked, "attest", signer):
        return None
    return forbid(asked, f'user not permitted to attest for signerName "{signer}"')

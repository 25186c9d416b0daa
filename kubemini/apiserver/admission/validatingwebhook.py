"""ValidatingAdmissionWebhook: asks programs outside of the server whether a write may be.

Which are asked is said here; the asking takes time, and is done by ../admitting.py.
Models k/apiserver pkg/admission/plugin/webhook/validating Plugin.
"""

from kubemini.api.kinds import KNOWN, Kind
from kubemini.apiserver.decide.attributes import Attributes
from kubemini.apiserver.decide.policies.matching import REGISTRATION, is_exempt

NAME = "ValidatingAdmissionWebhook"
CONFIGURATION = KNOWN[f"{REGISTRATION}/v1", "ValidatingWebhookConfiguration"]


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The configurations."""
    return () if is_exempt(asked.kind) else (CONFIGURATION,)

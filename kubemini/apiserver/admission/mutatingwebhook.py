"""MutatingAdmissionWebhook: asks programs outside of the server, one after the other, what a write shall become.

Which are asked is said here; the asking takes time, and is done by ../admitting.py.
Models k/apiserver pkg/admission/plugin/webhook/mutating Plugin.
"""

from kubemini.api.kinds import KNOWN, Kind
from kubemini.apiserver.decide.attributes import Attributes
from kubemini.apiserver.decide.policies.matching import REGISTRATION, is_exempt

NAME = "MutatingAdmissionWebhook"
CONFIGURATION = KNOWN[f"{REGISTRATION}/v1", "MutatingWebhookConfiguration"]


def needs(asked: Attributes) -> tuple[Kind, ...]:
    """The configurations."""
    return () if is_exempt(asked.kind) else (CONFIGURATION,)

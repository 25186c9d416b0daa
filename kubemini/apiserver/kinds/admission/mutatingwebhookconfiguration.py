"""MutatingWebhookConfigurations: programs that are asked how a write shall be changed.

Models k/k pkg/registry/admissionregistration/mutatingwebhookconfiguration strategy.
"""

from kubemini.apiserver.kinds.admission.webhooks import served_webhooks
from kubemini.apiserver.served import serve

serve(served_webhooks("MutatingWebhookConfiguration"))

"""ValidatingWebhookConfigurations: programs that are asked whether a write may be done.

Models k/k pkg/registry/admissionregistration/validatingwebhookconfiguration strategy.
"""

from kubemini.apiserver.kinds.admission.webhooks import served_webhooks
from kubemini.apiserver.served import serve

serve(served_webhooks("ValidatingWebhookConfiguration"))

"""Bindings: a pod gets its node; nothing is stored. Clients of today POST to the pod's own /binding.

Models k/k pkg/registry/core/pod/storage LegacyBindingREST.Create.
"""

from kubemini.api.kinds import KNOWN
from kubemini.apiserver.served import ServedKind, serve

serve(ServedKind(KNOWN["v1", "Binding"], answered=True))

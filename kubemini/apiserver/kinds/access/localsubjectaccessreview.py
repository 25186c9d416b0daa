"""LocalSubjectAccessReviews: may this user do that in this namespace?

Models k/k pkg/registry/authorization/localsubjectaccessreview REST.
"""

from kubemini.api.kinds import KNOWN
from kubemini.apiserver.served import ServedKind, serve

serve(ServedKind(KNOWN["authorization.k8s.io/v1", "LocalSubjectAccessReview"], answered=True))

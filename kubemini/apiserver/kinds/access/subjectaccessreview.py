"""SubjectAccessReviews: may this user do that?

Models k/k pkg/registry/authorization/subjectaccessreview REST.
"""

from kubemini.api.kinds import KNOWN
from kubemini.apiserver.served import ServedKind, serve

serve(ServedKind(KNOWN["authorization.k8s.io/v1", "SubjectAccessReview"], answered=True))

"""SelfSubjectReviews: who am I?

Models k/k pkg/registry/authentication/selfsubjectreview REST.
"""

from kubemini.api.kinds import KNOWN
from kubemini.apiserver.served import ServedKind, serve

serve(ServedKind(KNOWN["authentication.k8s.io/v1", "SelfSubjectReview"], answered=True))

"""SelfSubjectRulesReviews: what may I do in this namespace?

Models k/k pkg/registry/authorization/selfsubjectrulesreview REST.
"""

from kubemini.api.kinds import KNOWN
from kubemini.apiserver.served import ServedKind, serve

serve(ServedKind(KNOWN["authorization.k8s.io/v1", "SelfSubjectRulesReview"], answered=True))

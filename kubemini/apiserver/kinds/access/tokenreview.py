"""TokenReviews: whose token is this?

Models k/k pkg/registry/authentication/tokenreview REST.
"""

from kubemini.api.kinds import KNOWN
from kubemini.apiserver.served import ServedKind, serve

serve(ServedKind(KNOWN["authentication.k8s.io/v1", "TokenReview"], answered=True))

"""A Deployment of a hundred pods on five workers: they are made, then given a new image."""

from kubemini.cluster import Cluster
from kubemini.kubectlline import kubectl

PODS = 100
MADE, ROLLED = 60, 150  # seconds that are enough for it
MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: {pods}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: "shop/web:1.0"}}]}}
"""


class Fleet:
    """So many *pods*, all ready."""

    def __init__(self, pods: int = PODS):
        self.cluster = Cluster.single(workers=5)
        self.cluster.run(15)
        kubectl(self.cluster, "apply -f -", MANIFEST.format(pods=pods))
        self.cluster.run(MADE)

    def roll(self) -> None:
        """Give them a new image, and wait for the last of them."""
        kubectl(self.cluster, "set image deployment/web web=shop/web:2.0")
        self.cluster.run(ROLLED)

    def told(self) -> str:
        """What kubectl says of the rollout now."""
        return kubectl(self.cluster, "rollout status deployment/web --watch=false").out

"""Clusters that lines are typed at."""

from kubemini import Cluster, kubectl

WEB = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, labels: {app: web}}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: c, image: "nginx:1.29"}]}
"""


class Desk:
    """Somebody at a cluster that has run for *time*."""

    def __init__(self, cluster=None, time="10s"):
        self.cluster = cluster or Cluster.single()
        self.cluster.run(time)

    def type(self, line, given="", **options):
        """What came of a line."""
        return kubectl(self.cluster, line, given, **options)

    def says(self, line, given="", **options):
        """What it prints when all is well."""
        typed = self.type(line, given, **options)
        assert typed.status == 0, str(typed)
        return typed.out

    def complains(self, line, given="", status=1):
        """What it says when it is not."""
        typed = self.type(line, given)
        assert typed.status == status, str(typed)
        return typed.err

"""services.missing: manifests whose Service finds no pod; make it find three."""

from typing import Any

from kubemini.lab import Report, exercise
from kubemini.lab.services.shop import judge

MISSING = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: shop, tier: web}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop}}
  template:
    metadata: {labels: {app: shop}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
"""


@exercise("services.missing")
def check_missing(answer: Any) -> Report:
    """The manifests are applied; three pods of web must take all visits."""
    return judge(answer, {"web": 3})

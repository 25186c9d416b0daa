"""services.broad: manifests whose Service finds too many; visits go to the database."""

from typing import Any

from kubemini.lab import Report, exercise
from kubemini.lab.services.shop import judge

BROAD = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: shop}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: shop, tier: web}}
  template:
    metadata: {labels: {app: shop, tier: web}}
    spec: {containers: [{name: web, image: "shop/web:1.0"}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db}
spec:
  replicas: 2
  selector: {matchLabels: {app: shop, tier: db}}
  template:
    metadata: {labels: {app: shop, tier: db}}
    spec: {containers: [{name: db, image: "shop/db:1.0"}]}
"""


@exercise("services.broad")
def check_broad(answer: Any) -> Report:
    """The same, beside a database of two pods that must go on running and get no visit."""
    return judge(answer, {"web": 3, "db": 2})

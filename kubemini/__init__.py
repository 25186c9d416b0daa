"""kubemini: a small, deterministic Kubernetes cluster that readers can break."""

"""The kinds that say where HTTP requests go: Ingress and its class, and those of Gateway API. A file each."""

"""TLS at a Gateway or an Ingress: by the name in a hello, before any header is read. Pure."""

"""TLS at a Gateway or an Ingress: by the name in a hello, before any header is read. Pure.

Simplified: clients and pods of a cluster speak plain HTTP, so no program of it asks here (../../../ingress.py says so);
whoever has a TLS connection before his eyes, real or on paper, may.
"""

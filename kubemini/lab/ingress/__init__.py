"""Chapter *Ingress and Gateway*: twenty URLs; a canary; a move from Ingress to HTTPRoute; a certificate that fits."""

"""Chapter *NetworkPolicy*: who may call whom, and which rule said so."""

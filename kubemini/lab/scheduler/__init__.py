"""Chapter *The scheduler*: which node, why, and what nobody decides again."""

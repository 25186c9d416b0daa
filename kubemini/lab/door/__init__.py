"""Chapter *The front door*: what a check sees; a path without a lone box; connections that skew; three faults."""

"""Chapter 4: what its cells say, and its checkers."""

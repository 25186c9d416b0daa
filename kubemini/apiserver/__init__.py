"""The API server: request ◇ → validation and defaulting ◇ → storage → watch cache → server (◇ = pure decisions)."""

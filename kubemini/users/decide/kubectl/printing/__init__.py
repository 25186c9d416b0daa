"""How kubectl writes what has come back: tables, YAML, JSON, paths, columns. Pure."""

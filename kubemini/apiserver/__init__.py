"""The API server in the order of a request: decoding ◇ → defaults ◇ → admission ◇ → rules ◇ → store.

decide/ ◇ what every kind goes through; kinds/ ◇ what is special about each, a file a kind (served ◇ says what it
gives); rules/ ◇ what kinds share; admission/ ◇. Beside them: storage, watchcache (one watch of etcd for all who watch),
health (readyz), server (the component). ◇ = pure decisions.
"""

"""The API server in the order of a request: decoding ◇ → defaults ◇ → admission ◇ → rules ◇ → store.

decide/ ◇ what every kind goes through; kinds/ ◇ what is special about each, a file a kind (served ◇ says what it
gives); rules/ ◇ what kinds share; admission/ ◇. Beside them: storage, watchcache (one watch of etcd for all who watch),
health (readyz). server is the component, pipeline the handlers a request passes, as one list; reading and writing are
its verbs, core what lies below them. ◇ = pure decisions.
"""

"""The API server in the order of a request: request ◇ → defaulting ◇ → strategy ◇ → admission ◇ → validation ◇ → store.

Beside it: update, deletion and subresources ◇ (what PUT, PATCH, DELETE and the like decide), watchcache (one watch of
etcd for all who watch), health (readyz), summary ◇ (what the trace says), server (the component). ◇ = pure decisions.
"""

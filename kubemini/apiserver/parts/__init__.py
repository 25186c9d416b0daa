"""Sub-resources that are a deed of their own: eviction, and what leads to a node or a pod."""

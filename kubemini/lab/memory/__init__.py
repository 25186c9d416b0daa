"""Chapter *etcd as the memory*: the past from a log of changes, a full store, a lock with a lease."""

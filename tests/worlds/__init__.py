"""Little worlds for tests: Raft machines alone, a whole etcd, random trouble, stories told twice."""

"""Members that drive the machine: a whole etcd, and what happens to it."""

"""What etcd stores above its log, and which requests it takes: revisions, leases, the size of the file. Pure."""

"""etcd: Raft as a pure machine, the store of revisions, and the member that drives them."""

"""etcd-io/raft as the judge of our machine: conversations, what its library says to them, and what ours says."""

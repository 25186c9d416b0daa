"""etcd, from the pure machine to a whole cluster in trouble."""

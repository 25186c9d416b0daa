"""Live programs as judges: a real etcd beside ours."""

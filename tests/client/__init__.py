"""client-go: informers, work queues, elections."""

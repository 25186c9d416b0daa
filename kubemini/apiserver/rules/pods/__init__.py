"""What a pod may be, part by part: environment, mounts, who it runs as, what it is called, what may change."""

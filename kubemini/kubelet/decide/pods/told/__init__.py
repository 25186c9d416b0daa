"""What the API is told of a pod: its phase, its conditions, the statuses of its containers. Pure."""

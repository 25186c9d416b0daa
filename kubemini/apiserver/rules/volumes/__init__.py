"""What volumes may be made of: those of a pod, and those that stay."""

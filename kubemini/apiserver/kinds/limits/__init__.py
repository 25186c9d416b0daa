"""What a namespace may use (`v1`): ranges and quotas, a file each."""

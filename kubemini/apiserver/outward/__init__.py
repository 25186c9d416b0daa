"""What a server asks of others: kubelets, and programs in pods."""

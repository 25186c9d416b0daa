"""The reference CNI plugins, built from their module, beside ours: the same calls, one after the other, on one host."""

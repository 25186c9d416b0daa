"""The audit log: which requests a policy wants to hear of, and what is said of each. Pure."""

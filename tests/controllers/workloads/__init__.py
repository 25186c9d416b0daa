"""Controllers of workloads: decisions step by step, and whole clusters."""

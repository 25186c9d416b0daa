"""Controllers of workloads: what makes pods after a template, and when it lets them go. Pure."""

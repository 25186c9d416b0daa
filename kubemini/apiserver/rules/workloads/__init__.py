"""What workloads may be: rolling updates, jobs, schedules."""

"""Real HAProxy and keepalived beside ours: which check fails, who leaves and returns, who holds the address."""

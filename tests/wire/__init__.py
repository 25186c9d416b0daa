"""The wire: latency, loss, cuts, calls."""
